//! Two sessions that meet at one row.

use std::time::Duration;

use sqlx::Connection;

use super::super::close;
use super::{FILL, at_its_first_batch, folder, is_in_step, synced, table, ways};

/// Trap 15: a value that was computed from a row as it was read, not as it is when it is written, would be written over
/// what somebody has written meanwhile; and through the trigger it would even change that.
#[tokio::test]
async fn a_value_from_a_subquery_is_not_written_over_a_newer_one() {
    for statement in [
        "UPDATE t SET new = s.x, n = t.n + 1 FROM (SELECT id, 'n:' || old AS x FROM t WHERE :batch OFFSET 0) s \
         WHERE t.id = s.id AND t.new IS DISTINCT FROM s.x AND pauses(t.id)",
        "WITH s AS MATERIALIZED (SELECT id, 'n:' || old AS x FROM t WHERE :batch) \
         UPDATE t SET new = s.x, n = t.n + 1 FROM s WHERE t.id = s.id AND t.new IS DISTINCT FROM s.x AND pauses(t.id)",
        "UPDATE t SET new = 'n:' || old, n = n + 1 WHERE :batch AND new IS DISTINCT FROM 'n:' || old AND pauses(id)",
    ] {
        let database = synced().await;
        database
            .run(
                "CREATE TABLE go AS SELECT false AS yes;
                 CREATE FUNCTION pauses(bigint) RETURNS bool LANGUAGE plpgsql VOLATILE AS $$ BEGIN
                     WHILE $1 = 10 AND NOT (SELECT yes FROM go) LOOP PERFORM pg_sleep(0.01); END LOOP; RETURN true; END $$",
            )
            .await;
        let filling = {
            let migrator = folder("backfill t by id batch 100", statement).migrator();
            let options = database.options();
            tokio::spawn(async move { migrator.backfill(&options).await })
        };
        database.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()").await;
        let mut writer = database.connect().await;
        let writing = tokio::spawn(async move {
            sqlx::raw_sql("UPDATE t SET old = 'newer' WHERE id = 50")
                .execute(&mut writer)
                .await
                .unwrap();
            writer.close().await.unwrap();
        });
        let met = "SELECT old = 'newer' OR EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())
                   FROM t WHERE id = 50";
        database.until(met).await;
        database.run("UPDATE go SET yes = true").await;
        writing.await.unwrap();
        filling.await.unwrap().unwrap();
        assert_eq!(database.value("SELECT old FROM t WHERE id = 50").await, "newer", "{statement}");
        is_in_step(&database).await;
    }
}

/// Trap 24: what the application reads in a snapshot and then writes may have been filled in between; it gets the
/// error that it has to be ready for at that isolation, and only for a row that the filling has changed.
#[tokio::test]
async fn at_a_stricter_isolation_the_application_meets_it_at_the_rows_that_were_changed() {
    let database = synced().await;
    let mut application =
        database.session("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await;
    folder("backfill t by id batch 100", FILL)
        .migrator()
        .backfill(&database.options())
        .await
        .unwrap();
    let unchanged =
        sqlx::raw_sql("UPDATE t SET old = 'seven' WHERE id = 7").execute(&mut application).await;
    unchanged.unwrap();
    let changed =
        sqlx::raw_sql("UPDATE t SET old = 'eight' WHERE id = 8").execute(&mut application).await;
    let error = changed.unwrap_err();
    assert_eq!(error.as_database_error().unwrap().code().as_deref(), Some("40001"));
    sqlx::raw_sql("ROLLBACK; UPDATE t SET old = 'eight' WHERE id = 8")
        .execute(&mut application)
        .await
        .unwrap();
    close(application).await;
    is_in_step(&database).await;
}

/// Trap 26: where the filling and the application lock rows in opposite orders it is the filling that gives way, before
/// the server looks for a deadlock.
#[tokio::test]
async fn of_two_that_wait_for_each_other_the_filling_gives_way() {
    for way in ways().await {
        let database = synced().await;
        let slow = FILL.replace(
            ":batch",
            ":batch AND pg_sleep(CASE WHEN id = 20 AND new IS NULL THEN 0.2 ELSE 0 END) IS NOT NULL",
        );
        let migrator = folder(way, &slow).migrator();
        let mut application =
            database.session("BEGIN; UPDATE t SET old = 'mine' WHERE id = 60").await;
        let filling = {
            let (migrator, options) = (migrator.clone(), database.options());
            tokio::spawn(async move { migrator.backfill(&options).await })
        };
        database.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()").await;
        // It has the first rows and comes to ours.
        sqlx::raw_sql("UPDATE t SET old = 'mine' WHERE id = 10; COMMIT")
            .execute(&mut application)
            .await
            .expect("the application is not the victim");
        close(application).await;
        filling.await.unwrap().unwrap();
        is_in_step(&database).await;
        assert_eq!(database.value("SELECT count(*) FROM t WHERE old = 'mine'").await, "2");
    }
}

/// Trap 27: a snapshot that stays keeps old versions of rows from being cleared away; nothing is wrong with the rows.
#[tokio::test]
async fn beside_a_transaction_that_stays_open_every_row_is_filled_once() {
    for way in ways().await {
        let database = synced().await;
        let reader =
            database.session("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await;
        folder(way, FILL).migrator().backfill(&database.options()).await.unwrap();
        is_in_step(&database).await;
        close(reader).await;
    }
}

/// Trap 32: the time to wait for a lock is one for rows too. One that stays locked holds up neither the others nor, for
/// ever, the worker.
#[tokio::test]
async fn a_row_that_stays_locked_holds_up_no_other_and_is_an_error_in_the_end() {
    for way in ways().await {
        let database = table(1_000).await;
        let holder = database.session("BEGIN; SELECT FROM t WHERE id = 50 FOR UPDATE").await;
        let migrator = folder(way, FILL).migrator().lock_deadline(Duration::from_millis(700));
        let error = migrator.backfill(&database.options()).await.unwrap_err();
        assert!(error.is_busy(), "{error}");
        let filled = "SELECT count(*) > 700 FROM t WHERE new IS NOT NULL";
        assert_eq!(database.value(filled).await, "true", "{way}");
        close(holder).await;
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        gate.open();
        filling.join().unwrap().unwrap();
        is_in_step(&database).await;
    }
}
