//! What the batches made larger is told, and built anew where the file asks for it.

use std::time::Duration;

use migrate_postgres::Migrator;
use sqlx::{Connection, PgConnection};

use super::{FILL, folder, reason, table};
use crate::harness::{Database, Heard};

/// Every new version of a row has an entry in it, and it is packed when the backfill begins.
async fn indexed() -> Database {
    let database = table(40_000).await;
    database.run("CREATE INDEX t_old ON t (old); CREATE INDEX t_new ON t (new)").await;
    database
}

const SIZE: &str = "SELECT pg_relation_size('t_old')";

async fn size(database: &Database) -> i64 {
    database.value(SIZE).await.parse().unwrap()
}

async fn is_sound(database: &Database) {
    let broken = "SELECT count(*) FROM pg_index WHERE indrelid = 't'::regclass AND NOT indisvalid";
    assert_eq!(database.value(broken).await, "0");
    let others = "SELECT string_agg(indexrelid::regclass::text, ' ' ORDER BY indexrelid::regclass::text) FROM pg_index WHERE indrelid = 't'::regclass";
    assert_eq!(database.value(others).await, "t_new t_old t_pkey");
}

fn reindexing(heard: &Heard) -> Migrator {
    folder("backfill t by id batch 5000\nreindex", FILL).migrator().observer(heard.clone())
}

#[tokio::test]
async fn an_index_that_grew_is_told_in_the_history_and_left_as_it_is() {
    let database = indexed().await;
    let before = size(&database).await;
    folder("backfill t by id batch 5000", FILL).migrator().run(&database.options()).await.unwrap();
    let reason = reason(&database).await;
    assert!(reason.contains("; index public.t_old grew from "), "{reason}");
    assert!(size(&database).await > before * 6 / 5);
}

#[tokio::test]
async fn it_is_built_anew_where_the_file_says_so() {
    let (database, heard) = (indexed().await, Heard::default());
    let before = size(&database).await;
    reindexing(&heard).backfill(&database.options()).await.unwrap();
    assert!(size(&database).await <= before * 6 / 5);
    is_sound(&database).await;
    let told = heard.all();
    let is_told = |line: &String| {
        line.contains("index public.t_old grew from ") && line.contains("and was built anew in ")
    };
    assert!(told.iter().any(is_told), "{told:?}");
}

/// Other starts wait while a run has the lock of the set.
#[tokio::test]
async fn a_run_says_how_it_is_built_anew_and_leaves_it() {
    let (database, heard) = (indexed().await, Heard::default());
    let before = size(&database).await;
    reindexing(&heard).run(&database.options()).await.unwrap();
    assert!(size(&database).await > before * 6 / 5);
    assert!(heard.all().iter().any(|line| is_left(line)), "{:?}", heard.all());
}

fn is_left(line: &str) -> bool {
    let by_hand = "`REINDEX INDEX CONCURRENTLY public.t_old` does it";
    line.contains("was not built anew") && line.contains(by_hand)
}

/// Whoever has an index closed holds up no backfill: then it is not known how large it was.
#[tokio::test]
async fn sizes_that_cannot_be_seen_are_told_and_nothing_waits_for_them() {
    let (database, heard) = (indexed().await, Heard::default());
    let mut closed = database.connect().await;
    sqlx::raw_sql("BEGIN; DROP INDEX t_old").execute(&mut closed).await.unwrap();
    let filling = reindexing(&heard);
    let options = database.options();
    let filling = tokio::spawn(async move { filling.backfill(&options).await });
    heard.wait_for("Warning { text: \"the sizes of indexes were not noted").await;
    sqlx::raw_sql("ROLLBACK").execute(&mut closed).await.unwrap();
    filling.await.unwrap().unwrap();
    super::is_filled_once(&database).await;
}

/// The rebuild waits for a snapshot that is older than it, longer than such a statement may take.
#[tokio::test]
async fn one_that_is_not_done_in_time_leaves_nothing_and_does_not_keep_the_backfill_from_being_done()
 {
    let (database, heard) = (indexed().await, Heard::default());
    let mut old = PgConnection::connect_with(&database.options()).await.unwrap();
    sqlx::raw_sql("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT txid_current_snapshot()")
        .execute(&mut old)
        .await
        .unwrap();
    let migrator = reindexing(&heard).standalone_deadline(Duration::from_millis(300));
    let report = migrator.run(&database.options()).await.unwrap();
    assert_eq!(report.applied.len(), 1);
    let told = heard.all();
    let is_told = |line: &String| {
        line.contains("was not built anew")
            && line.contains("`REINDEX INDEX CONCURRENTLY public.t_old` does it")
    };
    assert!(told.iter().any(is_told), "{told:?}");
    old.close().await.unwrap();
    is_sound(&database).await;
}
