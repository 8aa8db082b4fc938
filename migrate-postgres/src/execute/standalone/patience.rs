//! How long a statement outside transactions may take, and what it is told about waiting.
//!
//! Owns the deadline of ours, and what is exempt from the timeouts of the server. Knows no statement by its meaning.

use std::time::Duration;

use migrate_core::LockMode;
use migrate_core::sql::classify;

use super::Runner;
use crate::error::sqlstate;
use crate::execute::send::Failure;
use crate::monitor::Guard;
use crate::session::Sent;
use crate::sql;
use crate::watch::Gone;
use crate::wire::{Told, text};

/// What a message may take.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    /// In all.
    pub(super) all: Duration,
    /// For a lock; zero is without a limit.
    pub(super) lock: Duration,
    pub(super) guard: Option<Guard>,
}

impl Patience {
    /// For what blocks nobody while it waits.
    pub(super) fn until(all: Duration) -> Self {
        Self { all, lock: Duration::ZERO, guard: None }
    }
}

/// A message that did not succeed.
pub(super) struct Missed {
    pub(super) error: sqlx::Error,
    /// It was not done by its deadline, and the server has ended it.
    pub(super) late: bool,
    /// Its statements that were done.
    pub(super) done: usize,
    /// It was ended by us, since too many waited behind it, or for too long.
    pub(super) gave_up: bool,
    /// What it was last seen to wait for.
    pub(super) waits_for: Option<(String, LockMode)>,
}

impl From<sqlx::Error> for Missed {
    fn from(error: sqlx::Error) -> Self {
        Self { error, late: false, done: 0, gave_up: false, waits_for: None }
    }
}

/// An attempt that failed, and whether it was ended because it took too long.
pub(super) struct Trouble {
    pub(super) failure: Failure,
    pub(super) late: bool,
}

/// What works concurrently blocks nobody while it waits, and a timeout would leave something broken behind. One kind
/// closes a table in the end: [`closes`].
pub(super) fn is_concurrent(statement: &str) -> bool {
    let refused = classify::refuses_transaction(statement);
    refused.is_some_and(|name| name.ends_with("CONCURRENTLY"))
}

/// A detached partition is closed in the second transaction, when nobody uses the whole any more: who uses the part by
/// itself is waited for in the queue.
pub(super) fn closes(statement: &str) -> bool {
    classify::concurrent_detach(statement).is_some()
}

impl Runner<'_> {
    /// Sends it without the timeouts of the session. The statements after it have theirs again, also those that
    /// the file has set.
    pub(super) async fn without_timeouts(
        &mut self,
        message: String,
        Patience { all, lock, guard }: Patience,
    ) -> Result<(), Missed> {
        let before = self.session.send_quick(sql::lift_timeouts(lock)).await?;
        let sent = self.until_deadline(message, all, guard).await.map(drop);
        let answered =
            sent.as_ref().map_or_else(|missed| sqlstate(&missed.error).is_some(), |()| true);
        let restore = before.as_ref().and_then(|row| text(row, "restore")).filter(|_| answered);
        let restored = match restore {
            Some(restore) => self.session.send_quick(restore.to_owned()).await.map(drop),
            None => Ok(()),
        };
        sent.and(restored.map_err(Missed::from))
    }

    /// Sends it, and ends it on the server when it is not done by then, or others have to wait too much.
    pub(super) async fn until_deadline(
        &mut self,
        message: String,
        patience: Duration,
        guard: Option<Guard>,
    ) -> Result<Told, Missed> {
        let waits = &self.ours.waits;
        let (mut told, mut monitor) = (Told::default(), self.monitor(guard));
        let sending = self.session.send_within(message, &mut told, patience, waits);
        let (answer, late) = match self.watch.over(&mut monitor, sending).await {
            Ok(Sent::InTime(answer)) => (answer, false),
            Ok(Sent::Late(answer)) => (answer, true),
            Err(Gone) => (Err(self.session.gave_up()), false),
            Ok(Sent::Never) => {
                let waited = format!(
                    "it was not done within {} s, and the server could not be told to end it",
                    patience.as_secs_f64()
                );
                (Err(sqlx::Error::Io(std::io::Error::other(waited))), false)
            }
        };
        answer.map(|()| told).map_err(|error| Missed {
            late: late && sqlstate(&error).as_deref() == Some("57014"),
            done: told.done,
            gave_up: monitor.gave_up,
            waits_for: monitor.waits_for,
            error,
        })
    }
}
