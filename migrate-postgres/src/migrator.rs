//! The story of a run, and its sisters that only look.
//!
//! Owns the order of things: look, open, lock, load, plan, carry out, settle. Everything it says is done in
//! another room.

use std::pin::Pin;
use std::time::Instant;

use migrate_core::{Checksum, Line, MigrationId, Plan, Version};
use tracing::Instrument;

use crate::activity::Activity;
use crate::error::Error;
use crate::observe::{Ear, Event};
use crate::options::Options;
use crate::report::Report;
use crate::session::{Database, Session};
use crate::settled::{self, Settled};
use crate::source::{Migrations, Source};
use crate::sql::Names;
use crate::{folder, history};

mod adopt;
mod at;
mod background;
mod by_hand;
mod contract;
mod eye;
mod fill;
mod held;
mod lent;
mod rehearse;
mod through;
mod told;

use at::At;
pub use background::Backfilling;
pub use by_hand::Resolution;
use eye::Eye;
use through::Errand;

/// Brings a database up to date, and takes it back.
///
/// ```no_run
/// use migrate_postgres::{Migrations, Migrator};
///
/// # async fn start(migrations: impl Migrations, pool: sqlx::PgPool) -> Result<(), migrate_postgres::Error> {
/// let report = Migrator::new(migrations).run(&pool).await?;
/// println!("{report}");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Migrator {
    source: Source,
    /// Over the source, which never changes: a run that has nothing to do must not look through it.
    declared: Checksum,
    options: Options,
    ear: Ear,
}

impl Migrator {
    /// A migrator with the defaults, for the migrations of an application or a [`Source`].
    pub fn new(migrations: impl Migrations) -> Self {
        let source = migrations.source();
        let declared = source.digest();
        Self { source, declared, options: Options::default(), ear: Ear::default() }
    }

    /// Applies what is pending. With nothing to do it is one query.
    ///
    /// # Errors
    /// See [`Error`]. Whatever was applied before the error is recorded, and the next run goes on behind it.
    pub async fn run(&self, database: impl Into<Database>) -> Result<Report, Error> {
        self.boxed(database.into(), &self.options).await
    }

    /// Applies what is pending up to and including a version.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_to(
        &self,
        database: impl Into<Database>,
        version: Version,
    ) -> Result<Report, Error> {
        let mut options = self.options.clone();
        options.target.up_to = Some(version);
        self.boxed(database.into(), &options).await
    }

    /// What [`run`](Self::run) would do. Reads the history only: no lock, no write.
    ///
    /// # Errors
    /// When the database cannot be read, or disagrees with the declared migrations.
    pub async fn plan(&self, database: impl Into<Database>) -> Result<Plan, Error> {
        self.reading(database.into(), async |at, eye| {
            let loaded = history::load(eye.connection(), &at.names).await?;
            at.plan(eye.connection(), &loaded).await
        })
        .await
    }

    /// What [`run_to`](Self::run_to) would do. Reads only.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn plan_to(
        &self,
        database: impl Into<Database>,
        version: Version,
    ) -> Result<Plan, Error> {
        let mut until = self.clone();
        until.options.target.up_to = Some(version);
        until.plan(database).await
    }

    /// Is the database up to date? `Ok(true)` when a run would apply nothing. Needs no right but to read.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub async fn check(&self, database: impl Into<Database>) -> Result<bool, Error> {
        Ok(self.plan(database).await?.is_empty())
    }

    /// Every migration that is declared or was applied, and where it stands. Reads only.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn status(&self, database: impl Into<Database>) -> Result<Vec<Line>, Error> {
        self.reading(database.into(), async |at, eye| {
            let loaded = history::load(eye.connection(), &at.names).await?;
            Ok(migrate_core::status(&at.set, &loaded.history, &at.options.target))
        })
        .await
    }

    /// What happens in the database at this moment: who migrates, how far it is, who is in its way and who waits
    /// behind it. Reads only.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn activity(&self, database: impl Into<Database>) -> Result<Activity, Error> {
        self.reading(database.into(), async |at, eye| {
            Activity::look(eye.connection(), &at.names).await
        })
        .await
    }

    /// What [`revert`](Self::revert) would do. Reads only.
    ///
    /// # Errors
    /// As [`plan`](Self::plan); and when something on the way cannot be taken back.
    pub async fn plan_revert(
        &self,
        database: impl Into<Database>,
        to: Option<Version>,
    ) -> Result<Plan, Error> {
        self.reading(database.into(), async |at, eye| {
            let loaded = history::load(eye.connection(), &at.names).await?;
            at.plan_back(&loaded, to)
        })
        .await
    }

    /// The text that takes an applied migration back, as the history keeps it: what
    /// [`plan_revert`](Self::plan_revert) means where it says that the text is in the history. Reads only.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn recorded_way_back(
        &self,
        database: impl Into<Database>,
        id: MigrationId,
    ) -> Result<Option<String>, Error> {
        self.reading(database.into(), async |at, eye| {
            let (_, down) = history::texts(eye.connection(), &at.names, id).await?;
            Ok(down)
        })
        .await
    }

    /// Takes back every version above `to`, newest first; `None` takes everything back.
    ///
    /// # Errors
    /// As [`run`](Self::run). When something on the way cannot be taken back, nothing is.
    pub async fn revert(
        &self,
        database: impl Into<Database>,
        to: Option<Version>,
    ) -> Result<Report, Error> {
        let began = Instant::now();
        let done = self.back(database.into(), to).instrument(self.span("revert")).await;
        let mut report = self.tell_failure(done)?;
        self.finished(&mut report, began);
        Ok(report)
    }

    async fn back(&self, database: Database, to: Option<Version>) -> Result<Report, Error> {
        let at = self.here(&self.options)?;
        let session = Eye::open(database, &self.options).await?.into_session(&self.options).await?;
        at.through(session, Errand::Back(to)).await
    }

    /// The span that everything of one call stands in.
    fn span(&self, call: &'static str) -> tracing::Span {
        tracing::info_span!("migrate", call, set = %self.options.set)
    }

    /// Behind a pointer, so that all of it is compiled with this crate: what an `async fn` does is else compiled
    /// where it is awaited, with every build of the application.
    fn boxed<'m>(
        &'m self,
        database: Database,
        options: &'m Options,
    ) -> Pin<Box<dyn Future<Output = Result<Report, Error>> + Send + 'm>> {
        let forward = async move { self.tell_failure(self.forward(database, options).await) };
        Box::pin(forward.instrument(self.span("run")))
    }

    fn tell_failure(&self, done: Result<Report, Error>) -> Result<Report, Error> {
        done.inspect_err(|error| self.ear.tell(&Event::Failed { error }))
    }

    async fn forward(&self, database: Database, options: &Options) -> Result<Report, Error> {
        let began = Instant::now();
        self.folder_is_current()?;
        let digest = options.digest(self.declared);
        let names = options.names()?;
        let mut eye = Eye::open(database, options).await?;
        if let Some(settled) = settled::read(eye.connection(), &names, &digest).await {
            eye.close().await;
            return Ok(self.already(settled, began));
        }
        let at = self.at(options, names, digest)?;
        if let Some(mut report) = at.nothing_to_do(&mut eye).await? {
            eye.close().await;
            self.finished(&mut report, began);
            return Ok(report);
        }
        let session = eye.into_session(options).await?;
        let mut report = at.through(session, Errand::Forward).await?;
        self.finished(&mut report, began);
        Ok(report)
    }

    fn already(&self, settled: Settled, began: Instant) -> Report {
        let Settled { deferred, notices } = settled;
        let mut report = Report { deferred, notices, ..Report::default() };
        self.finished(&mut report, began);
        report
    }

    fn tell_notices(&self, report: &Report) {
        for notice in &report.notices {
            let text = format!("it {}", notice.kind);
            self.ear.tell(&Event::Notice { id: notice.id, text: &text });
        }
    }

    fn finished(&self, report: &mut Report, began: Instant) {
        report.took = began.elapsed();
        self.tell_notices(report);
        self.ear.tell(&Event::Finished { actions: report.applied.len(), took: report.took });
    }

    /// In a debug build the folder is still there: a file that came since is a mistake waiting to be wondered at.
    fn folder_is_current(&self) -> Result<(), Error> {
        let Some((path, files)) = self.source.folder_on_disk() else { return Ok(()) };
        match folder::changed_since(path, files).as_slice() {
            [] => Ok(()),
            changed => Err(Error::declaration(format!(
                "failed to start: this program was compiled before {} changed ({})",
                folder::name(path),
                changed.join(", ")
            ))
            .now("nothing was changed")
            .next(
                "Build it again; with `println!(\"cargo::rerun-if-changed=<folder>\");` in build.rs, cargo does so \
                 by itself.",
            )),
        }
    }

    fn at<'m>(
        &'m self,
        options: &'m Options,
        names: Names,
        digest: String,
    ) -> Result<At<'m>, Error> {
        let set = self.source.set().map_err(|errors| Error::set(&errors))?;
        Ok(At { migrator: self, options, names, digest, set })
    }

    fn here<'m>(&'m self, options: &'m Options) -> Result<At<'m>, Error> {
        self.at(options, options.names()?, options.digest(self.declared))
    }

    /// Looks without a lock.
    async fn reading<T>(
        &self,
        database: Database,
        look: impl AsyncFnOnce(&At<'_>, &mut Eye) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let at = self.here(&self.options)?;
        let mut eye = Eye::open(database, &self.options).await?;
        let seen = look(&at, &mut eye).await;
        eye.close().await;
        seen
    }

    /// Works under the lock, on a connection of our own.
    async fn writing<T>(
        &self,
        database: Database,
        options: &Options,
        work: impl AsyncFnOnce(&At<'_>, &mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let at = self.here(options)?;
        let eye = Eye::open(database, options).await?;
        at.alone(eye, async |session| work(&at, session).await).await
    }
}
