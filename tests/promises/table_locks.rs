//! A migration asks for locks briefly, again and again, and gives up with nothing changed.

use std::time::Duration;

use tokio::task::JoinHandle;

use migrate_postgres::{Error, Migrator, Report};

use crate::harness::{Database, Folder, Heard};

const ADD: (&str, &str) = ("1_add.sql", "ALTER TABLE t ADD COLUMN added int;");
const COLUMNS: &str = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
                       WHERE attrelid = 't'::regclass AND attnum > 0 AND NOT attisdropped";

fn run(migrator: Migrator, database: &Database) -> JoinHandle<Result<Report, Error>> {
    let options = database.options();
    tokio::spawn(async move { migrator.run(&options).await })
}

#[tokio::test]
async fn a_reader_is_waited_for_in_short_attempts() {
    for head in ["", "-- migrate: no-transaction\n"] {
        let database = Database::fresh().await;
        database.run("CREATE TABLE t (n int)").await;
        let folder = Folder::of(&[(ADD.0, &format!("{head}{}", ADD.1))]);
        let reader = database.session("BEGIN; SELECT FROM t").await;
        let heard = Heard::default();
        let short = folder.migrator().lock_ladder([Duration::from_millis(20)]);
        let running = run(short.observer(heard.clone()), &database);
        heard.wait_for("retrying 1 expand 2 55P03").await;
        drop(reader);
        let report = running.await.unwrap().expect("a good end");
        assert_eq!(report.applied.len(), 1);
        assert_eq!(database.value(COLUMNS).await, "n added");
    }
}

#[tokio::test]
async fn a_deadline_ends_it_with_nothing_changed() {
    for head in ["", "-- migrate: no-transaction\n"] {
        let database = Database::fresh().await;
        database.run("CREATE TABLE t (n int)").await;
        let folder = Folder::of(&[(ADD.0, &format!("{head}{}", ADD.1))]);
        let reader = database.session("BEGIN; SELECT FROM t").await;
        let short = Duration::from_millis(20);
        let migrator = folder.migrator().lock_ladder([short]).lock_deadline(short);
        let error = run(migrator, &database).await.unwrap().expect_err("the reader stays");
        assert!(error.is_lock_timeout(), "{error}");
        let place = error.place().map(|(_, line, column)| (line, column));
        assert_eq!(place, Some((if head.is_empty() { 1 } else { 2 }, 1)), "{error}");
        let told = error.to_string();
        let now =
            if head.is_empty() { "nothing of it stayed" } else { "no statement of it took effect" };
        assert!(told.contains(now), "{told}");
        assert!(told.contains("next: Another session holds a lock that this needs"), "{told}");
        assert_eq!(database.value(COLUMNS).await, "n");
        drop(reader);
        let report = run(folder.migrator(), &database).await.unwrap().expect("a good end");
        assert_eq!(report.applied.len(), 1);
        assert_eq!(database.value(COLUMNS).await, "n added");
    }
}

/// The other session would find the deadlock only after an hour, so it is always the migration that is ended.
#[tokio::test]
async fn a_deadlock_is_broken_and_tried_again() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (n int); CREATE TABLE u (n int)").await;
    database.run(&format!("ALTER DATABASE {} SET deadlock_timeout = '10ms'", database.name)).await;
    let both = "LOCK TABLE t; SELECT pg_advisory_xact_lock_shared(1); LOCK TABLE u; ALTER TABLE t ADD COLUMN added int;";
    let folder = Folder::of(&[("1_both.sql", both)]);
    let mut other = database
        .session("SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE u; SELECT pg_advisory_lock(1)")
        .await;
    let heard = Heard::default();
    let patient = folder.migrator().lock_ladder([Duration::from_secs(60)]);
    let running = run(patient.observer(heard.clone()), &database);
    database.until("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND NOT granted)").await;
    sqlx::raw_sql("SELECT pg_advisory_unlock(1); LOCK TABLE t; COMMIT")
        .execute(&mut other)
        .await
        .expect("both");
    let report = running.await.unwrap().expect("a good end");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(heard.with("retrying"), ["retrying 1 expand 1 40P01"]);
    assert_eq!(database.value(COLUMNS).await, "n added");
}
