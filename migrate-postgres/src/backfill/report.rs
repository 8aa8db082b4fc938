//! What was filled, and how far what is not is: for programs and for people.
//!
//! Owns the words. Decides nothing.

use std::fmt;
use std::time::Duration;

use migrate_core::{MigrationId, Phase, Version};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use super::limits::{Refused, merged};
use super::state::Wanted;
use super::statements::{LIMIT, LIMITS, STATES, WANT, optional};
use crate::error::{Error, is_absent};
use crate::sql::{Names, literal};
use crate::wire::{number, rows, send, text};

/// What a call of [`Migrator::backfill`](crate::Migrator::backfill) did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BackfillReport {
    /// Backfills that are done and verified now: which, and what was found.
    pub done: Vec<BackfillDone>,
    /// Backfills that were left as they are, and why.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::data::reasons"))]
    pub left: Vec<(MigrationId, String)>,
    /// The whole call.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub took: Duration,
}

/// A backfill that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct BackfillDone {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// What was changed and verified, in the words of the history.
    pub said: String,
    /// Since this worker joined it.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::data::milliseconds")
    )]
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

    /// What several workers of one program did, as one: each backfill once.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        for done in other.done {
            match self.done.iter_mut().find(|known| known.id == done.id) {
                Some(known) => known.took = known.took.max(done.took),
                None => self.done.push(done),
            }
        }
        let is_new =
            |(id, _): &(MigrationId, String)| !self.left.iter().any(|(known, _)| known == id);
        let left: Vec<_> = other.left.into_iter().filter(is_new).collect();
        self.left.extend(left);
        self.took = self.took.max(other.took);
        self
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

/// Changes limits of one; whoever works at it reads them before the next batch.
pub(crate) async fn limit(
    connection: &mut PgConnection,
    names: &Names,
    id: MigrationId,
    changes: &[&str],
) -> Result<(), Error> {
    // Somebody else may write others in between: then what they wrote is read again.
    for _ in 0..10 {
        let found = about(connection, names, id, LIMITS, &[]).await?;
        let found = found.ok_or_else(|| never_begun(id))?;
        let before = text(&found, "limits").unwrap_or_default();
        let merged = merged(before, changes).map_err(|refused| not_limited(id, &refused))?;
        let values = [("limits", &*literal(&merged)), ("before", &*literal(before))];
        if about(connection, names, id, LIMIT, &values).await?.is_some() {
            return Ok(());
        }
    }
    Err(Error::busy(format!(
        "failed to limit backfill {id}: others change its limits all the time"
    ))
    .now("nothing was changed")
    .next("Try again."))
}

fn not_limited(id: MigrationId, refused: &Refused) -> Error {
    let usual = "A limit is `name=value`, such as `batch_time=100ms`; `name=` takes one back.";
    Error::declaration(format!("failed to limit backfill {id}: {}", refused.why))
        .now("nothing was changed")
        .next(refused.next.as_deref().unwrap_or(usual))
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
    match about(connection, names, id, WANT, &[("what", what)]).await? {
        Some(_) => Ok(()),
        None => Err(never_begun(id)),
    }
}

/// One statement about one of them.
async fn about(
    connection: &mut PgConnection,
    names: &Names,
    id: MigrationId,
    statement: &str,
    values: &[(&str, &str)],
) -> Result<Option<PgRow>, Error> {
    let (version, phase) = (id.version.to_string(), literal(id.phase.as_str()));
    let mut all = values.to_vec();
    all.extend_from_slice(&[("version", &*version), ("phase", &*phase)]);
    match send(connection, names.as_role() + &names.fill(statement, &all)).await {
        Ok(row) => Ok(row),
        Err(error) if is_absent(&error) => Ok(None),
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
