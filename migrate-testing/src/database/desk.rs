//! Where databases are handed out and taken back: one desk for each server that this process uses.
//!
//! All of it happens in a runtime of our own. That of a test ends with the test, and whatever
//! connections and clean-up are to outlive the test cannot live there. Owns the connections to the
//! server, how many databases are made and dropped at once, and the look for leftovers. Must not
//! know what is in a template.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Row};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OnceCell, Semaphore};

use super::error::{DatabaseError, Doing, IN_USE, is};
use super::name;
use super::statement::{self, Statement};
use super::sweep::{self, Leftover};
use super::template::Templates;
use crate::Server;

/// The database for our own connections, and for locks: a lock holds within one database only.
const MAINTENANCE: &str = "postgres";
const DROPS_AT_ONCE: usize = 2;
/// More than this many leftovers are a backlog, and whoever comes helps before he takes.
const BACKLOG: usize = 16;
/// A backend needs a moment to end; a DROP that meets it waits for 100 ms.
const UNTIL_BACKENDS_END: Duration = Duration::from_millis(20);
const UNTIL_POOL_IS_CLOSED: Duration = Duration::from_secs(2);
/// A server that refuses connections may be about to come up, or has crashed.
const UNTIL_SERVER_ANSWERS: Duration = Duration::from_secs(10);
const PAUSE_WHEN_IN_USE: Duration = Duration::from_millis(50);
const TRIES_WHEN_IN_USE: u32 = 5;

/// The runtime for whatever outlives a test.
pub(super) fn runtime() -> Result<&'static Runtime, DatabaseError> {
    static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).thread_name("test-databases").enable_all().build()
    });
    RUNTIME.as_ref().map_err(|error| DatabaseError::Runtime(error.to_string()))
}

/// The shared server that was found last: to look for it takes milliseconds.
static SHARED: Mutex<Option<Server>> = Mutex::new(None);

/// The server of tests that name none.
pub(super) async fn shared_server() -> Result<Server, DatabaseError> {
    let known = SHARED.lock().unwrap_or_else(PoisonError::into_inner).clone();
    match known {
        Some(server) => Ok(server),
        None => find_shared_server().await,
    }
}

/// The shared server if it is another one than it was: the old one no longer answers.
pub(super) async fn other_shared_server(old: &Server) -> Result<Option<Server>, DatabaseError> {
    let found = find_shared_server().await?;
    Ok((found.url(MAINTENANCE) != old.url(MAINTENANCE)).then_some(found))
}

async fn find_shared_server() -> Result<Server, DatabaseError> {
    let found = tokio::task::spawn_blocking(Server::shared).await;
    let server = found.map_err(|error| DatabaseError::Runtime(error.to_string()))??;
    *SHARED.lock().unwrap_or_else(PoisonError::into_inner) = Some(server.clone());
    Ok(server)
}

#[derive(Debug)]
pub(super) struct Desk {
    pub(super) server: Server,
    pub(super) templates: Templates,
    admin: PgPool,
    creating: Semaphore,
    dropping: Semaphore,
    /// Encoding, collation and character classes of a new database.
    locale: OnceCell<String>,
    leftovers: Mutex<Vec<Leftover>>,
}

impl Desk {
    /// The desk for a server; the same for all its tests. Only to be called in our runtime.
    pub(super) async fn of(server: Server) -> Result<Arc<Desk>, DatabaseError> {
        static DESKS: LazyLock<Mutex<HashMap<String, Arc<Desk>>>> = LazyLock::new(Mutex::default);
        let desk = {
            let mut desks = DESKS.lock().unwrap_or_else(PoisonError::into_inner);
            let url = server.url(MAINTENANCE);
            desks.entry(url).or_insert_with(|| Arc::new(Desk::new(server))).clone()
        };
        desk.locale.get_or_try_init(|| desk.look()).await?;
        desk.work_off_backlog().await;
        Ok(desk)
    }

    fn new(server: Server) -> Desk {
        let processors = thread::available_parallelism().map_or(2, usize::from);
        let connections = processors * 2 + DROPS_AT_ONCE;
        let options = server.options(MAINTENANCE).disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(u32::try_from(connections).unwrap_or(8))
            .acquire_timeout(UNTIL_SERVER_ANSWERS);
        Desk {
            admin: pool.connect_lazy_with(options),
            server,
            templates: Templates::default(),
            creating: Semaphore::new(processors * 2),
            dropping: Semaphore::new(DROPS_AT_ONCE),
            locale: OnceCell::new(),
            leftovers: Mutex::default(),
        }
    }

    pub(super) fn locale(&self) -> &str {
        self.locale.get().map_or("", String::as_str)
    }

    /// How we are known to the server: what we make is ours.
    pub(super) fn user(&self) -> String {
        self.options().get_username().to_owned()
    }

    fn options(&self) -> PgConnectOptions {
        self.server.options(MAINTENANCE).disable_statement_logging()
    }

    /// A connection outside of the pool: for locks, which end with it.
    pub(super) async fn connect(&self) -> Result<PgConnection, DatabaseError> {
        self.options().connect().await.doing("connect to", MAINTENANCE)
    }

    /// Sends one statement.
    pub(super) async fn rows(
        &self,
        statement: Statement,
    ) -> Result<Vec<sqlx::postgres::PgRow>, sqlx::Error> {
        statement.rows(&mut *self.admin.acquire().await?).await
    }

    /// Creates a database like `template`, in its turn.
    pub(super) async fn create(&self, template: &str) -> Result<String, sqlx::Error> {
        let _turn = self.creating.acquire().await;
        let name = name::next();
        let mut tries = TRIES_WHEN_IN_USE;
        loop {
            match self.rows(self.creation(&name, template)).await {
                Err(error) if tries > 0 && is(&error, IN_USE) => {
                    tries -= 1; // autovacuum, or somebody's monitoring
                    tokio::time::sleep(PAUSE_WHEN_IN_USE).await;
                }
                created => return created.map(|_| name),
            }
        }
    }

    /// On a server with real disks a checkpoint costs more than it saves; ours has none.
    pub(super) fn creation(&self, name: &str, template: &str) -> Statement {
        if self.server.is_own() && self.server.version() >= 150_000 {
            statement::copy(name, template)
        } else {
            statement::create(name, template)
        }
    }

    /// Takes a database back and returns at once.
    pub(super) fn take_back(self: Arc<Desk>, name: String, pool: Option<PgPool>) {
        let Ok(runtime) = runtime() else { return }; // then there is no database either
        runtime.spawn(async move {
            if let Some(pool) = pool {
                // It ends the connections that are idle; the others are cut.
                let _ = tokio::time::timeout(UNTIL_POOL_IS_CLOSED, pool.close()).await;
            }
            tokio::time::sleep(UNTIL_BACKENDS_END).await;
            self.drop_now(&name, statement::drop(&name)).await;
        });
    }

    /// Has a database survive its process for a while. Waits until that is certain.
    pub(super) fn keep(self: Arc<Desk>, name: String) {
        let Ok(runtime) = runtime() else { return };
        let (done, wait) = std::sync::mpsc::channel();
        let desk = self.clone();
        runtime.spawn(async move {
            desk.note_kept(&name).await;
            let _ = done.send(()); // nobody waits so long
        });
        let _ = wait.recv_timeout(Duration::from_secs(5)); // a server that a test has frozen
        self.server.linger(sweep::KEPT_FOR);
    }

    pub(super) async fn note_kept(&self, name: &str) {
        if let Err(error) = self.rows(statement::note(name, &sweep::kept_note(name::now()))).await {
            tracing::debug!(%error, name, "failed to keep a database: it goes with its process");
        }
    }

    async fn look(&self) -> Result<String, DatabaseError> {
        let rows =
            self.rows(statement::look()).await.doing("look for databases in", MAINTENANCE)?;
        let mut locale = String::new();
        let now = name::now();
        for row in rows {
            let name: String = row.try_get("name").doing("read", MAINTENANCE)?;
            let note: Option<String> = row.try_get("note").doing("read", MAINTENANCE)?;
            if name == "template0" {
                locale = note.unwrap_or_default();
            } else if let Some(leftover) = sweep::judge(name, note.as_deref(), now) {
                self.leftovers().push(leftover);
            }
        }
        Ok(locale)
    }

    fn leftovers(&self) -> std::sync::MutexGuard<'_, Vec<Leftover>> {
        self.leftovers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process for each test leaves its database to the next one; this keeps them from piling up.
    async fn work_off_backlog(&self) {
        while self.leftovers().len() > BACKLOG {
            let next = self.leftovers().pop();
            self.sweep(next).await;
        }
    }

    /// Drops what dead processes left, when the test has its own.
    pub(super) fn sweep_in_background(self: &Arc<Desk>) {
        for leftover in self.leftovers().drain(..) {
            let desk = self.clone();
            tokio::spawn(async move { desk.sweep(Some(leftover)).await });
        }
    }

    async fn sweep(&self, leftover: Option<Leftover>) {
        match leftover {
            Some(Leftover::Abandoned(name)) => self.drop_now(&name, statement::drop(&name)).await,
            Some(Leftover::Outdated(name)) => {
                self.drop_now(&name, statement::drop_unused(&name)).await;
            }
            None => {}
        }
    }

    async fn drop_now(&self, name: &str, statement: Statement) {
        let _turn = self.dropping.acquire().await;
        if let Err(error) = self.rows(statement).await {
            tracing::debug!(%error, name, "failed to drop a test's database: the next process will");
        }
    }
}
