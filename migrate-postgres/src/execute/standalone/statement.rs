//! One statement of a file without a transaction.
//!
//! Owns how it is sent: in a transaction of its own with the row that says that it is done, wherever the server
//! allows that, else by itself. What cannot be in a transaction is known by its words, and where it is not, the
//! server says so. Tries again while locks are not to be had.

use std::time::{Duration, Instant};

use migrate_core::sql::{Statement, classify};
use migrate_core::{Script, State, Unit};

use super::look::Looked;
use super::patience::{Missed, Patience, Trouble, closes, is_concurrent};
use super::{Piece, Runner};
use crate::error::{Error, sqlstate};
use crate::execute::send::{Asking, Failure, statements_in};
use crate::monitor::Guard;
use crate::session::Limits;
use crate::sql;

/// How the attempt to run a unit together with its row ended.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is done, and says so.
    Recorded,
    /// It has to be by itself; nothing of it is there.
    NotHere,
}

/// The server refuses it in a transaction, or the end of one in a procedure, or our row because the file has made
/// the session read only. Nothing of it stayed, so that it can be tried by itself.
fn wants_to_be_outside(sqlstate: &str) -> bool {
    matches!(sqlstate, "25001" | "2D000" | "25006")
}

impl Runner<'_> {
    /// A statement in a transaction with its row, if it may be in one.
    pub(super) async fn enclosed(&mut self, piece: Piece<'_>) -> Result<Ended, Error> {
        let Unit::Statement(script, statement) = piece.unit else { return Ok(Ended::NotHere) };
        if !classify::may_be_enclosed(statement.text(&script.text)) {
            return Ok(Ended::NotHere);
        }
        let one = std::slice::from_ref(*statement);
        let mut locking = self.locking(piece.job, one);
        loop {
            let asking = self.next_attempt(piece.job, &mut locking).await;
            let asking = asking.map_err(|error| piece.job.error(error.into()))?;
            let trouble = match self.enclosed_once(piece, script, statement, &asking).await {
                Ok(()) => {
                    self.note_effort(&locking);
                    return Ok(Ended::Recorded);
                }
                Err(trouble) => trouble,
            };
            let error = &trouble.failure.error;
            // A session that has not answered would keep us waiting for that.
            if sqlstate(error).is_some() {
                self.session.roll_back().await;
            }
            if self.clerk.was_refused(error) {
                return Err(self.clerk.refused(trouble.failure.error));
            }
            if sqlstate(error).is_some_and(|state| wants_to_be_outside(&state)) {
                return Ok(Ended::NotHere);
            }
            if !self.goes_on(piece.job, &trouble.failure, &asking, &mut locking) {
                let blockers = std::mem::take(&mut locking.blockers);
                let failure = Failure { blockers, ..trouble.failure };
                let trouble = Trouble { failure, ..trouble };
                return Err(self.statement_failed(piece, trouble, statement, script, true).await);
            }
        }
    }

    /// Constraints and triggers that wait for the end of the transaction have their turn before the row is
    /// written: in the settings of the file, as they would without a transaction.
    async fn enclosed_once(
        &mut self,
        piece: Piece<'_>,
        script: &Script,
        statement: &Statement,
        asking: &Asking,
    ) -> Result<(), Trouble> {
        let locks = asking.ahead();
        let timeouts = timeouts(script, asking.limits);
        let head = format!("{} BEGIN; {timeouts}{locks}", piece.job.comment());
        let row = self.clerk.statement(&[piece.row(State::Done)], 1);
        let message = format!(
            "{head}{}\n;\nSET CONSTRAINTS ALL IMMEDIATE; {}{row}COMMIT",
            statement.text(&script.text),
            self.clerk.as_ourselves()
        );
        let (waits, began) = (&self.ours.waits, Instant::now());
        let guard = asking.queues.map(|_| self.guard());
        let told = match self.until_deadline(message, waits.standalone, guard).await {
            Ok(told) => told,
            Err(missed) => {
                let is_in_locks = missed.done < statements_in(&head) && !locks.is_empty();
                let trouble = trouble(missed, script, &head, statement);
                return Err(Trouble {
                    failure: Failure { is_in_locks, ..trouble.failure },
                    ..trouble
                });
            }
        };
        self.clerk.last_seq += 1;
        self.tell_locked(piece.job, told.waited, began);
        Ok(())
    }

    /// A statement by itself.
    pub(super) async fn outside(
        &mut self,
        piece: Piece<'_>,
        script: &Script,
        statement: &Statement,
    ) -> Result<(), Error> {
        let mut locking = self.locking_alone(piece.job, statement);
        loop {
            let asking = self.next_attempt(piece.job, &mut locking).await;
            let asking = asking.map_err(|error| piece.job.error(error.into()))?;
            let at_most = asking.limits.lock;
            let trouble = match self.outside_once(piece, script, statement, at_most).await {
                Ok(()) => {
                    self.note_effort(&locking);
                    return Ok(());
                }
                Err(trouble) => trouble,
            };
            let goes_on = self.goes_on(piece.job, &trouble.failure, &asking, &mut locking);
            self.session.rest(self.names, locking.attempts.until_due()).await;
            // What was given up may be half done, and is finished also when its own time is up.
            if (goes_on || trouble.failure.gave_up) && self.look_again(piece).await? == Looked::Done
            {
                return Ok(());
            }
            if !goes_on {
                let failure = Failure { blockers: locking.blockers, ..trouble.failure };
                let trouble = Trouble { failure, ..trouble };
                return Err(self.statement_failed(piece, trouble, statement, script, false).await);
            }
        }
    }

    /// The second half of a statement, in attempts that hurt nobody.
    pub(super) async fn second_half(
        &mut self,
        piece: Piece<'_>,
        statement: &Statement,
        message: String,
        all: Duration,
    ) -> Result<(), Missed> {
        let mut locking = self.locking_alone(piece.job, statement);
        loop {
            let asking = self.next_attempt(piece.job, &mut locking).await?;
            let guard = Some(self.guard());
            let patience = Patience { all, lock: asking.limits.lock, guard };
            let Err(missed) = self.without_timeouts(message.clone(), patience).await else {
                return Ok(());
            };
            let Missed { error, gave_up, waits_for, late, done } = missed;
            let failure = Failure { gave_up, waits_for, ..Failure::from(error) };
            if !self.goes_on(piece.job, &failure, &asking, &mut locking) {
                let Failure { error, waits_for, .. } = failure;
                return Err(Missed { error, late, done, gave_up, waits_for });
            }
        }
    }

    async fn outside_once(
        &mut self,
        piece: Piece<'_>,
        script: &Script,
        statement: &Statement,
        lock: Duration,
    ) -> Result<(), Trouble> {
        let text = statement.text(&script.text);
        let head = format!("{} ", piece.job.comment());
        let message = format!("{head}{text}");
        let all = self.ours.waits.standalone;
        let sent = if is_concurrent(text) {
            let guard = closes(text).then(|| Guard { at_most: Some(lock), ..self.guard() });
            self.without_timeouts(message, Patience { guard, ..Patience::until(all) }).await
        } else {
            match self.set_lock_timeout(script, lock).await {
                Ok(()) => self.until_deadline(message, all, None).await.map(drop),
                Err(error) => Err(error.into()),
            }
        };
        sent.map_err(|missed| trouble(missed, script, &head, statement))
    }

    async fn set_lock_timeout(
        &mut self,
        script: &Script,
        timeout: Duration,
    ) -> Result<(), sqlx::Error> {
        if sets(script, "lock_timeout") {
            return Ok(());
        }
        let setting = format!("SET lock_timeout = {}", timeout.as_millis());
        self.session.send_quick(setting).await.map(drop)
    }
}

/// For one transaction. A file that sets its own knows why.
fn timeouts(script: &Script, limits: Limits) -> String {
    let mut timeouts = String::new();
    if !sets(script, "lock_timeout") {
        timeouts += &sql::lock_timeout(limits.lock);
    }
    if !limits.statement.is_zero() && !sets(script, "statement_timeout") {
        timeouts += &sql::statement_timeout(limits.statement);
    }
    timeouts
}

fn sets(script: &Script, parameter: &str) -> bool {
    script.statements.iter().any(|statement| {
        let text = statement.text(&script.text);
        classify::is_setting(text) && text.to_ascii_lowercase().contains(parameter)
    })
}

fn trouble(missed: Missed, script: &Script, head: &str, statement: &Statement) -> Trouble {
    let script = Some((script.clone(), head.chars().count(), statement.start as usize));
    let Missed { error, late, gave_up, waits_for, .. } = missed;
    let failure = Failure { script, gave_up, waits_for, ..Failure::from(error) };
    Trouble { failure, late }
}
