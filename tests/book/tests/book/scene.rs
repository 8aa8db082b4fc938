//! Where an error is provoked: a folder, and a database called `shop`, both empty.

use migrate_postgres::core::{Folder, LockTarget, Targets, Work};
use migrate_postgres::{Error, LockMode, MigrationId, Migrator, Phase, Source, Version};
use migrate_testing::Server;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tempfile::TempDir;

pub struct Scene {
    pub options: PgConnectOptions,
    folder: TempDir,
}

impl Scene {
    pub async fn set(server: &Server) -> Self {
        let mut admin = server.options("postgres").connect().await.expect("a connection");
        for statement in ["DROP DATABASE IF EXISTS shop WITH (FORCE)", "CREATE DATABASE shop"] {
            admin.execute(statement).await.expect(statement);
        }
        admin.close().await.expect("closed");
        let scene =
            Self { options: server.options("shop"), folder: TempDir::new().expect("a folder") };
        scene.file("1_customers.sql", "CREATE TABLE customers (id bigint, name text);\n");
        scene.file("1_customers.down.sql", "DROP TABLE customers;\n");
        scene
    }

    pub fn file(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("a file");
    }

    /// A table with rows, and a backfill of it.
    pub fn backfill(&self, order: &str, statement: &str) {
        let rows = "CREATE TABLE customers (id bigint PRIMARY KEY, name text);\nINSERT INTO customers VALUES (1), (2), (3);\n";
        self.file("1_customers.sql", rows);
        std::fs::remove_file(self.folder.path().join("2_email.sql")).ok();
        let fill = format!("-- migrate: backfill customers {order}\n{statement};\n");
        self.file("2_fill.migrate.sql", &fill);
    }

    pub fn remove(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).expect(name);
    }

    pub async fn session(&self, sql: &str) -> PgConnection {
        let mut connection = self.options.connect().await.expect("a connection");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect(sql);
        connection
    }

    pub async fn sql(&self, sql: &str) {
        self.session(sql).await.close().await.expect("closed");
    }

    pub fn migrator(&self) -> Migrator {
        Migrator::new(Source::read(self.folder.path()).expect("a good folder"))
    }

    /// One that knows what the second migration locks, as a program does that has it from the compiler.
    pub fn foreseeing(&self) -> Migrator {
        let lock = LockTarget {
            relation: "customers".into(),
            is_guess: false,
            mode: LockMode::AccessExclusive,
            work: Work::None,
        };
        let targets = Targets {
            migration: MigrationId::new(Version::new(2), Phase::Expand),
            offset: 0,
            locks: vec![lock].into(),
            opaque: false,
        };
        let source = Source::read(self.folder.path()).expect("a good folder");
        Migrator::new(source.with_targets(vec![targets]))
    }

    pub async fn run(&self) {
        self.migrator().run(&self.options).await.expect("a good run");
    }

    /// What a run says that fails.
    pub async fn fails(&self) -> String {
        self.fails_with(|migrator| migrator).await
    }

    pub async fn fails_with(&self, change: impl FnOnce(Migrator) -> Migrator) -> String {
        let end = change(self.migrator()).run(&self.options).await;
        self.told(&end.expect_err("an error"))
    }

    pub async fn fails_as(&self, options: PgConnectOptions) -> String {
        self.told(&self.migrator().run(&options).await.expect_err("an error"))
    }

    pub async fn fails_to_revert(&self, to: Option<Version>) -> String {
        self.told(&self.migrator().revert(&self.options, to).await.expect_err("an error"))
    }

    pub fn told(&self, error: &Error) -> String {
        self.shown(&error.to_string())
    }

    /// What is wrong with the folder.
    pub fn problems(&self) -> String {
        let problems = Source::read(self.folder.path()).expect_err("problems");
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        self.shown(&told.join("\n"))
    }

    /// The folder as a program knows it that was compiled before the first file came.
    pub fn older_folder(&self) -> Folder {
        let path: &'static str = self.folder.path().display().to_string().leak();
        Folder {
            path: "migrations",
            packed: migrate_postgres::core::Packed::EMPTY,
            digest: migrate_postgres::core::digest([]),
            on_disk: Some(path),
            files: &[],
            targets: &[],
        }
    }

    fn shown(&self, text: &str) -> String {
        text.replace(&self.folder.path().display().to_string(), "migrations")
    }
}
