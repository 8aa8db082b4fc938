//! One batch: what is sent for it, and how it ended.
//!
//! Owns its transaction. The range is held first, so that nobody else has it and whatever is wanted by now is known;
//! then the rows are changed; then the place behind them, and all is committed together. Decides neither how large a
//! batch is nor what comes after it.

use std::time::{Duration, Instant};

use super::Filler;
use super::change::{Change, change};
use super::rows::{Chosen, Next, Rows};
use super::state::{Range, Wanted};
use super::statements::{ADVANCE, HOLD, number as or_null, place};
use crate::error::{Error, sqlstate};
use crate::history;
use crate::session::{Limits, Scope, Session};
use crate::sql::{self, literal};
use crate::wire::{self, number, text, truth};

/// How a batch ended.
pub(super) enum Ended {
    /// Its rows were gone through.
    Done { seen: i64, changed: i64, took: Duration, wal: i64, is_last: bool },
    /// Somebody has a lock on some of them, or they took too long; nothing of it stayed. Of a table that is locked as
    /// a whole it is not even known which rows are next.
    Refused { next: Option<Box<Next>>, sqlstate: String },
    /// It is not wanted now.
    Unwanted(Wanted, Option<String>),
    /// The range is somebody else's by now, or the backfill another one.
    Lost,
}

/// A range that is held by the open transaction.
struct Held {
    wal: String,
    limits: String,
    next: Option<Next>,
}

/// How long one batch may wait for rows and take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) lock: Duration,
    pub(super) statement: Duration,
}

/// What the server says when rows are locked, or the statement was too slow.
pub(super) fn is_refusal(sqlstate: &str) -> bool {
    matches!(sqlstate, "55P03" | "40P01" | "40001" | "57014")
}

impl Filler<'_> {
    /// Goes through the next rows of a range.
    pub(super) async fn batch(
        &mut self,
        session: &mut Session,
        range: &mut Range,
        rows: u32,
        patience: Patience,
    ) -> Result<Ended, Error> {
        let held = match self.hold(session, range, rows, patience).await {
            Ok(Ok(held)) => held,
            Ok(Err(ended)) => {
                session.roll_back().await;
                return Ok(ended);
            }
            Err(error) => return self.not_held(session, range, error).await,
        };
        self.limits_say(&held.limits);
        let began = Instant::now();
        let Some(next) = &held.next else {
            return self.end_of_range(session, range, &held).await;
        };
        let changed = match self.change(session, next).await {
            Ok(changed) => changed,
            Err(error) => return self.refused(session, error, range, next).await,
        };
        match self.advance(session, range, next, (next.seen, changed), &held, began).await {
            Ok(wal) => {
                let took = began.elapsed();
                range.go_behind(next);
                let (seen, is_last) = (next.seen, next.is_last);
                Ok(Ended::Done { seen, changed, took, wal, is_last })
            }
            Err(error) => self.refused(session, error.into(), range, next).await,
        }
    }

    /// Leaves rows that are locked for later, and goes on behind them.
    pub(super) async fn leave_hole(
        &mut self,
        session: &mut Session,
        range: &mut Range,
        next: &Next,
    ) -> Result<Ended, Error> {
        let no_patience = Patience { lock: Duration::from_secs(5), statement: Duration::ZERO };
        // The range is held anew: the transaction that found the rows locked is gone.
        let held = match self.hold(session, range, 1, no_patience).await {
            Ok(Ok(held)) => held,
            Ok(Err(ended)) => {
                session.roll_back().await;
                return Ok(ended);
            }
            Err(error) => return self.not_left(session, error).await,
        };
        let hole = next.hole(|hole| self.about.hole(&range.relation, hole));
        if let Err(error) = session.send(hole).await {
            return self.not_left(session, error).await;
        }
        let began = Instant::now();
        match self.advance(session, range, next, (0, 0), &held, began).await {
            Ok(wal) => {
                range.go_behind(next);
                let (took, is_last) = (began.elapsed(), next.is_last);
                Ok(Ended::Done { seen: 0, changed: 0, took, wal, is_last })
            }
            Err(error) => self.not_left(session, error).await,
        }
    }

    /// Another worker has left rows at the same time, or the table is locked by now: the batch is tried once more.
    async fn not_left(&self, session: &mut Session, error: sqlx::Error) -> Result<Ended, Error> {
        match sqlstate(&error).filter(|state| is_refusal(state) || state == "23505") {
            Some(sqlstate) => {
                session.roll_back().await;
                Ok(Ended::Refused { next: None, sqlstate })
            }
            None => Err(self.failed(session, error, "leave locked rows").await),
        }
    }

    /// The next rows could not be looked for.
    async fn not_held(
        &mut self,
        session: &mut Session,
        range: &Range,
        error: sqlx::Error,
    ) -> Result<Ended, Error> {
        let state = sqlstate(&error).unwrap_or_default();
        if is_refusal(&state) {
            session.roll_back().await;
            return Ok(Ended::Refused { next: None, sqlstate: state });
        }
        let error = self.failed(session, error, "look for the next rows").await;
        if state == UNDEFINED_TABLE && self.is_without(session, range).await? {
            return Ok(Ended::Lost);
        }
        Err(error)
    }

    /// Is the part of the table gone that the range is of? Then there is nothing left to do in it.
    async fn is_without(&mut self, session: &mut Session, range: &Range) -> Result<bool, Error> {
        self.look_at_the_ground(session).await?;
        let is_gone = !self.ground.parts.contains(&range.relation);
        if is_gone {
            self.about.end(session, range).await?;
        }
        Ok(is_gone)
    }

    /// Opens the transaction, holds the range in it and looks which rows are next.
    async fn hold(
        &mut self,
        session: &mut Session,
        range: &Range,
        rows: u32,
        patience: Patience,
    ) -> Result<Result<Held, Ended>, sqlx::Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ";
        let level = Some("READ COMMITTED");
        let begin = session.begin_at(&self.about.names, BEGIN, level).await?;
        let limits = Limits { lock: patience.lock, statement: Duration::ZERO };
        let settings = session.settings(Scope::Transaction, self.ours, limits);
        let no = range.no.to_string();
        let hold = self.about.fill(HOLD, &[("no", &no)]);
        let message = format!(
            "{} {begin}{settings}{AS_A_BATCH}{AS_PLACES}{hold} {}{AS_FOUND}\
             SET LOCAL statement_timeout = {}",
            sql::comment("backfill", self.about.id, self.name),
            self.ground.look_for_next(range, rows),
            patience.statement.as_millis()
        );
        let found = wire::rows(&mut session.connection, message).await?;
        // What a setting of the session says of itself is no row of ours.
        let mut found = found.iter().filter(|row| text(row, "set_config").is_none());
        let Some(held) = found.next() else { return Ok(Err(Ended::Lost)) };
        if number(held, "fence") != Some(range.fence)
            || truth(held, "done")
            || text(held, "checksum") != Some(&self.about.checksum)
        {
            return Ok(Err(Ended::Lost));
        }
        let wanted = Wanted::of(text(held, "wanted"));
        if wanted != Wanted::Run {
            let reason = text(held, "reason").map(ToOwned::to_owned);
            return Ok(Err(Ended::Unwanted(wanted, reason)));
        }
        let prunes = self.signals.as_ref().is_none_or(|seen| seen.lets_prune(&self.limits));
        let makes_room = prunes && number(held, "pass") == Some(1);
        Ok(Ok(Held {
            wal: text(held, "wal").unwrap_or("0/0").to_owned(),
            limits: text(held, "limits").unwrap_or_default().to_owned(),
            next: found.next().and_then(|row| self.ground.next(range, row, rows, makes_room)),
        }))
    }

    /// Changes the rows; how many were changed.
    async fn change(&mut self, session: &mut Session, next: &Next) -> Result<i64, Unchanged> {
        let changed = self.change_once(session, next).await?;
        if self.is_unproven && changed > 0 {
            session.send("SAVEPOINT migrate_again".to_owned()).await?;
            let again = self.change_once(session, next).await?;
            session.send("ROLLBACK TO SAVEPOINT migrate_again".to_owned()).await?;
            if again > 0 {
                return Err(Unchanged::Again { changed, again });
            }
            self.is_unproven = false;
        }
        Ok(changed)
    }

    async fn change_once(&self, session: &mut Session, next: &Next) -> Result<i64, Change> {
        change(&mut session.connection, self.backfill, self.code.as_ref(), &next.rows).await
    }

    /// Notes the place behind the rows, and commits; the bytes that the log of the server has grown by.
    async fn advance(
        &mut self,
        session: &mut Session,
        range: &Range,
        next: &Next,
        (seen, changed): (i64, i64),
        held: &Held,
        began: Instant,
    ) -> Result<i64, sqlx::Error> {
        let done = next.is_last.to_string();
        let took = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
        let values = [
            ("no", range.no.to_string()),
            ("cursor", place(next.cursor.as_deref())),
            ("up_to", place(next.up_to.as_deref())),
            ("filenode", or_null(next.filenode)),
            ("done", done),
            ("seen", seen.to_string()),
            ("changed", changed.to_string()),
            ("batch_rows", next.seen.to_string()),
            ("batch_ms", took.to_string()),
            ("wal", format!("{}::pg_catalog.pg_lsn", literal(&held.wal))),
            ("limited_by", literal(&self.limited_by)),
            ("why", literal(&self.why)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        let undo = session.lease.as_ref().map(|lease| lease.undo()).unwrap_or_default();
        let ourselves = history::as_ourselves_here(&self.about.names);
        let advance = self.about.fill(ADVANCE, &values);
        let message = format!("SET CONSTRAINTS ALL IMMEDIATE; {undo}{ourselves}{advance}COMMIT");
        let row = session.send(message).await?;
        Ok(row.and_then(|row| number(&row, "batch_wal")).unwrap_or_default())
    }

    /// There are no more rows in it.
    async fn end_of_range(
        &mut self,
        session: &mut Session,
        range: &Range,
        held: &Held,
    ) -> Result<Ended, Error> {
        let key = Vec::new();
        let chosen = Chosen::Key { key, after: None, up_to: None };
        let next = Next {
            rows: Rows { relation: range.relation.clone(), chosen },
            seen: 0,
            cursor: range.cursor.clone(),
            up_to: range.up_to.clone(),
            filenode: range.filenode,
            is_last: true,
        };
        let began = Instant::now();
        match self.advance(session, range, &next, (0, 0), held, began).await {
            Ok(wal) => {
                let took = began.elapsed();
                Ok(Ended::Done { seen: 0, changed: 0, took, wal, is_last: true })
            }
            Err(error) => Err(self.failed(session, error, "end a range").await),
        }
    }

    async fn refused(
        &mut self,
        session: &mut Session,
        error: Unchanged,
        range: &Range,
        next: &Next,
    ) -> Result<Ended, Error> {
        session.roll_back().await;
        let error = match error {
            Unchanged::By(error) => error,
            Unchanged::Again { changed, again } => {
                return Err(self.not_idempotent(changed, again));
            }
        };
        let state = error.driver().and_then(sqlstate).unwrap_or_default();
        if is_refusal(&state) {
            return Ok(Ended::Refused { next: Some(Box::new(next.clone())), sqlstate: state });
        }
        if state == UNDEFINED_TABLE && self.is_without(session, range).await? {
            return Ok(Ended::Lost);
        }
        Err(self.broken(error, &next.rows))
    }

    async fn failed(&self, session: &mut Session, error: sqlx::Error, what: &str) -> Error {
        session.roll_back().await;
        Error::driver(&format!("{what} of backfill {}", self.about.id), error)
    }

    /// An error of the statement, shown where it stands in the file.
    fn broken(&self, error: Change, rows: &Rows) -> Error {
        let what = format!("run a batch of {} {}", self.about.id, self.name);
        let error = match error {
            Change::Code(error) => Error::of_code(&what, error),
            Change::Driver(driver) => {
                let error = Error::driver(&what, driver);
                match self.backfill.script() {
                    Some(script) => {
                        let statement = self.backfill.statement().unwrap_or_default();
                        let sent = rows.fill(statement);
                        error.in_batch(script, &sent, |at| rows.original(statement, at))
                    }
                    None => error,
                }
            }
        };
        error.now("the batches before it stayed, this one was taken back")
    }

    /// A pass that finds nothing left is what tells that a backfill is done, so that there has to be one.
    fn not_idempotent(&self, changed: i64, again: i64) -> Error {
        let message = format!(
            "failed to begin backfill {} {}: its first batch changed {changed} rows, and when it was repeated at once, {again} \
             of them again",
            self.about.id, self.name
        );
        let next = "Have the statement change only rows that are not yet as they should be, as in `WHERE :batch AND new IS \
                    DISTINCT FROM f(old)`, with the same f as in its SET and nothing in it that differs each time.";
        let error = Error::declaration(message).now("the batch was taken back").next(next);
        match self.backfill.script().and_then(|script| Some((script, script.statements.first()?))) {
            Some((script, statement)) => error.at_least_at(script, statement.start),
            None => error,
        }
    }
}

/// Why a batch is taken back.
enum Unchanged {
    By(Change),
    /// What was changed is changed again when it is repeated.
    Again {
        changed: i64,
        again: i64,
    },
}

impl<E: Into<Change>> From<E> for Unchanged {
    fn from(error: E) -> Self {
        Unchanged::By(error.into())
    }
}

/// A policy that hides rows is an error and not a row left out; a plan for one batch is not worth a compiler; and the
/// next rows are found by the index, whatever the statistics say.
pub(super) const AS_A_BATCH: &str =
    "SET LOCAL row_security = off; SET LOCAL jit = off; SET LOCAL enable_seqscan = off; ";

/// A place is written such that every session reads it alike, whatever its role has been set to.
pub(super) const AS_PLACES: &str = "SET LOCAL datestyle = 'ISO, YMD'; SET LOCAL intervalstyle = iso_8601; \
     SET LOCAL extra_float_digits = 3; ";

/// What was set to find the next rows is not the statement's.
const AS_FOUND: &str = "SET LOCAL datestyle TO DEFAULT; SET LOCAL intervalstyle TO DEFAULT; \
     SET LOCAL extra_float_digits TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT; ";

const UNDEFINED_TABLE: &str = "42P01";
