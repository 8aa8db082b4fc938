//! Backfills beside the application: worked at without the lock of the set, so that other migrations go on meanwhile.
//!
//! Owns which backfills are due, how several workers share them, and the row of the history at the end, which is
//! written under the lock. How rows are changed is not known here.

use std::time::{Duration, Instant};

use migrate_core::{Backfill as Declared, Direction, Held, Kind, MigrationId, Reason, State};
use tracing::Instrument;

use super::Migrator;
use super::at::At;
use super::eye::Eye;
use crate::backfill::{self, BackfillReport, BackfillState, Filled, Filler, Job, Wanted};
use crate::error::Error;
use crate::history::{self, Row};
use crate::lock::Outcome;
use crate::observe::Event;
use crate::session::{Database, Session};

/// A connection that held for so long is no reason to give up when it is lost: fills go on for hours.
const LASTING: Duration = Duration::from_secs(60);

impl Migrator {
    /// Works at all backfills whose turn has come until they are done and verified, whatever time it takes, and beside
    /// other replicas that do the same: each range of a table is worked at by one at a time, and what somebody leaves,
    /// by a restart or a crash, another takes over. Does nothing else: expand and contract are a
    /// [`run`](Self::run)'s.
    ///
    /// To work in the background, give it a task of its own; see [`spawn_backfill`](Self::spawn_backfill).
    ///
    /// # Errors
    /// See [`Error`]. Every batch before the error is committed, and whoever comes next goes on behind it.
    pub async fn backfill(&self, database: impl Into<Database>) -> Result<BackfillReport, Error> {
        let began = Instant::now();
        let done = self.fill(database.into()).instrument(self.span("backfill")).await;
        let mut report = done.inspect_err(|error| self.ear.tell(&Event::Failed { error }))?;
        report.took = began.elapsed();
        Ok(report)
    }

    /// How far each backfill is that was ever begun. Reads only; whoever may not read it gets an error that says so.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn backfills(
        &self,
        database: impl Into<Database>,
    ) -> Result<Vec<BackfillState>, Error> {
        self.reading(database.into(), async |at, eye| {
            backfill::states(eye.connection(), &at.names).await
        })
        .await
    }

    /// Lets a backfill wait before its next batch, whoever works at it, until it is
    /// [resumed](Self::resume_backfill).
    ///
    /// # Errors
    /// When it was never begun, or the database cannot be written.
    pub async fn pause_backfill(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
        reason: &str,
    ) -> Result<(), Error> {
        self.want(database.into(), id, Wanted::Pause, Some(reason)).await
    }

    /// Lets a backfill go on that was paused or cancelled.
    ///
    /// # Errors
    /// As [`pause_backfill`](Self::pause_backfill).
    pub async fn resume_backfill(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
    ) -> Result<(), Error> {
        self.want(database.into(), id, Wanted::Run, None).await
    }

    /// Ends the work at a backfill before its next batch. What was changed stays, and `status` says how much that is;
    /// nobody goes on until it is [resumed](Self::resume_backfill).
    ///
    /// # Errors
    /// As [`pause_backfill`](Self::pause_backfill).
    pub async fn cancel_backfill(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
        reason: &str,
    ) -> Result<(), Error> {
        self.want(database.into(), id, Wanted::Cancel, Some(reason)).await
    }

    /// Changes what a backfill keeps to, as `name=value`, from its next batch on and whoever works at it; those that are
    /// not named stay as they are, and `name=` gives one back to the program.
    ///
    /// # Errors
    /// When one of them is unknown or its value makes no sense, and as [`pause_backfill`](Self::pause_backfill);
    /// nothing is changed then.
    pub async fn limit_backfill(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
        limits: &[&str],
    ) -> Result<(), Error> {
        self.reading(database.into(), async |at, eye| {
            backfill::limit(eye.connection(), &at.names, id, limits).await
        })
        .await
    }

    async fn want(
        &self,
        database: Database,
        id: MigrationId,
        wanted: Wanted,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        self.reading(database, async |at, eye| {
            backfill::want(eye.connection(), &at.names, id, wanted, reason).await
        })
        .await
    }

    async fn fill(&self, database: Database) -> Result<BackfillReport, Error> {
        let at = self.here(&self.options)?;
        let mut session =
            Eye::open(database, &self.options).await?.into_session(&self.options).await?;
        let mut report = BackfillReport::default();
        let mut losses = 0;
        loop {
            let connected = Instant::now();
            let error = match at.fill_all(&mut session, &mut report).await {
                Ok(()) => {
                    session.close().await;
                    return Ok(report);
                }
                Err(error) => error,
            };
            losses = if connected.elapsed() < LASTING { losses + 1 } else { 1 };
            let next = match error.is_lost() && losses <= self.options.waits.reconnects {
                true => at.reconnected(&session, &error, losses).await,
                false => None,
            };
            session.close().await;
            session = next.ok_or(error)?;
        }
    }
}

impl At<'_> {
    /// Works at what is due, until nothing is.
    async fn fill_all(
        &self,
        session: &mut Session,
        report: &mut BackfillReport,
    ) -> Result<(), Error> {
        self.get_ready(session).await?;
        let mut held = Held::default();
        while let Some((id, name, backfill)) = self.next_to_fill(session, &held).await? {
            let job = Job {
                id,
                name: &name,
                backfill: &backfill,
                code: self.migrator.source.filling(id),
            };
            let told = (self.options, &self.migrator.ear);
            let (began, direction) = (Instant::now(), Direction::Up);
            let started = Event::Started { id, name: &name, direction, statement: None };
            self.migrator.ear.tell(&started);
            let mut filler = Filler::open(session, &self.names, told, job, None).await?;
            match filler.fill(session).await? {
                Filled::Verified(said) => {
                    let is_ours =
                        self.record_filled(session, id, &said, &filler.done(&said)).await?;
                    let took = began.elapsed();
                    if is_ours {
                        let done = Event::Done { id, name: &name, direction, took };
                        self.migrator.ear.tell(&done);
                        filler.tidy(session, false).await;
                    } else {
                        filler.settle(session, &said).await?;
                    }
                    report.note(id, &name, said, took);
                }
                Filled::Left(left) => {
                    let why = left.words();
                    self.migrator.ear.tell(&Event::Left { id, why: &why });
                    report.left.push((id, why));
                    held.hold(id, Reason::Unfilled);
                }
            }
        }
        Ok(())
    }

    /// The first backfill of which everything is done that it waits for.
    async fn next_to_fill(
        &self,
        session: &mut Session,
        held: &Held,
    ) -> Result<Option<(MigrationId, String, Declared)>, Error> {
        let loaded = history::load_as_ourselves(session, &self.names).await?;
        let plan = self.plan_beyond(&mut session.connection, &loaded, held).await?;
        let is_due = |id: MigrationId| {
            let before = self.set.get(id).map(|entry| entry.after().to_vec()).unwrap_or_default();
            let earlier = self.set.iter().map(|entry| entry.id());
            let earlier = earlier.filter(|other| other.version == id.version && *other < id);
            earlier.chain(before).all(|other| loaded.history.is_done(other))
        };
        // What has to run first may make the table, or the column.
        let mut due = plan.actions.iter().take_while(|action| action.kind == Kind::Backfill);
        let Some(action) = due.find(|action| is_due(action.id)) else {
            return Ok(None);
        };
        let backfill =
            self.set.get(action.id).and_then(|entry| entry.up().first()?.backfill().cloned());
        Ok(backfill.map(|backfill| (action.id, action.name.clone(), backfill)))
    }

    /// Writes that it is done, under the lock, unless somebody has. Were we the first?
    async fn record_filled(
        &self,
        session: &mut Session,
        id: MigrationId,
        said: &str,
        done: &str,
    ) -> Result<bool, Error> {
        match self.lock(session, "").await? {
            Outcome::Settled(_) => return Ok(false),
            Outcome::Ours => {}
        }
        let recorded = async {
            let loaded = history::load_as_ourselves(session, &self.names).await?;
            let entry = self.set.get(id).filter(|_| !loaded.history.is_done(id));
            let Some(entry) = entry else { return Ok(false) };
            history::prepare(session, &self.names, self.options, loaded.exists).await?;
            let row = Row::whole(&**entry, Kind::Backfill, State::Done).because(said);
            self.clerk(session, &loaded).write_with(session, &[row], done).await?;
            Ok(true)
        }
        .await;
        self.release(session).await;
        recorded
    }
}
