//! What the promises are stated with: databases, folders made of a few lines, and looks at the catalog.

use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use migrate_postgres::{Limits, Migrator, Report, Source};
use migrate_testing::Server;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tempfile::TempDir;

mod application;
mod gate;
mod heard;
mod pooler;
mod theirs;
mod traced;

pub use application::Application;
pub use gate::{Gate, aside};
pub use heard::Heard;
pub use migrate_tests::proxy;
pub use pooler::Pooler;
pub use theirs::Sqlx;
pub use traced::{trace_this_thread, traced};

/// An empty database of its own on the shared server; dropped with the value, and its roles too.
pub struct Database {
    pub server: Server,
    pub name: String,
    roles: Mutex<Vec<String>>,
}

impl Database {
    pub async fn fresh() -> Self {
        Self::on(Server::shared().expect("a server")).await
    }

    pub async fn on(server: Server) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("p{}_{number}", std::process::id());
        let mut admin = server.options("postgres").connect().await.expect("a connection");
        admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.expect("a database");
        admin.close().await.expect("closed");
        Self { server, name, roles: Mutex::default() }
    }

    /// One that is there, on a server that came by it otherwise.
    pub fn known(server: &Server, name: &str) -> Self {
        Self { server: server.clone(), name: name.to_owned(), roles: Mutex::default() }
    }

    /// A role of this test alone; `attributes` are those of `CREATE ROLE`.
    pub async fn role(&self, name: &str, attributes: &str) -> String {
        let role = format!("{}_{name}", self.name);
        self.run(&format!("CREATE ROLE {role} {attributes}")).await;
        self.roles.lock().expect("no panic").push(role.clone());
        role
    }

    pub fn options(&self) -> PgConnectOptions {
        self.server.options(&self.name)
    }

    pub async fn connect(&self) -> PgConnection {
        self.options().connect().await.expect("a connection")
    }

    pub async fn pool(&self) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(3);
        pool.connect_with(self.options()).await.expect("a pool")
    }

    pub async fn run(&self, sql: &str) {
        let mut connection = self.connect().await;
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await.expect(sql);
        connection.close().await.expect("closed");
    }

    /// A session that has done this and stays: for locks, snapshots and open transactions.
    pub async fn session(&self, sql: &'static str) -> PgConnection {
        let mut connection = self.connect().await;
        sqlx::raw_sql(sql).execute(&mut connection).await.expect(sql);
        connection
    }

    /// The one value that a query gives, as text.
    pub async fn value(&self, sql: &str) -> String {
        let mut connection = self.connect().await;
        let sql = format!("SELECT ({sql})::text");
        let value: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql))
            .fetch_one(&mut connection)
            .await
            .expect("a value");
        connection.close().await.expect("closed");
        value.unwrap_or_else(|| "NULL".to_owned())
    }

    /// Waits until something is true.
    pub async fn until(&self, sql: &str) {
        for _ in 0..3000 {
            if self.value(sql).await == "true" {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never came true: {sql}");
    }

    /// What the history says, a line a row.
    pub async fn history(&self) -> Vec<String> {
        let text = self
            .value(
                "SELECT coalesce(string_agg(concat_ws(' ', seq, version, phase, kind, direction, state, statement), \
                 '|' ORDER BY seq), '') FROM public.schema_migrations",
            )
            .await;
        text.split('|').filter(|line| !line.is_empty()).map(ToOwned::to_owned).collect()
    }

    /// The versions that are complete, in the order in which they became so.
    pub async fn done(&self) -> String {
        let done = "SELECT string_agg(version::text, ' ' ORDER BY seq) FROM schema_migrations \
                    WHERE state = 'done' AND statement IS NULL";
        self.value(done).await
    }

    /// How many transactions wrote the history.
    pub async fn transactions(&self) -> usize {
        let transactions = "SELECT count(DISTINCT xmin::text) FROM schema_migrations";
        self.value(transactions).await.parse().expect("a number")
    }

    pub async fn has_table(&self, name: &str) -> bool {
        self.value(&format!("SELECT to_regclass('{name}') IS NOT NULL")).await == "true"
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let options = self.server.options("postgres");
        let roles = self.roles.get_mut().map(std::mem::take).unwrap_or_default();
        let database = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let roles = roles.into_iter().rev().map(|role| format!("DROP ROLE IF EXISTS {role}"));
        let drops: Vec<_> = [database].into_iter().chain(roles).collect();
        let drop = async move {
            let mut admin = options.connect().await?;
            for drop in drops {
                admin.execute(AssertSqlSafe(drop)).await?;
            }
            admin.close().await
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let dropped = std::thread::spawn(move || runtime.map(|runtime| runtime.block_on(drop)));
        drop_result(dropped.join());
    }
}

/// A server that a test has killed has no database to drop.
fn drop_result<T>(_: T) {}

/// A folder of migrations, made of names and texts.
pub struct Folder(TempDir);

impl Folder {
    pub fn of(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().expect("a folder"));
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    pub fn write(&self, name: &str, text: &str) {
        std::fs::write(self.0.path().join(name), text).expect("a file");
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.0.path().join(name)).expect("a file less");
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn source(&self) -> Source {
        match Source::read(self.path()) {
            Ok(source) => source,
            Err(problems) => panic!("{problems:#?}"),
        }
    }

    pub fn migrator(&self) -> Migrator {
        Migrator::new(self.source()).limits(alone())
    }
}

/// What a backfill keeps to where others load the same server, and are not to be minded.
pub fn alone() -> Limits {
    let mut limits = Limits::default();
    for one in ["wal_rate=none", "active=none", "blocked=none", "duty=0"] {
        limits.set(one).expect("a limit");
    }
    limits
}

/// What a run applied, as people write it.
pub fn applied(report: &Report) -> Vec<String> {
    report.applied.iter().map(|applied| applied.id.to_string()).collect()
}
