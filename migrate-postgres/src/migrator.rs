//! The story of a run, and its sisters that only look.
//!
//! Owns the order of things: look, open, lock, load, plan, carry out, settle. Everything it says is done in
//! another room.

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use migrate_core::{
    Checksum, Direction, Line, MigrationId, Phases, Plan, Policy, Set, UnknownCode, Version,
};
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{PgConnection, Postgres};
use tracing::Instrument;

use crate::activity::Activity;
use crate::error::Error;
use crate::execute::{Effort, Runner, Tally};
use crate::history::{self, Clerk, Loaded};
use crate::lease::{self, Lease};
use crate::lock::{self, Outcome, Pooling};
use crate::observe::{Ear, Event, Observer};
use crate::options::{Direct, Names, Options};
use crate::report::Report;
use crate::session::{self, Database, Session};
use crate::settled::{self, Settled};
use crate::source::{Migrations, Source};
use crate::watch::Watch;
use crate::{difference, folder, standby};

mod adopt;
mod by_hand;
mod lent;
mod through;

pub use by_hand::Resolution;
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

    /// The name of the set, where several share a database (default `default`). Each has its own lock, and its
    /// own rows even in the same table.
    #[must_use]
    pub fn set(mut self, name: impl Into<String>) -> Self {
        self.options.set = name.into();
        self
    }

    /// The schema of the history (default `public`); it is created when it is not there.
    #[must_use]
    pub fn schema(mut self, name: impl Into<String>) -> Self {
        self.options.schema = name.into();
        self
    }

    /// The table of the history (default `schema_migrations`).
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.options.table = name.into();
        self
    }

    /// Schema and table of the history.
    pub fn history_table(&self) -> (&str, &str) {
        (&self.options.schema, &self.options.table)
    }

    /// The role that everything is done as, and that owns what is made; the login must be a member of it.
    #[must_use]
    pub fn role(mut self, name: impl Into<String>) -> Self {
        self.options.role = Some(name.into());
        self
    }

    /// A role that may read the history, so that an application without further rights can start.
    #[must_use]
    pub fn readable_by(mut self, role: impl Into<String>) -> Self {
        self.options.readable_by.push(role.into());
        self
    }

    /// How to connect for work, where the application's own way leads through a pooler in transaction mode or to a
    /// standby. The application's database is still asked first whether there is anything to do; with nothing to
    /// do this connection is not opened. It has to lead to the same database.
    #[must_use]
    pub fn direct(mut self, options: PgConnectOptions) -> Self {
        self.options.direct = Some(Direct(Box::new(options)));
        self
    }

    /// The phases that may run on a database in use (default [`Phases::START_UP`]: expand and migrate).
    #[must_use]
    pub fn phases(mut self, phases: Phases) -> Self {
        self.options.target.phases = phases;
        self
    }

    /// What becomes of an expand that is older than the newest applied one (default an error).
    #[must_use]
    pub fn on_late(mut self, policy: Policy) -> Self {
        self.options.target.late = policy;
        self
    }

    /// What becomes of migrations that newer code applied (default a notice, which is what a rolling deploy
    /// needs; a contract among them is always an error).
    #[must_use]
    pub fn on_unknown_newer(mut self, policy: Policy) -> Self {
        self.options.target.unknown_newer = policy;
        self
    }

    /// These migrations are a folder beside an application that has some in Rust too: those that the history
    /// names are not missed.
    #[must_use]
    pub fn code_is_elsewhere(mut self) -> Self {
        self.options.target.unknown_code = UnknownCode::Elsewhere;
        self
    }

    /// On a fresh database, how many migrations may share a transaction (default 200; 1 gives each its own).
    #[must_use]
    pub fn group(mut self, migrations: u32) -> Self {
        self.options.target.group = migrations;
        self
    }

    /// How long to wait for a connection (default 30 s).
    #[must_use]
    pub fn connect_timeout(mut self, wait: Duration) -> Self {
        self.options.waits.connect = wait;
        self
    }

    /// How long to wait for another migrator (default 10 min).
    #[must_use]
    pub fn wait_for_migrator(mut self, wait: Duration) -> Self {
        self.options.waits.migrator = wait;
        self
    }

    /// How long to wait for a standby to be promoted when there is something to do (default not at all, which is an
    /// error that says so). With nothing to do a standby is as good as its primary.
    #[must_use]
    pub fn wait_for_promotion(mut self, wait: Duration) -> Self {
        self.options.waits.promotion = wait;
        self
    }

    /// How long a lease lives that is not renewed (default 30 s): through a pooler in transaction mode it stands in
    /// for the lock, and whoever waits for a migrator that was killed waits this long.
    #[must_use]
    pub fn lease(mut self, lasts: Duration) -> Self {
        self.options.waits.lease = lasts;
        self
    }

    /// How long each attempt of a migration may wait for a lock, one after the other; the last is repeated
    /// (default 50, 100, 250 ms, and never more than half of the server's `deadlock_timeout`, so that whoever meets it
    /// crosswise finds it gone before somebody is ended for that). While an attempt waits, those behind it wait too.
    #[must_use]
    pub fn lock_ladder(mut self, attempts: impl IntoIterator<Item = Duration>) -> Self {
        self.options.waits.lock_ladder = Some(attempts.into_iter().collect());
        self
    }

    /// How long to try for the locks of one migration before giving up with nothing changed (default 10 min).
    #[must_use]
    pub fn lock_deadline(mut self, deadline: Duration) -> Self {
        self.options.waits.lock_deadline = deadline;
        self
    }

    /// `statement_timeout` inside transactions; zero is no limit. By default 5 s in a migration that is known to keep
    /// everybody out of a table that was there before it, and no limit in others. The pool's own does not hold here.
    #[must_use]
    pub fn statement_timeout(mut self, timeout: Duration) -> Self {
        self.options.waits.statement = Some(timeout);
        self
    }

    /// How many sessions may wait behind an attempt to get a lock before it is given up (default 100). They are
    /// counted on a second connection, where one is to be had.
    #[must_use]
    pub fn most_waiting(mut self, sessions: usize) -> Self {
        self.options.waits.most_waiting = sessions;
        self
    }

    /// Ends the session of whoever is in the way of a lock and has done nothing in an open transaction for this long
    /// (default never). Its transaction is lost; each use is told as [`Event::Ended`]. Needs the rights of that role,
    /// or of `pg_signal_backend`.
    #[must_use]
    pub fn end_idle_in_transaction(mut self, after: Duration) -> Self {
        self.options.waits.end_idle = Some(after);
        self
    }

    /// Cancels an autovacuum that is in the way of a lock, unless it prevents wraparound (by default, it is waited
    /// for a little longer than `deadlock_timeout`, after which it gives way). Each use is told as [`Event::Ended`].
    /// Needs the rights of a superuser, or from PostgreSQL 18 on of `pg_signal_autovacuum_worker`.
    #[must_use]
    pub fn cancel_autovacuum(mut self) -> Self {
        self.options.waits.cancel_autovacuum = true;
        self
    }

    /// The deadline of one statement outside transactions, such as a concurrent index build (default 24 h).
    #[must_use]
    pub fn standalone_deadline(mut self, deadline: Duration) -> Self {
        self.options.waits.standalone = deadline;
        self
    }

    /// How many connections a run may lose with nothing done in between (default 3; with 0 the first one lost is an
    /// error). Each is followed by another, as soon as the server takes one within [`connect_timeout`], and the history
    /// says where to go on. A session that somebody has ended, while the server lives on, is not opened again.
    ///
    /// [`connect_timeout`]: Self::connect_timeout
    #[must_use]
    pub fn reconnects(mut self, connections: u32) -> Self {
        self.options.waits.reconnects = connections;
        self
    }

    /// Who hears of what happens.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer + 'static) -> Self {
        self.ear = Ear(Some(Arc::new(observer)));
        self
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
        let names = Names::new(options)?;
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
        self.at(options, Names::new(options)?, options.digest(self.declared))
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

/// Everything that is known before the database is asked.
struct At<'m> {
    migrator: &'m Migrator,
    options: &'m Options,
    names: Names,
    digest: String,
    set: Set,
}

impl At<'_> {
    /// Loads and plans without a lock; when nothing is to be done, that is all, but for the mark.
    async fn nothing_to_do(&self, eye: &mut Eye) -> Result<Option<Report>, Error> {
        let loaded = history::load(eye.connection(), &self.names).await?;
        if !loaded.exists && !self.set.is_empty() {
            return Ok(None);
        }
        let plan = self.plan(eye.connection(), &loaded).await?;
        let connection = eye.connection();
        if !plan.is_empty()
            || loaded.exists
                && history::grants_missing(connection, &self.names, self.options).await?
        {
            return Ok(None);
        }
        if loaded.exists {
            let connection = eye.connection();
            settled::write("", connection, &self.names, &self.digest, &plan, loaded.stamp).await;
        }
        let report = Report { deferred: plan.deferred, notices: plan.notices, ..Report::default() };
        Ok(Some(report))
    }

    /// Works under the lock, on a connection of our own, and closes it.
    async fn alone<T>(
        &self,
        eye: Eye,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut session = eye.into_session(self.options).await?;
        let done = async {
            self.lock(&mut session, "").await?;
            let done = work(&mut session).await;
            self.release(&mut session).await;
            done
        }
        .await;
        session.close().await;
        done
    }

    /// Gets the lock, works and gives it back; or learns that another migrator has done everything.
    async fn locked(&self, session: &mut Session, tally: &mut Tally) -> Result<Report, Error> {
        match self.lock(session, &self.digest).await? {
            Outcome::Settled(Settled { deferred, notices }) => {
                Ok(Report { applied: tally.take(), deferred, notices, ..Report::default() })
            }
            Outcome::Ours => {
                let done = self.under_lock(session, tally).await;
                self.release(session).await;
                done
            }
        }
    }

    /// The part of a run that is under the lock.
    async fn under_lock(&self, session: &mut Session, tally: &mut Tally) -> Result<Report, Error> {
        let loaded = history::load_as_ourselves(session, &self.names).await?;
        self.tell_what_was_done(&loaded, tally);
        let plan = self.plan(&mut session.connection, &loaded).await?;
        self.carry_out(session, &plan, &loaded, tally).await?;
        self.settle(session).await?;
        Ok(tally.report(plan))
    }

    /// Gets the lock, takes back and gives it back.
    async fn locked_back(
        &self,
        session: &mut Session,
        tally: &mut Tally,
        to: Option<Version>,
    ) -> Result<Report, Error> {
        self.lock(session, "").await?;
        let done = self.back_under_lock(session, tally, to).await;
        self.release(session).await;
        done
    }

    async fn back_under_lock(
        &self,
        session: &mut Session,
        tally: &mut Tally,
        to: Option<Version>,
    ) -> Result<Report, Error> {
        let loaded = history::load_as_ourselves(session, &self.names).await?;
        self.tell_what_was_done(&loaded, tally);
        let plan = self.plan_back(&loaded, to)?;
        self.carry_out(session, &plan, &loaded, tally).await?;
        Ok(tally.report(plan))
    }

    /// Looks for a pooler, gets the lock or what stands in for it.
    async fn lock(&self, session: &mut Session, digest: &str) -> Result<Outcome, Error> {
        let (names, options, ear) = (&self.names, self.options, &self.migrator.ear);
        lock::refuse_old_server(session)?;
        session.learn_facts().await?;
        standby::refuse_or_wait(session, options, ear).await?;
        match lock::look_for_pooler(session, options, ear).await? {
            Pooling::None => {
                session.lease = None;
                lock::acquire(session, names, options, digest, ear).await
            }
            Pooling::Statements => Err(Error::pooler()),
            Pooling::Transactions => {
                lease::release(session, names).await; // what a lost connection had
                session.lease = Some(Lease::wanted(options));
                lease::acquire(session, names, options, digest, ear).await
            }
        }
    }

    async fn release(&self, session: &mut Session) {
        match session.lease {
            Some(_) => lease::release(session, &self.names).await,
            None => lock::release(session, &self.names).await,
        }
    }

    async fn carry_out(
        &self,
        session: &mut Session,
        plan: &Plan,
        loaded: &Loaded,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        let (actions, deferred) = (plan.actions.len(), plan.deferred.len());
        self.migrator.ear.tell(&Event::Planned { actions, deferred });
        let clerk = self.clerk(session, loaded);
        let targets = self.migrator.source.targets();
        // Behind a pooler every message may have another backend: whoever looked would look at somebody else's.
        let door = session.door(self.options).filter(|_| session.lease.is_none());
        let watch = Watch::new(door);
        let mut runner = Runner {
            session,
            names: &self.names,
            ours: self.options,
            source: &self.migrator.source,
            set: &self.set,
            ear: &self.migrator.ear,
            clerk,
            targets: targets.as_deref(),
            watch,
            now: None,
            tally,
            effort: Effort::NONE,
        };
        let done = async {
            runner.refuse_what_needs_a_session(plan).await?;
            if loaded.exists || plan.direction == Direction::Up {
                history::prepare(runner.session, &self.names, self.options, loaded.exists).await?;
            }
            runner.carry_out(plan).await
        }
        .await;
        runner.watch.close().await;
        done
    }

    fn clerk<'a>(&'a self, session: &Session, loaded: &Loaded) -> Clerk<'a> {
        let build = self.migrator.source.build();
        Clerk::new(&self.names, self.options, session, build, loaded.history.last_seq())
    }

    /// Leaves the mark if the run left nothing to do.
    async fn settle(&self, session: &mut Session) -> Result<(), Error> {
        let loaded = history::load_as_ourselves(session, &self.names).await?;
        if let Ok(plan) = Plan::new(&self.set, &loaded.history, &self.options.target)
            && plan.is_empty()
        {
            let leased = session.lease.as_ref().map(|_| lease::as_ourselves(&self.names));
            let (identity, connection) = (leased.unwrap_or_default(), &mut session.connection);
            let (names, digest) = (&self.names, &self.digest);
            settled::write(&identity, connection, names, digest, &plan, loaded.stamp).await;
        }
        Ok(())
    }

    async fn plan(&self, connection: &mut PgConnection, loaded: &Loaded) -> Result<Plan, Error> {
        match Plan::new(&self.set, &loaded.history, &self.options.target) {
            Ok(plan) => {
                self.refuse_what_sqlx_did(connection, &plan, loaded).await?;
                Ok(plan)
            }
            Err(found) => {
                let shown = difference::below(connection, &self.names, &self.set, &found).await?;
                Err(Error::divergence(&found, &shown))
            }
        }
    }

    fn plan_back(&self, loaded: &Loaded, to: Option<Version>) -> Result<Plan, Error> {
        Plan::revert(&self.set, &loaded.history, to).map_err(|found| Error::divergence(&found, ""))
    }
}

/// What a migrator looks with before it works: the application's connection, or its own.
enum Eye {
    Pooled(PoolConnection<Postgres>, PgPool),
    Own(Box<Session>),
}

impl Eye {
    async fn open(database: Database, options: &Options) -> Result<Self, Error> {
        match database {
            Database::Pool(pool) => {
                let connection = pool.acquire().await;
                let connection = connection
                    .map_err(|error| Error::driver("get a connection from the pool", error))?;
                Ok(Eye::Pooled(connection, pool))
            }
            Database::Options(connect) => {
                let session = Session::open(&connect, options).await?;
                Ok(Eye::Own(Box::new(session)))
            }
            Database::Connection(connection) => Ok(Eye::Own(Box::new(Session::given(*connection)))),
        }
    }

    fn connection(&mut self) -> &mut PgConnection {
        match self {
            Eye::Pooled(connection, _) => connection,
            Eye::Own(session) => &mut session.connection,
        }
    }

    /// A pool of one must have its connection back before we open ours.
    async fn into_session(self, options: &Options) -> Result<Session, Error> {
        if let Some(Direct(direct)) = &options.direct {
            return self.into_direct(direct, options).await;
        }
        match self {
            Eye::Own(session) => Ok(*session),
            Eye::Pooled(connection, pool) => {
                drop(connection);
                Session::open(&pool.connect_options(), options).await
            }
        }
    }

    /// What is seen with one and done with the other has to be the same database.
    async fn into_direct(
        mut self,
        direct: &PgConnectOptions,
        options: &Options,
    ) -> Result<Session, Error> {
        let seen = session::whereabouts(self.connection()).await;
        self.close().await;
        let mut session = Session::open(direct, options).await?;
        let found = session::whereabouts(&mut session.connection).await;
        if seen.is_some() && found.is_some() && seen != found {
            session.close().await;
            return Err(Error::elsewhere());
        }
        Ok(session)
    }

    async fn close(self) {
        match self {
            Eye::Pooled(..) => {}
            Eye::Own(session) => session.close().await,
        }
    }
}
