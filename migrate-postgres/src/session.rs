//! One dedicated connection to PostgreSQL with our settings.
//!
//! Owns the connection from its opening to its end; it is never handed to anybody's pool, so with it go the
//! lock, the settings and an open transaction. Knows nothing of migrations.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPool, PgRow};
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::time::timeout;

use crate::error::Error;
use crate::lease::{self, Lease};
use crate::options::{Options, Waits};
use crate::sql::{self, Names};
use crate::wire::{self, Backend, Told, number, text, truth};

mod deadline;

pub(crate) use deadline::Sent;

/// Where a migrator works.
#[non_exhaustive]
pub enum Database {
    /// The application's pool. It is asked whether there is anything to do; the work is done on a connection of
    /// its own with the pool's connect options, on which the pool's `after_connect` does not run.
    Pool(PgPool),
    /// Options to connect with.
    Options(Box<PgConnectOptions>),
    /// A connection, whose settings are reset to those it was opened with and which is closed in the end. A
    /// pooler in front of it cannot be noticed. What the driver logs of its statements is as its options had it
    /// (`ConnectOptions::disable_statement_logging`); on our own connections it is off.
    Connection(Box<PgConnection>),
}

/// Connect options hold a password, and show it.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Database::Pool(_) => "Database::Pool",
            Database::Options(_) => "Database::Options",
            Database::Connection(_) => "Database::Connection",
        })
    }
}

impl From<&PgPool> for Database {
    fn from(pool: &PgPool) -> Self {
        Database::Pool(pool.clone())
    }
}

impl From<PgConnectOptions> for Database {
    fn from(options: PgConnectOptions) -> Self {
        Database::Options(Box::new(options))
    }
}

impl From<&PgConnectOptions> for Database {
    fn from(options: &PgConnectOptions) -> Self {
        Database::Options(Box::new(options.clone()))
    }
}

impl From<PgConnection> for Database {
    fn from(connection: PgConnection) -> Self {
        Database::Connection(Box::new(connection))
    }
}

/// A connection of our own.
pub(crate) struct Session {
    pub(crate) connection: PgConnection,
    /// How to open another one like it; `None` when we were given the connection.
    options: Option<Box<PgConnectOptions>>,
    /// `application_name` of the application.
    pub(crate) application: String,
    /// What we hold where a pooler leaves us no session; `None` where it is ours.
    pub(crate) lease: Option<Lease>,
    /// What the server said of itself and of us.
    pub(crate) facts: Facts,
    /// How long an answer may take that takes no time.
    patience: Duration,
    /// No answer comes any more, and whoever waited for one would wait for ever.
    is_silent: bool,
}

/// What is to be known of the server and of us, once, before there is work.
#[derive(Clone, Debug, Default)]
pub(crate) struct Facts {
    /// Ours; behind a pooler, somebody's.
    pub(crate) backend: Backend,
    /// The server follows another one and takes no writes.
    pub(crate) standby: bool,
    /// When it was started, which tells it from another one and from itself after a restart.
    pub(crate) up_since: String,
    /// How long others wait before they look for a deadlock, and an autovacuum gives way.
    pub(crate) deadlock_timeout: Duration,
}

impl Session {
    pub(crate) async fn open(options: &PgConnectOptions, ours: &Options) -> Result<Self, Error> {
        let application = options.get_application_name().unwrap_or_default().to_owned();
        let options =
            options.clone().application_name(&holder_name(ours)).disable_statement_logging();
        let connection = connect(&options, ours.waits.connect).await?;
        let given = Self::given(connection, ours);
        Ok(Self { options: Some(Box::new(options)), application, ..given })
    }

    pub(crate) fn given(connection: PgConnection, ours: &Options) -> Self {
        Self {
            connection,
            options: None,
            application: String::new(),
            lease: None,
            facts: Facts::default(),
            patience: ours.waits.connect,
            is_silent: false,
        }
    }

    /// Another one in place of this one, whose connection is lost; `None` when we were given it.
    pub(crate) async fn reopen(&self, ours: &Options) -> Option<Result<Self, Error>> {
        let options = self.options.clone()?;
        Some(self.reopen_with(options, ours).await)
    }

    async fn reopen_with(
        &self,
        options: Box<PgConnectOptions>,
        ours: &Options,
    ) -> Result<Self, Error> {
        let connection = connect(&options, ours.waits.connect).await?;
        let (application, lease) = (self.application.clone(), self.lease.clone());
        let given = Self::given(connection, ours);
        let mut session = Self { options: Some(options), application, lease, ..given };
        session.learn_facts().await?;
        Ok(session)
    }

    /// Asks the server what is to be known of it.
    pub(crate) async fn learn_facts(&mut self) -> Result<(), Error> {
        let row = self.send_quick(sql::facts().to_owned()).await;
        let row = row.map_err(|error| Error::driver("look at the server", error))?;
        let Some(row) = row else { return Ok(()) };
        let pid = number(&row, "pid").and_then(|pid| i32::try_from(pid).ok());
        self.facts = Facts {
            backend: Backend { pid: pid.unwrap_or_default(), began: number(&row, "began") },
            standby: truth(&row, "standby"),
            up_since: text(&row, "up_since").unwrap_or_default().to_owned(),
            deadlock_timeout: number(&row, "deadlock_ms")
                .and_then(|ms| u64::try_from(ms).ok())
                .map_or(Duration::from_secs(1), Duration::from_millis),
        };
        Ok(())
    }

    /// A second connection to the same place.
    pub(crate) async fn another(&self, waits: &Waits) -> Option<Result<PgConnection, Error>> {
        match &self.options {
            Some(options) => Some(connect(options, waits.connect).await),
            None => None,
        }
    }

    pub(crate) fn can_reopen(&self) -> bool {
        self.options.is_some()
    }

    /// Connects anew in place of what there was; `None` when we were given the connection.
    pub(crate) async fn reopened(&mut self, ours: &Options) -> Option<Result<(), Error>> {
        let connection = self.another(&ours.waits).await?;
        Some(connection.map(|connection| self.connection = connection))
    }

    /// The way to a connection that watches this one; `None` when we were given it, or a pooler changes our backend.
    pub(crate) fn door(&self, ours: &Options) -> Option<Door> {
        if self.lease.is_some() {
            return None;
        }
        let options = self.options.as_deref()?.clone();
        let name = application_name(&format!("migrate {} watches from {}", ours.set, host()));
        let options = Box::new(options.application_name(&name));
        Some(Door { options, patience: ours.waits.connect })
    }

    /// Sends one message.
    pub(crate) async fn send(&mut self, message: String) -> Result<Option<PgRow>, sqlx::Error> {
        self.hears()?;
        wire::send(&mut self.connection, message).await
    }

    /// Sends one message whose answer takes no time: where it is not there within that of a connection, none will come.
    pub(crate) async fn send_quick(
        &mut self,
        message: String,
    ) -> Result<Option<PgRow>, sqlx::Error> {
        match timeout(self.patience, self.send(message)).await {
            Ok(answer) => answer,
            Err(_) => Err(self.gave_up()),
        }
    }

    /// Waits for no answer any more, which counts as a lost connection.
    pub(crate) fn gave_up(&mut self) -> sqlx::Error {
        self.is_silent = true;
        no_answer()
    }

    fn hears(&self) -> Result<(), sqlx::Error> {
        if self.is_silent { Err(no_answer()) } else { Ok(()) }
    }

    /// Sends one message and counts its statements as they are done, up to the one that fails.
    pub(crate) async fn send_counting(
        &mut self,
        message: String,
        told: &mut Told,
    ) -> Result<(), sqlx::Error> {
        self.hears()?;
        wire::send_counting(&mut self.connection, message, told).await
    }

    /// Makes us who we are, whatever the session has been made: for good, or through a pooler for one message.
    pub(crate) fn as_ourselves(&self, names: &Names) -> String {
        match self.lease {
            Some(_) => lease::as_ourselves(names),
            None => names.ourselves(),
        }
    }

    /// Ends a transaction that failed; where even that fails the connection is gone, and the transaction with it.
    pub(crate) async fn roll_back(&mut self) {
        if let Err(error) = self.send("ROLLBACK".to_owned()).await {
            tracing::debug!(%error, "migrate: no rollback, the connection is gone");
        }
    }

    /// Ends it in good order; what is left of it ends with the connection anyway.
    pub(crate) async fn close(self) {
        close(self.connection).await;
    }

    /// Settings of every piece of work, as `SET LOCAL` in a transaction or `SET` outside of one.
    pub(crate) fn settings(&self, scope: Scope, ours: &Options, limits: Limits) -> String {
        let set = scope.set();
        let mut settings = match self.lease {
            Some(_) => lease::settings(ours),
            None => format!(
                "RESET SESSION AUTHORIZATION; RESET ROLE; RESET ALL; {}{}",
                sql::AS_WE_WRITE,
                identity(ours, scope)
            ),
        };
        settings += &format!("{set} lock_timeout = {}; ", limits.lock.as_millis());
        settings += &format!("{set} statement_timeout = {}; ", limits.statement.as_millis());
        settings += &format!("{set} idle_in_transaction_session_timeout = 0; ");
        settings +=
            &format!("{set} tcp_keepalives_idle = 30; {set} tcp_keepalives_interval = 10; ");
        let version = self.connection.server_version_num().unwrap_or_default();
        if version >= 140_000 {
            settings += &format!("{set} client_connection_check_interval = '1s'; ");
            settings += &format!("{set} idle_session_timeout = 0; "); // while code outside a transaction thinks
        }
        if version >= 170_000 {
            settings += &format!("{set} transaction_timeout = 0; ");
        }
        settings
    }
}

/// The way to a connection.
pub(crate) struct Door {
    options: Box<PgConnectOptions>,
    pub(crate) patience: Duration,
}

impl Door {
    pub(crate) async fn open(&self) -> Result<PgConnection, Error> {
        connect(&self.options, self.patience).await
    }
}

/// How long a statement may wait for a lock, and how long it may take; zero is no limit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) lock: Duration,
    pub(crate) statement: Duration,
}

impl Limits {
    /// For what is quick by nature, once it has its locks.
    pub(crate) fn of_ours(lock: Duration) -> Self {
        Self { lock, statement: Duration::ZERO }
    }
}

/// How long a setting holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Transaction,
    Session,
}

impl Scope {
    fn set(self) -> &'static str {
        match self {
            Scope::Transaction => "SET LOCAL",
            Scope::Session => "SET",
        }
    }
}

/// Makes us who we are, whatever a migration made us.
pub(crate) fn identity(ours: &Options, scope: Scope) -> String {
    match &ours.role {
        Some(role) => format!("{} ROLE {}; ", scope.set(), sql::ident(role)),
        None => String::new(),
    }
}

async fn connect(options: &PgConnectOptions, patience: Duration) -> Result<PgConnection, Error> {
    match timeout(patience, options.connect()).await {
        Ok(connected) => connected.map_err(|error| Error::driver("connect", error)),
        Err(_) => Err(Error::driver("connect", no_answer())),
    }
}

/// What counts as a lost connection.
pub(crate) fn no_answer() -> sqlx::Error {
    sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())
}

/// A word of farewell finds no way either where nothing is answered any more.
const FAREWELL: Duration = Duration::from_secs(1);

/// Closes a connection in good order, if that takes no time.
pub(crate) async fn close(connection: PgConnection) {
    match timeout(FAREWELL, connection.close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            tracing::debug!(%error, "migrate: a connection did not close in good order");
        }
        Err(_) => tracing::debug!("migrate: a connection did not close in time"),
    }
}

/// Which database of which server this is; `None` where the server does not tell. A standby has the answer of its
/// primary.
pub(crate) async fn whereabouts(connection: &mut PgConnection) -> Option<String> {
    let row = wire::send(connection, sql::whereabouts().to_owned()).await.ok()?;
    row.as_ref().and_then(|row| text(row, "whereabouts")).map(ToOwned::to_owned)
}

/// Other roles may read it in `pg_stat_activity`: it says who holds the lock.
pub(crate) fn holder_name(ours: &Options) -> String {
    application_name(&format!("migrate {} on {}", ours.set, host()))
}

fn application_name(name: &str) -> String {
    name.chars().filter(char::is_ascii).take(63).collect()
}

/// Host and process of this program.
pub(crate) fn host() -> String {
    let kernel = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = kernel.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
    format!("{}:{}", name.trim(), std::process::id())
}
