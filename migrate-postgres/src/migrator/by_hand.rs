//! What people tell the history: that something was done, or is right as it is.
//!
//! Nothing here runs a migration. Every change of the history is a row that says who and why.

use migrate_core::{Direction, Down, Entry, Kind, MigrationId, State, Status, Version, units};

use super::{At, Migrator};
use crate::difference::{self, Difference};
use crate::error::Error;
use crate::history::{self, Loaded, Row};
use crate::session::{Database, Session};

/// What became of a statement that was cut short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// It took effect.
    Done,
    /// It did not; the next run does it again.
    Redo,
}

impl Migrator {
    /// Records everything up to and including a version as applied, without running it: for a database that had
    /// its schema before. Returns what was recorded.
    ///
    /// # Errors
    /// When any of it is in the history already, and when there is nothing up to that version.
    pub async fn baseline(
        &self,
        database: impl Into<Database>,
        version: Version,
    ) -> Result<Vec<MigrationId>, Error> {
        self.writing(database.into(), &self.options, async |at, session| {
            let loaded = history::load_as_ourselves(session, &at.names).await?;
            let entries = at.up_to(version)?;
            if let Some(known) = entries.iter().find(|entry| is_known(&loaded, entry.id())) {
                let message =
                    format!("failed to baseline: {} is in the history already", known.id());
                let next = "`mark_applied` (`mark-applied` on the command line) records a single migration.";
                return Err(Error::declaration(message).now("nothing was recorded").next(next));
            }
            at.record(session, &loaded, &entries, Kind::Baseline, "baseline").await
        })
        .await
    }

    /// Records one migration as applied, without running it.
    ///
    /// # Errors
    /// When it is not declared, or done already.
    pub async fn mark_applied(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
        reason: &str,
    ) -> Result<(), Error> {
        self.writing(database.into(), &self.options, async |at, session| {
            let loaded = history::load_as_ourselves(session, &at.names).await?;
            let entry = at.declared(id)?;
            if loaded.history.is_done(id) {
                let message =
                    format!("failed to mark {id} as applied: it is in the history already");
                let next = "There is nothing to do; `repair` records the text of one that was edited since.";
                return Err(Error::declaration(message).now("nothing was recorded").next(next));
            }
            at.record(session, &loaded, &[entry], Kind::Marked, reason).await.map(drop)
        })
        .await
    }

    /// Says what became of the statement in which a migration outside transactions was cut short.
    ///
    /// # Errors
    /// When the migration was not cut short.
    pub async fn resolve(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
        resolution: Resolution,
    ) -> Result<(), Error> {
        self.writing(database.into(), &self.options, async |at, session| {
            let loaded = history::load_as_ourselves(session, &at.names).await?;
            at.resolve(session, &loaded, id, resolution).await
        })
        .await
    }

    /// The applied migrations that were edited since: what [`repair`](Self::repair) would record. Reads only.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn plan_repair(
        &self,
        database: impl Into<Database>,
    ) -> Result<Vec<Difference>, Error> {
        self.reading(database.into(), async |at, eye| {
            let loaded = history::load(eye.connection(), &at.names).await?;
            let mut differences = Vec::new();
            for entry in at.edited(&loaded) {
                differences.extend(
                    difference::of(eye.connection(), &at.names, &at.set, entry.id()).await?,
                );
            }
            Ok(differences)
        })
        .await
    }

    /// Records the declared text of every applied migration that was edited since as the one that ran. Returns
    /// what differed. Changes nothing but the history: whether the database is right as it is, only you know.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn repair(&self, database: impl Into<Database>) -> Result<Vec<Difference>, Error> {
        self.writing(database.into(), &self.options, async |at, session| {
            let loaded = history::load_as_ourselves(session, &at.names).await?;
            let entries = at.edited(&loaded);
            let mut differences = Vec::new();
            for entry in &entries {
                differences.extend(
                    difference::of(&mut session.connection, &at.names, &at.set, entry.id()).await?,
                );
            }
            at.record(session, &loaded, &entries, Kind::Repaired, "repair").await?;
            Ok(differences)
        })
        .await
    }
}

fn is_known(loaded: &Loaded, id: MigrationId) -> bool {
    let applied = loaded.history.get(id);
    applied.is_some_and(|applied| matches!(applied.status, Status::Done | Status::Partial { .. }))
}

/// The way and the unit, from 0, in which a migration was cut short.
fn cut_short_in(loaded: &Loaded, id: MigrationId) -> Result<(Direction, usize), Error> {
    match loaded.history.get(id).map(|applied| &applied.status) {
        Some(Status::Partial { direction, done, started: Some(_) }) => Ok((*direction, done.len())),
        _ => {
            let message = format!("failed to resolve {id}: it was not cut short");
            let next = "See where it stands with `status`; a run goes on with it by itself.";
            Err(Error::declaration(message).now("nothing was recorded").next(next))
        }
    }
}

/// Only its text says which statement was cut short and what comes behind it.
fn not_here(id: MigrationId) -> Error {
    let message = format!(
        "failed to resolve {id}: it was cut short, but is not declared here, and only its text says what is left \
         to do"
    );
    Error::declaration(message).now("nothing was recorded").next(
        "Resolve it with the version of the program that has it, or bring its file back, for example from version \
         control.",
    )
}

impl At<'_> {
    /// Everything up to a version. Nothing is a slip of the finger, and a run would then apply what is there.
    fn up_to(&self, version: Version) -> Result<Vec<&Entry>, Error> {
        let entries: Vec<&Entry> =
            self.set.iter().filter(|entry| entry.version() <= version).collect();
        if !entries.is_empty() {
            return Ok(entries);
        }
        let first = match self.set.iter().next() {
            Some(first) => format!("the first migration is {} {}", first.id(), first.name()),
            None => "there are no migrations".to_owned(),
        };
        let message = format!("failed to baseline: nothing is declared up to {version}; {first}");
        let next = "Give the newest version whose changes the database has already.";
        Err(Error::declaration(message).now("nothing was recorded").next(next))
    }

    fn declared(&self, id: MigrationId) -> Result<&Entry, Error> {
        let missing = || {
            let error = Error::declaration(format!("failed to find {id}: it is not declared"));
            error
                .now("nothing was recorded")
                .next("Give the version and the phase as `status` shows them.")
        };
        self.set.get(id).ok_or_else(missing)
    }

    fn edited(&self, loaded: &Loaded) -> Vec<&Entry> {
        let differs = |entry: &&Entry| {
            let applied = loaded.history.get(entry.id()).filter(|applied| applied.is_done());
            applied.is_some_and(|applied| applied.checksum != entry.checksum())
        };
        self.set.iter().filter(differs).collect()
    }

    async fn record(
        &self,
        session: &mut Session,
        loaded: &Loaded,
        entries: &[&Entry],
        kind: Kind,
        reason: &str,
    ) -> Result<Vec<MigrationId>, Error> {
        let rows: Vec<Row<'_>> = entries
            .iter()
            .map(|entry| Row { reason: Some(reason), ..Row::whole(&***entry, kind, State::Done) })
            .collect();
        if !rows.is_empty() {
            history::prepare(session, &self.names, self.options, loaded.exists).await?;
            self.clerk(session, loaded).write(session, &rows).await?;
            self.settle(session).await?;
        }
        Ok(entries.iter().map(|entry| entry.id()).collect())
    }

    async fn resolve(
        &self,
        session: &mut Session,
        loaded: &Loaded,
        id: MigrationId,
        resolution: Resolution,
    ) -> Result<(), Error> {
        let (direction, unit) = cut_short_in(loaded, id)?;
        let entry = self.set.get(id).ok_or_else(|| not_here(id))?;
        let steps = match (direction, entry.down()) {
            (Direction::Down, Down::Steps(steps)) => steps,
            _ => entry.up(),
        };
        let units = units(steps);
        let checksum = units.get(unit).map(|unit| unit.checksum());
        let state = if resolution == Resolution::Done { State::Done } else { State::Failed };
        let row = Row {
            unit: u32::try_from(unit + 1).ok(),
            checksum: checksum.unwrap_or(entry.checksum()),
            direction,
            up_sql: None,
            down_sql: None,
            reason: Some("resolved by hand"),
            ..Row::whole(&**entry, Kind::Marked, state)
        };
        self.clerk(session, loaded).write(session, &[row]).await
    }
}
