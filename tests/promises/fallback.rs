//! A fresh database's migrations that do not fit one transaction.

use migrate_testing::Server;

use crate::harness::{Database, Folder, Heard, applied};

/// Runs on a database that counts as fresh; each ends up with a transaction of its own, and it is told.
async fn falls_back(database: &Database, folder: &Folder, sqlstate: &str) {
    let heard = Heard::default();
    let migrator = folder.migrator().observer(heard.clone());
    let report = migrator.run(&database.pool().await).await.unwrap_or_else(|e| panic!("{e}"));
    assert!(report.fell_back, "{report}");
    assert!(report.to_string().contains("a transaction each"), "{report}");
    let heard = heard.take();
    assert!(heard.contains(&format!("fell back {sqlstate}")), "{heard:?}");
    let history = database.history().await;
    assert_eq!(history.len(), applied(&report).len(), "{history:?}");
    assert!(history.iter().all(|line| line.ends_with("up done")), "{history:?}");
    assert_eq!(database.transactions().await, history.len());
    assert!(migrator.run(&database.pool().await).await.unwrap().is_empty());
}

#[tokio::test]
async fn an_enum_value_is_added_and_used() {
    let database = Database::fresh().await;
    database.run("CREATE TYPE mood AS ENUM ('sad')").await;
    let folder = Folder::of(&[
        ("1_value.sql", "ALTER TYPE mood ADD VALUE 'glad';"),
        ("2_use.sql", "CREATE TABLE moods (mood mood DEFAULT 'glad');"),
        ("3_more.sql", "INSERT INTO moods DEFAULT VALUES;"),
    ]);
    falls_back(&database, &folder, "55P04").await;
    assert_eq!(database.value("SELECT mood FROM moods").await, "glad");
}

#[tokio::test]
async fn an_enum_made_extended_and_used_works_too() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[
        ("1_type.sql", "CREATE TYPE mood AS ENUM ('sad');"),
        ("2_value.sql", "ALTER TYPE mood ADD VALUE 'glad';"),
        ("3_use.sql", "CREATE TABLE moods (mood mood DEFAULT 'glad');"),
    ]);
    let report = folder.migrator().run(&database.pool().await).await.unwrap();
    let fits = database.server.version() >= 170_000;
    assert_eq!(report.fell_back, !fits, "{report}");
    assert_eq!(applied(&report).len(), 3);
}

#[tokio::test]
async fn trigger_events_are_pending() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[
        (
            "1_a.sql",
            "CREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE INITIALLY DEFERRED);",
        ),
        ("2_rows.sql", "INSERT INTO a VALUES (1, 2); INSERT INTO a VALUES (2, 1);"),
        ("3_more.sql", "ALTER TABLE a ADD COLUMN c int;"),
    ]);
    falls_back(&database, &folder, "55006").await;
}

#[tokio::test]
async fn the_plan_is_larger_than_the_lock_table() {
    let server = Server::builder().setting("max_locks_per_transaction", "10");
    let server = server.setting("max_connections", "12").private().unwrap();
    let database = Database::on((*server).clone()).await;
    let tables = |m: usize| {
        (0..30).map(|t| format!("CREATE TABLE t{m}_{t} (id int PRIMARY KEY);")).collect::<String>()
    };
    let texts: Vec<(String, String)> =
        (1..=60).map(|m| (format!("{m}_tables.sql"), tables(m))).collect();
    let files: Vec<(&str, &str)> = texts.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    falls_back(&database, &Folder::of(&files), "53200").await;
}

#[tokio::test]
async fn one_by_itself_that_fails_so_is_just_an_error() {
    let database = Database::fresh().await;
    database.run("CREATE TYPE mood AS ENUM ('sad')").await;
    let folder = Folder::of(&[(
        "1_both.sql",
        "ALTER TYPE mood ADD VALUE 'glad';\nCREATE TABLE moods (mood mood DEFAULT 'glad');",
    )]);
    let error = folder.migrator().run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("55P04"));
    assert!(error.to_string().contains("hint: New enum values must be committed"), "{error}");
}
