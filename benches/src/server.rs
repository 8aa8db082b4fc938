//! The server that everybody is measured against.
//!
//! Owns its settings, which are PostgreSQL's own defaults where speed is measured, and its databases. Knows nothing of what is done to
//! them.

use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use migrate_testing::{Builder, PrivateServer, Server};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::Result;

/// What the throwaway server has otherwise, put back to what PostgreSQL ships with.
const DEFAULTS: [(&str, &str); 9] = [
    ("fsync", "on"),
    ("synchronous_commit", "on"),
    ("full_page_writes", "on"),
    ("autovacuum", "on"),
    ("wal_level", "replica"),
    ("max_wal_senders", "10"),
    ("shared_buffers", "128MB"),
    ("max_connections", "100"),
    ("max_wal_size", "1GB"),
];

/// As somebody has it whose tables have millions of rows: with the defaults every checkpoint would be forced by the
/// WAL, one every few seconds, and the WAL be full of pages that each of them has written anew.
const ROOMY: [(&str, &str); 2] = [("shared_buffers", "1GB"), ("max_wal_size", "8GB")];

/// Where the data is: on a disk, since commits are part of what is measured.
const DISK: &str = "/var/tmp";

/// Starts this program again with the servers' directory on a disk, unless the environment names one; the exit
/// code is the other's.
///
/// # Errors
/// When the program cannot be started.
pub fn on_disk() -> Result<()> {
    if std::env::var_os("MIGRATE_PG_DIR").is_some() {
        return Ok(());
    }
    let mut again = Command::new(std::env::current_exe()?);
    let status = again.args(std::env::args_os().skip(1)).env("MIGRATE_PG_DIR", DISK).status()?;
    std::process::exit(status.code().unwrap_or(1));
}

/// A running server, on TCP.
#[derive(Debug)]
pub struct Bench {
    server: PrivateServer,
    /// How it is set, for people.
    set: &'static str,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Bench {
    /// Starts one with PostgreSQL's default settings.
    ///
    /// # Errors
    /// When there is no PostgreSQL, or it does not start.
    pub fn start() -> Result<Self> {
        Self::with(defaults(), "with its default settings (fsync on), data on disk")
    }

    /// Starts one with room for a large table, and PostgreSQL's default settings otherwise.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn roomy() -> Result<Self> {
        let builder = ROOMY.iter().fold(defaults(), |b, (name, value)| b.setting(name, value));
        let set = "with shared_buffers of 1 GB, max_wal_size of 8 GB and its default settings otherwise \
                   (fsync and autovacuum on), data on disk";
        Self::with(builder, set)
    }

    /// Starts one where nothing waits for a disk, nor for an autovacuum.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn in_memory() -> Result<Self> {
        Self::with(Server::builder(), "without fsync and autovacuum, data in memory")
    }

    fn with(builder: Builder, set: &'static str) -> Result<Self> {
        let server = builder.listen_tcp().private()?;
        let address = server.tcp_address().ok_or("the server does not listen on TCP")?;
        Ok(Self { server, set, address })
    }

    /// What it is, for people.
    pub fn describe(&self) -> String {
        let version = self.server.version();
        let (major, minor) = (version / 10_000, version % 10_000);
        format!("PostgreSQL {major}.{minor} {}, over TCP on one host", self.set)
    }

    /// How to connect to a database.
    pub fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .host(&self.address.ip().to_string())
            .port(self.address.port())
            .username("postgres")
            .ssl_mode(PgSslMode::Disable)
            .database(database)
    }

    /// The same, for libpq.
    pub fn url(&self, database: &str) -> String {
        url(self.address, database)
    }

    /// The program that belongs to it.
    ///
    /// # Errors
    /// When there is none.
    pub fn psql(&self) -> Result<Command> {
        Ok(Command::new(self.server.bin("psql").ok_or("there is no psql")?))
    }

    /// Makes an empty database and says its name. It stays until the server goes: ext4 is slow to create files
    /// for minutes after it has deleted many, and would be measured instead of whoever creates them.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn create(&self) -> Result<String> {
        let name = next();
        self.run(&format!("CREATE DATABASE {name}")).await?;
        Ok(name)
    }

    /// Makes a database like another one, to which nobody may be connected: its files are copied.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn copy(&self, template: &str) -> Result<String> {
        let name = next();
        // Before 15 there is no other way.
        let way = if self.server.version() < 150_000 { "" } else { " STRATEGY file_copy" };
        self.run(&format!("CREATE DATABASE {name} TEMPLATE {template}{way}")).await?;
        Ok(name)
    }

    /// Drops one that is large.
    ///
    /// # Errors
    /// When somebody is connected to it.
    pub async fn drop(&self, database: &str) -> Result<()> {
        self.run(&format!("DROP DATABASE {database}")).await
    }

    async fn run(&self, sql: &str) -> Result<()> {
        let mut connection = self.server.options("postgres").connect().await?;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}

fn defaults() -> Builder {
    DEFAULTS.iter().fold(Server::builder(), |b, (name, value)| b.setting(name, value))
}

/// The name of the next database.
fn next() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    format!("bench_{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The URL of a database at an address: the server's own or a proxy's.
pub fn url(address: SocketAddr, database: &str) -> String {
    format!("postgres://postgres@{address}/{database}?sslmode=disable")
}
