//! Several workers, of one build and of two: none undoes what another does.

use std::time::Duration;

use super::{FILL, at_its_first_batch, close, folder, is_filled_once, table};
use crate::harness::Heard;

/// During a deploy the old build and the new one are there at once.
#[tokio::test]
async fn a_build_that_declares_it_otherwise_leaves_it_to_who_works_at_it() {
    let database = table(1_000).await;
    let old = folder("backfill t by id batch 100", FILL).migrator();
    let new = folder("backfill t by id batch 100", &FILL.replace("upper", "lower")).migrator();
    let (gate, filling) = at_its_first_batch(&old, &database).await;
    let left = new.backfill(&database.options()).await.unwrap().left;
    assert_eq!(left[0].1, "another build, which declares it otherwise, works at it");
    gate.open();
    assert_eq!(filling.join().unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

#[tokio::test]
async fn a_build_whose_declaration_was_replaced_takes_no_range_and_ends() {
    let database = table(1_000).await;
    let old = folder("backfill t by id batch 100", FILL).migrator();
    let (gate, filling) = at_its_first_batch(&old, &database).await;
    let replaced = "UPDATE schema_migrations_range SET expires_at = now() - interval '1 h';
                    UPDATE schema_migrations_backfill SET checksum = 'another'";
    database.run(replaced).await;
    gate.open();
    let report = filling.join().unwrap().unwrap();
    assert_eq!(report.left[0].1, "another build, which declares it otherwise, works at it");
    let said = database.has_table("schema_migrations").await;
    assert!(!said, "it says that what the other does is done");
}

/// One of them sees that every range is done when the other has begun the next pass, and ended it.
#[tokio::test]
async fn a_slow_worker_does_not_undo_what_the_others_have_done_meanwhile() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 20000", FILL).migrator();
    let (gate, slow) = at_its_first_batch(&migrator, &database).await;
    assert_eq!(migrator.backfill(&database.options()).await.unwrap().done.len(), 1);
    let state = "SELECT state || ' ' || pass || ' ' || reason FROM schema_migrations_backfill";
    let before = database.value(state).await;
    assert!(before.starts_with("done 2 858 rows changed"), "{before}");
    gate.open();
    slow.join().unwrap().unwrap();
    assert_eq!(database.value(state).await, before);
    assert_eq!(database.history().await.len(), 1);
    is_filled_once(&database).await;
}

/// Both number what they leave.
#[tokio::test]
async fn two_workers_may_leave_locked_rows_at_the_same_time() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 1000", FILL).migrator().ranges(2);
    migrator.clone().budget(Duration::ZERO).run(&database.options()).await.unwrap();
    let slow = "CREATE FUNCTION waits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.is_hole THEN PERFORM pg_advisory_xact_lock_shared(7); END IF; RETURN NEW; END $$;
                CREATE TRIGGER waits BEFORE INSERT ON schema_migrations_range FOR EACH ROW EXECUTE FUNCTION waits()";
    database.run(slow).await;
    let rows = database.session("BEGIN; SELECT FROM t WHERE id IN (5, 995) FOR UPDATE").await;
    let gate = database.session("SELECT pg_advisory_lock(7)").await;
    let work = || {
        let (migrator, options) = (migrator.clone(), database.options());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    let workers = [work(), work()];
    let waiting = "SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 7
                   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    database.until(waiting).await;
    close(gate).await;
    let holes = "SELECT count(*) = 2 FROM schema_migrations_range WHERE is_hole";
    database.until(holes).await;
    close(rows).await;
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    is_filled_once(&database).await;
}

#[tokio::test]
async fn they_share_it_whatever_the_usual_isolation_is() {
    let database = table(2_000).await;
    database
        .run(&format!(
            "ALTER DATABASE {} SET default_transaction_isolation = 'serializable'",
            database.name
        ))
        .await;
    let migrator = folder("backfill t by id batch 20", FILL).migrator().ranges(4);
    let work = || {
        let (migrator, options) = (migrator.clone(), database.options());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    for worker in [work(), work(), work()] {
        worker.await.unwrap().unwrap();
    }
    is_filled_once(&database).await;
}

/// A place that one has written in the manner of its role is another place in the manner of another.
#[tokio::test]
async fn a_place_means_the_same_to_sessions_that_write_dates_otherwise() {
    let database = super::Database::fresh().await;
    database
        .run(
            "CREATE TABLE t (id timestamptz, k interval, f float8, old text, new text, n int NOT NULL DEFAULT 0, PRIMARY KEY (k, id, f));
             INSERT INTO t SELECT timestamptz '2026-01-01' + g * interval '9 hours', g * interval '-1 day -2 hours', 1 / g::float8,
                 'row ' || g FROM generate_series(1, 1000) g",
        )
        .await;
    let migrator = folder("backfill t by k, id, f batch 50", FILL).migrator().ranges(2);
    let manners = [
        ("SQL, DMY", "sql_standard", -3),
        ("Postgres, MDY", "postgres_verbose", 0),
        ("German", "iso_8601", 1),
    ];
    for (dates, intervals, digits) in manners {
        let name = &database.name;
        database
            .run(&format!(
                "ALTER DATABASE {name} SET datestyle = '{dates}'; ALTER DATABASE {name} SET intervalstyle = '{intervals}';
                 ALTER DATABASE {name} SET extra_float_digits = {digits}; ALTER DATABASE {name} SET timezone = 'Asia/Kolkata'"
            ))
            .await;
        let heard = Heard::default();
        let worker = migrator.clone().observer(heard.clone());
        let options = database.options();
        let worker = tokio::spawn(async move { worker.backfill(&options).await });
        heard.wait_for("batch").await;
        worker.abort();
        drop(worker.await);
    }
    migrator.backfill(&database.options()).await.unwrap();
    is_filled_once(&database).await;
    let reason = super::reason(&database).await;
    assert!(reason.contains("pass 2, "), "a place was not where it was written: {reason}");
}
