//! Backfills in the background of an application.
//!
//! Owns the task and the handle to it. What the task does is told elsewhere.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use migrate_core::MigrationId;
use sqlx::PgPool;
use tokio::task::JoinHandle;

use super::Migrator;
use crate::backfill::{BackfillReport, Wanted};
use crate::error::Error;
use crate::observe::{Ear, Event, Observer};
use crate::progress::Steps;

/// Backfills that run in the background. Dropping it does not end them; [`abort`](Self::abort) does, and whoever comes
/// next goes on behind the last batch.
#[derive(Debug)]
#[must_use = "whoever drops it does not hear how it ended"]
pub struct Backfilling {
    task: JoinHandle<Result<BackfillReport, Error>>,
    migrator: Migrator,
    pool: PgPool,
    last: Last,
}

/// Where the last batch has left it.
#[derive(Clone, Debug, Default)]
struct Last(Arc<Mutex<Option<(MigrationId, Steps)>>>);

impl Observer for Last {
    fn event(&self, event: &Event<'_>) {
        if let Event::Batch { id, steps, .. } = event
            && let Ok(mut last) = self.0.lock()
        {
            *last = Some((*id, **steps));
        }
    }
}

impl Migrator {
    /// [`backfill`](Self::backfill) on a task of its own, beside the application. It waits where a backfill is paused,
    /// and ends when nothing is left to fill, or what is left was cancelled.
    ///
    /// Each replica may do so: they share the [`ranges`](Self::ranges) of a table, or one works and the others wait to
    /// take over. Needs a Tokio runtime.
    ///
    /// ```no_run
    /// # async fn start(migrator: migrate_postgres::Migrator, pool: sqlx::PgPool) -> Result<(), migrate_postgres::Error> {
    /// migrator.run(&pool).await?;
    /// let filling = migrator.spawn_backfill(&pool);
    /// // … serve …
    /// if let Some((id, steps)) = filling.progress() {
    ///     println!("{id}: {steps}");
    /// }
    /// let report = filling.join().await?;
    /// # let _ = report;
    /// # Ok(())
    /// # }
    /// ```
    pub fn spawn_backfill(&self, pool: &PgPool) -> Backfilling {
        let last = Last::default();
        let mut migrator = self.clone();
        migrator.ear = Ear(Some(Arc::new((Heard(self.ear.clone()), last.clone()))));
        let (task, of_task) = (migrator.clone(), pool.clone());
        let task = tokio::spawn(async move { task.stay(&of_task).await });
        Backfilling { task, migrator, pool: pool.clone(), last }
    }

    /// Goes on after a pause, whenever somebody ends it.
    async fn stay(&self, pool: &PgPool) -> Result<BackfillReport, Error> {
        let mut report = BackfillReport::default();
        loop {
            let this = self.backfill(pool).await?;
            report.add(this);
            let states = self.backfills(pool).await?;
            let is_paused = |id: MigrationId| {
                states.iter().any(|state| state.id == id && state.wanted == Wanted::Pause)
            };
            if !report.left.iter().any(|(id, _)| is_paused(*id)) {
                return Ok(report);
            }
            tokio::time::sleep(POLL).await;
        }
    }
}

/// How often a paused backfill is looked after.
const POLL: Duration = Duration::from_secs(2);

/// Whoever listens to the migrator goes on doing so.
struct Heard(Ear);

impl Observer for Heard {
    fn event(&self, event: &Event<'_>) {
        if let Some(observer) = &self.0.0 {
            observer.event(event);
        }
    }
}

impl Backfilling {
    /// Which backfill is being worked at here, and how far it is; `None` before the first batch.
    pub fn progress(&self) -> Option<(MigrationId, Steps)> {
        self.last.0.lock().ok().and_then(|last| *last)
    }

    /// Is it over?
    pub fn is_finished(&self) -> bool {
        self.task.is_finished()
    }

    /// Lets all backfills that are not done wait before their next batch, whoever works at them, for this reason.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn pause(&self, reason: &str) -> Result<(), Error> {
        for id in self.open().await? {
            self.migrator.pause_backfill(&self.pool, id, reason).await?;
        }
        Ok(())
    }

    /// Lets them go on.
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn resume(&self) -> Result<(), Error> {
        for id in self.open().await? {
            self.migrator.resume_backfill(&self.pool, id).await?;
        }
        Ok(())
    }

    /// Ends the work at all of them, everywhere, until they are [resumed](Migrator::resume_backfill).
    ///
    /// # Errors
    /// As [`pause`](Self::pause).
    pub async fn cancel(&self, reason: &str) -> Result<(), Error> {
        for id in self.open().await? {
            self.migrator.cancel_backfill(&self.pool, id, reason).await?;
        }
        Ok(())
    }

    /// Ends the work here at once. The batch under way is taken back, and others go on behind the one before it.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// As [`Migrator::backfill`]; and when it was [aborted](Self::abort).
    pub async fn join(self) -> Result<BackfillReport, Error> {
        self.task.await.unwrap_or_else(|error| {
            Err(Error::code("go on with backfills in the background".to_owned(), Box::new(error)))
        })
    }

    async fn open(&self) -> Result<Vec<MigrationId>, Error> {
        let states = self.migrator.backfills(&self.pool).await?;
        Ok(states.iter().filter(|state| state.state != "done").map(|state| state.id).collect())
    }
}
