//! Rows that the application has locked: nobody waits for long, and none is left out.

use super::{FILL, by_id, close, folder, is_filled_once, table};
use crate::harness::Heard;

#[tokio::test]
async fn locked_rows_are_left_for_later_and_come_back() {
    let database = table(1_000).await;
    let holder = database.session("BEGIN; SELECT FROM t WHERE id IN (205, 610) FOR UPDATE").await;
    let heard = Heard::default();
    let filling = {
        let (migrator, options) = (by_id().migrator().observer(heard.clone()), database.options());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    super::is_begun(&database).await;
    let others = "SELECT count(*) = 0 FROM schema_migrations_range WHERE NOT done AND NOT is_hole";
    database.until("SELECT count(*) > 0 FROM schema_migrations_range WHERE is_hole").await;
    database.until(others).await;
    assert_eq!(
        database.value("SELECT count(*) FROM t WHERE id IN (205, 610) AND new IS NULL").await,
        "2"
    );
    let filled = "SELECT count(*) > 600 FROM t WHERE new IS NOT NULL";
    assert_eq!(database.value(filled).await, "true");
    close(holder).await;
    assert_eq!(filling.await.unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

#[tokio::test]
async fn rows_that_stay_locked_end_it_with_a_word_and_nothing_is_lost() {
    let database = table(300).await;
    let holder = database.session("BEGIN; SELECT FROM t WHERE id = 5 FOR UPDATE").await;
    let migrator = by_id().migrator().lock_deadline(std::time::Duration::from_millis(700));
    let error = migrator.backfill(&database.options()).await.unwrap_err();
    assert!(error.to_string().contains("rows of it stay locked"), "{error}");
    close(holder).await;
    assert_eq!(migrator.backfill(&database.options()).await.unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

/// A lock on the table is no lock on its rows: to leave them all for later would only be work.
#[tokio::test]
async fn a_locked_table_is_waited_for() {
    let database = table(1_000).await;
    let holder = database.session("BEGIN; LOCK TABLE t IN SHARE MODE").await;
    let filling = {
        let (migrator, options) = (by_id().migrator(), database.options());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    super::is_begun(&database).await;
    database.until("SELECT count(*) > 0 FROM schema_migrations_range WHERE why = 'somebody has locked public.t'").await;
    assert_eq!(
        database.value("SELECT count(*) FROM schema_migrations_range WHERE is_hole").await,
        "0"
    );
    close(holder).await;
    assert_eq!(filling.await.unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

/// A reader, another update of other rows, and a transaction that reads for long are not waited for at all.
#[tokio::test]
async fn readers_and_writers_of_other_rows_are_not_waited_for() {
    let database = table(1_000).await;
    let reader =
        database.session("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await;
    let writer = database.session("BEGIN; INSERT INTO t VALUES (5000, NULL)").await;
    by_id().migrator().run(&database.options()).await.unwrap();
    is_filled_once(&database).await;
    close(reader).await;
    close(writer).await;
}

/// Where two wait for each other it is the backfill that goes, and comes again.
#[tokio::test]
async fn a_deadlock_is_not_the_end_of_it() {
    let database = table(200).await;
    let slow = FILL.replace(
        "WHERE :batch",
        "WHERE :batch AND pg_sleep(CASE WHEN id = 100 THEN 0.6 ELSE 0 END) IS NOT NULL",
    );
    let filling = {
        let (migrator, options) =
            (folder("backfill t by id batch 200", &slow).migrator(), database.options());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    // It has locked the first rows and comes to the last: crosswise.
    let mut other = database
        .session("SET deadlock_timeout = '10s'; BEGIN; SELECT FROM t WHERE id = 190 FOR UPDATE")
        .await;
    database.until("SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'UPDATE t SET%' AND state = 'active'").await;
    sqlx::raw_sql("UPDATE t SET n = n WHERE id = 2; COMMIT").execute(&mut other).await.unwrap();
    close(other).await;
    assert_eq!(filling.await.unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}
