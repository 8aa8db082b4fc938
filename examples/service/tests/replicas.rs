//! Real processes on free ports, and one database.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "to panic is how a test says no"
)]

mod replica;

use migrate_postgres::{Migrator, Version};
use migrate_testing::TestDatabase;
use replica::Replica;
use service::AppMigrations;
use sqlx::{AssertSqlSafe, Executor};

/// A session that writes notes and does not commit: a concurrent index build waits for it.
async fn somebody_writes(db: &TestDatabase) -> sqlx::PgConnection {
    Migrator::new(AppMigrations).run_to(db.pool(), Version::new(20261105090000)).await.unwrap();
    let mut writer = db.connect().await.unwrap();
    let write = "BEGIN; INSERT INTO notes (author, body) VALUES ('eve', 'not yet committed')";
    writer.execute(sqlx::raw_sql(write)).await.unwrap();
    writer
}

async fn value(db: &TestDatabase, sql: &str) -> String {
    let sql = format!("SELECT ({sql})::text");
    sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(db.pool()).await.unwrap()
}

/// How often each migration was completed.
const COMPLETED: &str = "SELECT string_agg(version || ' ' || completed, ', ' ORDER BY version) FROM \
    (SELECT version, count(*) AS completed FROM schema_migrations \
     WHERE state = 'done' AND statement IS NULL GROUP BY version) AS done";
const EACH_ONCE: &str = "20261105090000 1, 20261112101500 1";

#[migrate_testing::test]
async fn three_replicas_that_start_at_once_migrate_once_and_serve(db: TestDatabase) {
    let mut replicas = [(); 3].map(|()| Replica::start(&db.url()));
    replicas.iter_mut().for_each(Replica::until_ready);
    assert_eq!(value(&db, COMPLETED).await, EACH_ONCE);

    let [first, second, third] = &mut replicas;
    assert_eq!(first.request("POST", "/notes/ada", "buy milk"), "201 ");
    assert_eq!(second.request("GET", "/notes/ada", ""), "200 buy milk\n");
    assert_eq!(third.request("GET", "/live", ""), "200 alive\n");

    let mut done = 0;
    for replica in &mut replicas {
        replica.tell_to_stop();
        assert!(replica.ended().success());
        done += replica.logged("migrate: done");
    }
    assert_eq!(done, 2, "each migration by one of them");
}

#[migrate_testing::test]
async fn until_the_database_is_up_to_date_a_replica_is_alive_and_not_ready(db: TestDatabase) {
    let writer = somebody_writes(&db).await;
    let mut replicas = [(); 2].map(|()| Replica::start(&db.url()));
    for replica in &mut replicas {
        replica.until_answer("/ready", "503 ", "migrat"); // one does, the other waits for it
        assert_eq!(replica.request("GET", "/live", ""), "200 alive\n");
        assert_eq!(replica.request("GET", "/notes/ada", ""), "503 ");
    }
    drop(writer);
    replicas.iter_mut().for_each(Replica::until_ready);
    assert_eq!(value(&db, COMPLETED).await, EACH_ONCE);
}

#[migrate_testing::test]
async fn a_replica_that_is_stopped_while_it_migrates_leaves_the_rest_to_the_next(db: TestDatabase) {
    let writer = somebody_writes(&db).await;
    let mut first = Replica::start(&db.url());
    first.until_answer("/ready", "503 ", "migrating: 20261112101500");
    first.tell_to_stop();
    assert!(first.ended().success());
    let mut next = Replica::start(&db.url());
    drop(writer);
    next.until_ready();
    let valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'notes_by_author'::regclass";
    assert_eq!(value(&db, valid).await, "true");
    assert_eq!(value(&db, COMPLETED).await, EACH_ONCE);
}

#[migrate_testing::test(AppMigrations)]
async fn a_replica_that_is_told_to_stop_ends_after_the_request_it_is_in(db: TestDatabase) {
    let mut replica = Replica::start(&db.url());
    replica.until_ready();
    let mut holder = db.connect().await.unwrap();
    holder.execute(sqlx::raw_sql("BEGIN; LOCK TABLE notes IN SHARE MODE")).await.unwrap();
    let request = replica.send("POST", "/notes/ada", "buy milk");
    let waits =
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'notes'::regclass)";
    while value(&db, waits).await == "false" {}
    replica.tell_to_stop();
    replica.until_logged("stopping");
    drop(holder);
    assert_eq!(replica::answer(request), "201 ");
    assert!(replica.ended().success());
    assert_eq!(value(&db, "SELECT body FROM notes").await, "buy milk");
}

#[migrate_testing::test]
async fn a_database_that_cannot_be_brought_up_to_date_ends_the_process(db: TestDatabase) {
    sqlx::query("CREATE TABLE notes ()").execute(db.pool()).await.unwrap();
    let mut replica = Replica::start(&db.url());
    assert!(!replica.ended().success());
    assert_eq!(replica.logged("failed to apply 20261105090000 expand create_notes"), 1);
}

#[test]
fn the_example_needs_no_database_of_its_own() {
    let mut example = Replica::example();
    example.until_ready();
    assert_eq!(example.request("POST", "/notes/ada", "buy milk"), "201 ");
    example.tell_to_stop();
    assert!(example.ended().success());
}
