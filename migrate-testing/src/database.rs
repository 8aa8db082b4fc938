//! A fresh database for each test: what a [`TestDatabase`] is, and the ways to get one.
//!
//! This module owns the public face and what becomes of a database when its test ends. It must not
//! know how one is made, named or dropped; each of these is a module below.

mod desk;
mod error;
mod name;
mod statement;
mod sweep;
mod template;

use std::env;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;

use migrate_postgres::{MigrationId, Migrations, Migrator, Phase, Phases, Report, Version};
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};

use crate::Server;
use desk::Desk;
use error::Doing;

pub use error::DatabaseError;

/// Enough for a test, and few enough for many tests at once.
const CONNECTIONS: u32 = 5;

/// A database of its own for one test.
///
/// It is a copy of a migrated template, so it is there in milliseconds however many migrations
/// there are. When the value is dropped, the database is too, in the background. When the test
/// panics, it stays for ten minutes, and a line on standard error says how to look at it.
pub struct TestDatabase {
    lent: Arc<Lent>,
}

/// What ends when nobody has the database any more.
struct Lent {
    desk: Arc<Desk>,
    name: String,
    migrator: Option<Migrator>,
    pool: OnceLock<PgPool>,
    failed: AtomicBool,
    /// Whether to fail is what the test is for.
    expendable: bool,
}

impl TestDatabase {
    /// A fresh database, with everything that these migrations do.
    ///
    /// # Errors
    /// When there is no server, or a migration fails.
    pub async fn new(migrations: impl Migrations) -> Result<TestDatabase, DatabaseError> {
        TestDatabase::builder(migrations).create().await
    }

    /// A fresh database without anything in it.
    ///
    /// # Errors
    /// When there is no server.
    pub async fn empty() -> Result<TestDatabase, DatabaseError> {
        DatabaseBuilder::default().create().await
    }

    /// A database that is migrated in part, by another migrator, or on another server.
    pub fn builder(migrations: impl Migrations) -> DatabaseBuilder {
        DatabaseBuilder { migrator: Some(Migrator::new(migrations)), ..DatabaseBuilder::default() }
    }

    /// A pool of connections, opened at the first use; to be called inside a tokio runtime.
    pub fn pool(&self) -> &PgPool {
        self.lent.pool.get_or_init(|| {
            let pool = PgPoolOptions::new().max_connections(CONNECTIONS);
            pool.connect_lazy_with(self.options())
        })
    }

    /// Options to connect with: for a pool of another kind, or for [`Migrator::run`].
    pub fn options(&self) -> PgConnectOptions {
        self.lent.desk.server.options(&self.lent.name)
    }

    /// A connection beside the pool.
    ///
    /// # Errors
    /// When the server refuses it.
    pub async fn connect(&self) -> Result<PgConnection, DatabaseError> {
        self.options().connect().await.doing("connect to", self.name())
    }

    /// The URL, as sqlx, `psql` and everything else built on libpq take it.
    pub fn url(&self) -> String {
        self.server().url(self.name())
    }

    /// The name of the database.
    pub fn name(&self) -> &str {
        &self.lent.name
    }

    /// The server it is on.
    pub fn server(&self) -> &Server {
        &self.lent.desk.server
    }

    /// The migrator for all migrations, of which the database may have a part.
    ///
    /// # Errors
    /// When the database was lent without migrations.
    pub fn migrator(&self) -> Result<&Migrator, DatabaseError> {
        self.lent.migrator.as_ref().ok_or(DatabaseError::NoMigrations)
    }

    /// Runs the migrations that are left, of all phases: what [`DatabaseBuilder::stop_before`]
    /// stopped at and what comes behind it.
    ///
    /// # Errors
    /// When a migration fails.
    pub async fn migrate_on(&self) -> Result<Report, DatabaseError> {
        let migrator = self
            .migrator()?
            .clone()
            .phases(Phases::ALL)
            .waive_everything("only a test uses this database");
        Ok(migrator.run(self.options()).await?)
    }

    /// Keeps the database when it is dropped, as if the test had panicked.
    pub fn keep(&self) {
        self.lent.failed.store(true, Ordering::Relaxed);
    }

    /// The same database once more: it ends with the last of the two.
    pub(crate) fn share(&self) -> TestDatabase {
        TestDatabase { lent: self.lent.clone() }
    }
}

impl fmt::Debug for TestDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestDatabase").field("name", &self.name()).finish_non_exhaustive()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let (desk, name) = (self.desk.clone(), std::mem::take(&mut self.name));
        let failed = thread::panicking() && !self.expendable || *self.failed.get_mut();
        if Keep::wish() == Keep::Always || failed && Keep::wish() == Keep::Failed {
            tell_how_to_connect(&desk.server, &name);
            desk.keep(name);
        } else {
            desk.take_back(name, self.pool.take());
        }
    }
}

#[allow(clippy::print_stderr, reason = "the one line for whoever looks at a failed test")]
fn tell_how_to_connect(server: &Server, name: &str) {
    let minutes = sweep::KEPT_FOR / 60;
    let url = server.url_without_password(name);
    eprintln!("the database of this test stays for {minutes} minutes: psql '{url}'");
}

/// Which databases outlive their tests, as `MIGRATE_KEEP` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keep {
    Never,
    Failed,
    Always,
}

impl Keep {
    fn wish() -> Keep {
        match env::var("MIGRATE_KEEP").as_deref() {
            Ok("0") => Keep::Never,
            Ok("1") => Keep::Always,
            _ => Keep::Failed,
        }
    }
}

/// What a database should be like.
///
/// ```no_run
/// # use migrate_testing::TestDatabase;
/// # use migrate_postgres::{MigrationId, Phase, Source, Version};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let migrations = Source::of_set(Default::default());
/// let contract = MigrationId::new(Version::new(20261122101500), Phase::Contract);
/// let db = TestDatabase::builder(migrations).stop_before(contract).create().await?;
/// sqlx::query("INSERT INTO customers (old_name) VALUES ('Ada')").execute(db.pool()).await?;
/// db.migrate_on().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "nothing is created before `create`"]
pub struct DatabaseBuilder {
    migrator: Option<Migrator>,
    server: Option<Server>,
    before: Option<MigrationId>,
    phases: Option<Phases>,
    expendable: bool,
}

impl DatabaseBuilder {
    /// Stops after this version: a database as the program of that time left it.
    pub fn up_to(self, version: Version) -> DatabaseBuilder {
        let next = Version::new(version.get().saturating_add(1));
        self.stop_before(MigrationId::new(next, Phase::Expand))
    }

    /// Stops before this phase of this version, so that a test can put in what the migration
    /// will find; [`TestDatabase::migrate_on`] runs the rest.
    pub fn stop_before(self, migration: MigrationId) -> DatabaseBuilder {
        DatabaseBuilder { before: Some(migration), ..self }
    }

    /// Leaves out the other phases, and what waits for them: a database with all contracts open
    /// is `phases(Phases::START_UP)`. A fresh database has all phases otherwise.
    pub fn phases(self, phases: Phases) -> DatabaseBuilder {
        DatabaseBuilder { phases: Some(phases), ..self }
    }

    /// Changes the migrator to be as that of the application: with its schema, table or role.
    pub fn migrator(self, change: impl FnOnce(Migrator) -> Migrator) -> DatabaseBuilder {
        DatabaseBuilder { migrator: self.migrator.map(change), ..self }
    }

    /// Uses this server instead of the shared one.
    pub fn server(self, server: &Server) -> DatabaseBuilder {
        DatabaseBuilder { server: Some(server.clone()), ..self }
    }

    /// Does not keep the database of a test that is to panic.
    pub(crate) fn expendable(self) -> DatabaseBuilder {
        DatabaseBuilder { expendable: true, ..self }
    }

    /// Creates the database.
    ///
    /// # Errors
    /// When there is no server, or a migration fails.
    pub async fn create(self) -> Result<TestDatabase, DatabaseError> {
        let task = desk::runtime()?.spawn(self.create_in_our_runtime());
        task.await.map_err(|error| DatabaseError::Runtime(error.to_string()))?
    }

    async fn create_in_our_runtime(self) -> Result<TestDatabase, DatabaseError> {
        if let Some(server) = &self.server {
            return self.create_on(server.clone()).await;
        }
        let server = desk::shared_server().await?;
        let created = self.create_on(server.clone()).await;
        match created {
            Err(DatabaseError::Refused { .. }) => match desk::other_shared_server(&server).await? {
                Some(other) => self.create_on(other).await, // the first has crashed
                None => created,
            },
            _ => created,
        }
    }

    async fn create_on(&self, server: Server) -> Result<TestDatabase, DatabaseError> {
        let desk = Desk::of(server).await?;
        let name = match &self.part() {
            Some(part) => template::copy(&desk, part).await?,
            None => desk.create("template0").await.doing("create", "a database")?,
        };
        desk.sweep_in_background();
        if Keep::wish() == Keep::Always {
            desk.note_kept(&name).await; // even if the process is killed
        }
        let lent = Lent {
            desk,
            name,
            migrator: self.migrator.clone(),
            pool: OnceLock::new(),
            failed: AtomicBool::new(false),
            expendable: self.expendable,
        };
        Ok(TestDatabase { lent: Arc::new(lent) })
    }

    /// The migrator for what the database shall have of the migrations.
    fn part(&self) -> Option<Migrator> {
        let migrator = self.migrator.as_ref()?;
        if self.before.is_none() && self.phases.is_none() {
            return Some(migrator.clone()); // its digest was computed by the compiler
        }
        Some(migrator.part(self.before, self.phases.unwrap_or(Phases::ALL)))
    }
}
