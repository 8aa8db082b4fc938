//! What was filled, and how far what is not is: for programs and for people.
//!
//! Owns the words. Decides nothing.

use std::fmt;
use std::time::Duration;

use migrate_core::{MigrationId, Phase, Version};
use sqlx::PgConnection;

use super::state::Wanted;
use super::statements::{STATES, WANT, optional};
use crate::error::{Error, sqlstate};
use crate::options::Names;
use crate::session::{number, rows, send, text};
use crate::sql::literal;

/// What a call of [`Migrator::backfill`](crate::Migrator::backfill) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackfillReport {
    /// Backfills that are done and verified now: which, and what was found.
    pub done: Vec<BackfillDone>,
    /// Backfills that were left as they are, and why.
    pub left: Vec<(MigrationId, String)>,
    /// The whole call.
    pub took: Duration,
}

/// A backfill that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BackfillDone {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// What was changed and verified, in the words of the history.
    pub said: String,
    /// Since this worker joined it.
    pub took: Duration,
}

impl BackfillReport {
    /// What a later call did, and what it left.
    pub(crate) fn add(&mut self, later: BackfillReport) {
        self.done.extend(later.done);
        self.left = later.left;
        self.took += later.took;
    }

    /// Of several workers one writes the history; all of them have seen that it is done.
    pub(crate) fn note(&mut self, id: MigrationId, name: &str, said: String, took: Duration) {
        self.done.push(BackfillDone { id, name: name.to_owned(), said, took });
    }

    /// Was there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.done.is_empty() && self.left.is_empty()
    }
}

impl fmt::Display for BackfillReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            writeln!(f, "nothing to fill")?;
        }
        for BackfillDone { id, name, said, took } in &self.done {
            let (version, phase) = (id.version, id.phase);
            writeln!(
                f,
                "filled   {version} {phase:8} {name} ({:.1} s): {said}",
                took.as_secs_f64()
            )?;
        }
        for (id, why) in &self.left {
            writeln!(f, "left     {} {:8} {why}", id.version, id.phase)?;
        }
        Ok(())
    }
}

/// How far a backfill is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BackfillState {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// `running`, `filled` (no row is left to change), `done` (and verified) or `failed`.
    pub state: String,
    /// What is wanted of it.
    pub wanted: Wanted,
    /// Why it is paused, cancelled or failed; what was verified.
    pub reason: Option<String>,
    /// Limits that somebody has changed while it runs.
    pub limits: String,
    /// Which time the table is gone through.
    pub pass: i64,
    /// Rows of the table, by the statistics of the server.
    pub expected: i64,
    /// Rows gone through in this pass.
    pub seen: i64,
    /// Rows changed in all passes.
    pub changed: i64,
    /// Batches in all.
    pub batches: i64,
    /// Ranges of the table, and how many of them are done in this pass.
    pub ranges: i64,
    /// See `ranges`.
    pub ranges_done: i64,
    /// Ranges of rows that were locked when their turn came, and come back.
    pub holes: i64,
    /// Who works at it.
    pub holders: Option<String>,
    /// What kept the last batch from being larger or sooner, or keeps the next from being done.
    pub limited_by: Option<String>,
    /// The same in words.
    pub why: Option<String>,
    /// When a batch was last done or waited for, in UTC, as RFC 3339.
    pub at: Option<String>,
    /// Milliseconds since then.
    pub idle_ms: i64,
}

/// How far each is that was ever begun.
pub(crate) async fn states(
    connection: &mut PgConnection,
    names: &Names,
) -> Result<Vec<BackfillState>, Error> {
    let found = rows(connection, names.as_role() + &names.fill(STATES, &[])).await;
    let found = match found {
        Ok(found) => found,
        Err(error) if is_absent(&error) => return Ok(Vec::new()),
        Err(error) => return Err(Error::driver("look how far backfills are", error)),
    };
    let state = |row| {
        let words = |column| text(row, column).map(ToOwned::to_owned);
        let count = |column| number(row, column).unwrap_or_default();
        let phase: Phase = text(row, "phase")?.parse().ok()?;
        Some(BackfillState {
            id: MigrationId::new(Version::new(number(row, "version")?), phase),
            name: words("name")?,
            state: words("state")?,
            wanted: Wanted::of(text(row, "wanted")),
            reason: words("reason"),
            limits: words("limits").unwrap_or_default(),
            pass: count("pass"),
            expected: count("expected"),
            seen: count("seen"),
            changed: count("changed"),
            batches: count("batches"),
            ranges: count("ranges"),
            ranges_done: count("done"),
            holes: count("holes"),
            holders: words("holders"),
            limited_by: words("limited_by"),
            why: words("why").filter(|why| !why.is_empty()),
            at: words("at"),
            idle_ms: count("idle_ms"),
        })
    };
    Ok(found.iter().filter_map(state).collect())
}

/// Says what is wanted of one; whoever works at it reads it before the next batch.
pub(crate) async fn want(
    connection: &mut PgConnection,
    names: &Names,
    id: MigrationId,
    wanted: Wanted,
    reason: Option<&str>,
) -> Result<(), Error> {
    let (wanted, reason) = (literal(wanted.as_str()), optional(reason));
    set(connection, names, id, &format!("wanted = {wanted}, reason = {reason}")).await
}

async fn set(
    connection: &mut PgConnection,
    names: &Names,
    id: MigrationId,
    what: &str,
) -> Result<(), Error> {
    let (version, phase) = (id.version.to_string(), literal(id.phase.as_str()));
    let values = [("version", &*version), ("phase", &*phase), ("what", what)];
    let sent = send(connection, names.as_role() + &names.fill(WANT, &values)).await;
    match sent {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(never_begun(id)),
        Err(error) if is_absent(&error) => Err(never_begun(id)),
        Err(error) => {
            Err(Error::driver(&format!("tell backfill {id} what is wanted of it"), error)
                .now("nothing was changed"))
        }
    }
}

fn never_begun(id: MigrationId) -> Error {
    Error::declaration(format!("failed to find backfill {id}: it was never begun, or it is done"))
        .now("nothing was changed")
        .next("`status` shows which backfills there are.")
}

fn is_absent(error: &sqlx::Error) -> bool {
    matches!(sqlstate(error).as_deref(), Some("42P01" | "3F000"))
}
