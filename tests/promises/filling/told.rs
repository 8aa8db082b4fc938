//! What is wrong with a backfill is shown where it stands.

use super::{fails, folder, table};

#[tokio::test]
async fn an_error_of_a_batch_is_shown_in_the_file() {
    let database = table(100).await;
    let statement = "UPDATE t AS longname\nSET new = upper(old)\nWHERE :batch(longname)\n  AND nwe IS DISTINCT FROM upper(old)";
    let error = fails(&folder("backfill t by id", statement).migrator(), &database).await;
    assert_eq!(error.sqlstate(), Some("42703"));
    assert!(error.to_string().contains("1_fill.migrate.sql:5:7"), "{error}");
    assert!(
        error.to_string().contains("now: the batches before it stayed, this one was taken back"),
        "{error}"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_changed_stops_it_behind_the_batches_before() {
    let database = table(1_000).await;
    database.run("ALTER TABLE t ADD CHECK (new <> 'ROW 505')").await;
    let statement =
        "UPDATE t SET new = upper(old), n = n + 1 WHERE :batch AND new IS DISTINCT FROM upper(old)";
    let migrator = folder("backfill t by id batch 100", statement).migrator();
    let error = fails(&migrator, &database).await;
    assert_eq!(error.sqlstate(), Some("23514"));
    assert_ne!(database.value("SELECT count(*) FROM t WHERE n > 0").await, "0");
    database.run("UPDATE t SET old = 'five hundred and five' WHERE id = 505").await;
    migrator.run(&database.options()).await.unwrap();
    super::is_filled_once(&database).await;
}
