//! Indexes are built and dropped without stopping anybody, and a build that broke is done again.

use std::time::Duration;

use migrate_postgres::Migrator;
use tokio::task::JoinHandle;

use crate::harness::{Database, Folder, Heard};

const BUILD: (&str, &str) =
    ("1_index.sql", "-- migrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n);");
const BUILD_IF_NOT_EXISTS: (&str, &str) = (
    "1_index.sql",
    "-- migrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS t_n ON t (n);",
);
const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class";
const WAITS_FOR_THE_SNAPSHOT: &str = "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index \
    WHERE datname = current_database() AND phase = 'waiting for old snapshots')";
const VALID: &str = "SELECT string_agg(indexrelid::regclass || ' ' || indisvalid, ', ' ORDER BY 1) FROM pg_index \
     WHERE indrelid = 't'::regclass";

async fn table() -> Database {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (n int); INSERT INTO t SELECT generate_series(1, 100)").await;
    database
}

fn run(migrator: Migrator, database: &Database) -> JoinHandle<usize> {
    let options = database.options();
    tokio::spawn(async move { migrator.run(&options).await.expect("a good end").applied.len() })
}

/// A waiter that kept a snapshot would be waited for by the build that it waits for.
#[tokio::test]
async fn two_migrators_and_one_builds_an_index_concurrently() {
    for _ in 0..4 {
        let (database, folder) = (table().await, Folder::of(&[BUILD]));
        let snapshot = database.session(SNAPSHOT).await;
        let builder = run(folder.migrator(), &database);
        database.until(WAITS_FOR_THE_SNAPSHOT).await;
        let heard = Heard::default();
        let waiter = run(folder.migrator().observer(heard.clone()), &database);
        heard.wait_for("waiting for").await;
        drop(snapshot);
        assert_eq!(builder.await.unwrap(), 1);
        assert_eq!(waiter.await.unwrap(), 0);
        assert_eq!(database.value(VALID).await, "t_n true");
    }
}

#[tokio::test]
async fn a_build_outlives_every_timeout_while_an_old_snapshot_lives() {
    let (database, folder) = (table().await, Folder::of(&[BUILD]));
    let short = Duration::from_millis(100);
    let migrator =
        folder.migrator().statement_timeout(short).lock_ladder([short]).lock_deadline(short);
    let heard = Heard::default();
    let snapshot = database.session(SNAPSHOT).await;
    let timeouts = [("statement_timeout", "100ms"), ("lock_timeout", "100ms")];
    let options = database.options().options(timeouts);
    let migrator = migrator.observer(heard.clone());
    let builder = tokio::spawn(async move { migrator.run(&options).await });
    database.until(WAITS_FOR_THE_SNAPSHOT).await;
    tokio::time::sleep(short * 10).await;
    assert_eq!(database.value(WAITS_FOR_THE_SNAPSHOT).await, "true", "it still waits");
    drop(snapshot);
    assert_eq!(builder.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(heard.with("retrying"), Vec::<String>::new());
    assert_eq!(database.value(VALID).await, "t_n true");
}

#[tokio::test]
async fn a_build_that_met_a_duplicate_is_done_again_when_the_data_is_right() {
    for file in [BUILD, BUILD_IF_NOT_EXISTS] {
        let (database, folder) = (table().await, Folder::of(&[file]));
        database.run("INSERT INTO t VALUES (7)").await;
        for _ in 0..2 {
            let error =
                folder.migrator().run(&database.options()).await.expect_err("7 is there twice");
            assert_eq!(error.sqlstate(), Some("23505"), "{error}");
            let (file, line, column) = error.place().expect("a place");
            assert!(file.ends_with("1_index.sql") && (line, column) == (2, 1), "{error}");
            assert_eq!(database.value(VALID).await, "t_n false", "one broken index, not two");
        }
        database.run("DELETE FROM t WHERE n = 7").await;
        assert_eq!(run(folder.migrator(), &database).await.unwrap(), 1);
        assert_eq!(database.value(VALID).await, "t_n true");
    }
}

#[tokio::test]
async fn if_not_exists_does_not_take_a_broken_index_for_a_whole_one() {
    let (database, folder) = (table().await, Folder::of(&[BUILD_IF_NOT_EXISTS]));
    database.run("INSERT INTO t VALUES (7)").await;
    let mut by_hand = database.connect().await;
    let broken =
        sqlx::raw_sql("CREATE UNIQUE INDEX CONCURRENTLY t_n ON t (n)").execute(&mut by_hand);
    broken.await.expect_err("7 is there twice");
    assert_eq!(database.value(VALID).await, "t_n false");
    database.run("DELETE FROM t WHERE n = 7").await;
    let heard = Heard::default();
    assert_eq!(run(folder.migrator().observer(heard.clone()), &database).await.unwrap(), 1);
    assert_eq!(database.value(VALID).await, "t_n true");
    assert_eq!(heard.with("recovered").len(), 1, "{:#?}", heard.all());
}

#[tokio::test]
async fn a_broken_index_of_another_table_is_not_ours_to_drop() {
    let (database, folder) = (table().await, Folder::of(&[BUILD]));
    database.run("CREATE TABLE other (n int); INSERT INTO other VALUES (1), (1)").await;
    let mut by_hand = database.connect().await;
    let broken =
        sqlx::raw_sql("CREATE UNIQUE INDEX CONCURRENTLY t_n ON other (n)").execute(&mut by_hand);
    broken.await.expect_err("1 is there twice");
    let error = folder.migrator().run(&database.options()).await.expect_err("the name is taken");
    assert_eq!(error.sqlstate(), Some("42P07"), "{error}");
    assert_eq!(database.value("SELECT to_regclass('t_n') IS NOT NULL").await, "true");
}

#[tokio::test]
async fn the_timeouts_that_a_file_sets_hold_behind_a_build_too() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[(
        "1_index.sql",
        "-- migrate: no-transaction\nSET lock_timeout = '7s';\nSET statement_timeout = '77s';\n\
         CREATE TABLE seen (what text);\nCREATE INDEX CONCURRENTLY seen_what ON seen (what);\n\
         INSERT INTO seen SELECT concat_ws(' ', current_setting('lock_timeout'), \
         current_setting('statement_timeout'));",
    )]);
    folder.migrator().run(&database.options()).await.expect("a good end");
    assert_eq!(database.value("SELECT what FROM seen").await, "7s 77s");
}
