//! A change of data in batches: every row is changed once, nobody waits for it, and it is done only when it holds.

use std::thread::JoinHandle;
use std::time::Duration;

use migrate_postgres::{
    BackfillReport, Error, MigrationId, Migrator, Phase, Reason, Version, Wanted,
};
use sqlx::{Connection, PgConnection};

use crate::harness::{Database, Folder, Gate, Heard, applied};

mod anew;
mod idempotent;
mod locked;
mod meanwhile;
mod orders;
mod paced;
mod rust;
mod tidy;
mod told;
mod traps;
mod workers;

/// The migration that most of these tests run.
fn id() -> MigrationId {
    MigrationId::new(Version::new(1), Phase::Migrate)
}

/// A column that is to be another one in upper case; each change of a row is counted.
const FILL: &str =
    "UPDATE t SET new = upper(old), n = n + 1 WHERE :batch AND new IS DISTINCT FROM upper(old)";

fn folder(directives: &str, statement: &str) -> Folder {
    let lines: String = directives.lines().map(|line| format!("-- migrate: {line}\n")).collect();
    Folder::of(&[("1_fill.migrate.sql", &format!("{lines}{statement};"))])
}

fn by_id() -> Folder {
    folder("backfill t by id batch 100", FILL)
}

/// A table with so many rows of which nothing is filled.
async fn table(rows: u32) -> Database {
    table_on(Database::fresh().await, rows).await
}

async fn table_on(database: Database, rows: u32) -> Database {
    database
        .run(&format!(
            "CREATE TABLE t (id bigint PRIMARY KEY, old text, new text, n int NOT NULL DEFAULT 0);
             INSERT INTO t SELECT g, CASE WHEN g % 7 > 0 THEN 'row ' || g END FROM generate_series(1, {rows}) g;
             ANALYZE t"
        ))
        .await;
    database
}

/// Every row is as it should be, and was changed as often as it had to be: once, where there was something to change.
async fn is_filled_once(database: &Database) {
    let wrong = "SELECT count(*) FROM t WHERE new IS DISTINCT FROM upper(old)";
    assert_eq!(database.value(wrong).await, "0", "rows that are not filled");
    let often = "SELECT count(*) FROM t WHERE n <> (old IS NOT NULL)::int";
    assert_eq!(database.value(often).await, "0", "rows that were not changed once");
}

/// Waits until somebody has begun.
async fn is_begun(database: &Database) {
    database.until("SELECT to_regclass('schema_migrations_range') IS NOT NULL").await;
}

async fn reason(database: &Database) -> String {
    database
        .value("SELECT reason FROM schema_migrations WHERE version = 1 AND state = 'done'")
        .await
}

#[tokio::test]
async fn every_row_is_changed_once_and_the_history_says_what_was_found() {
    let database = table(1_000).await;
    let heard = Heard::default();
    let migrator = by_id().migrator().observer(heard.clone());
    let report = migrator.run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["1 migrate"]);
    is_filled_once(&database).await;
    assert_eq!(database.history().await, ["1 1 migrate backfill up done"]);
    let reason = reason(&database).await;
    assert!(
        reason.starts_with("858 rows changed; pass 2, over 1000 rows, found none left ("),
        "{reason}"
    );
    assert!(heard.with("batch 1 migrate").len() > 3, "{:?}", heard.all());
    assert!(migrator.run(&database.options()).await.unwrap().is_empty());
    assert_eq!(
        database
            .value("SELECT count(*) FROM pg_stats WHERE tablename = 't' AND attname = 'new'")
            .await,
        "1"
    );
}

#[tokio::test]
async fn an_empty_table_is_filled_at_once() {
    let database = table(0).await;
    let report = by_id().migrator().run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["1 migrate"]);
}

/// The next run, or whoever fills in the background, goes on where a run has stopped.
#[tokio::test]
async fn what_is_over_the_budget_is_left_by_name_and_gone_on_with() {
    let database = table(1_000).await;
    let folder = Folder::of(&[
        ("1_fill.migrate.sql", &format!("-- migrate: backfill t by id batch 10\n{FILL};")),
        ("1_fill.contract.sql", "ALTER TABLE t DROP COLUMN old;"),
        ("2_more.sql", "CREATE TABLE more (n int);"),
    ]);
    let migrator = folder.migrator().budget(Duration::ZERO);
    let report = migrator.run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["2 expand"], "what does not wait for it is done");
    let reasons: Vec<_> = report.deferred.iter().map(|d| (d.id.phase, d.reason)).collect();
    assert_eq!(
        reasons,
        [(Phase::Migrate, Reason::Unfilled), (Phase::Contract, Reason::WaitsFor(id()))]
    );
    assert!(report.to_string().contains("fill: its backfill goes on"), "{report}");
    assert!(!migrator.check(&database.options()).await.unwrap());
    let filled = migrator.backfill(&database.options()).await.unwrap();
    assert_eq!(filled.done.len(), 1, "{filled}");
    is_filled_once(&database).await;
    assert!(migrator.check(&database.options()).await.unwrap());
    assert!(migrator.backfill(&database.options()).await.unwrap().is_empty());
}

/// With a cursor, counters and rows in one transaction nothing is lost or done twice, wherever the work ends.
#[tokio::test]
async fn a_worker_that_is_dropped_at_any_time_loses_nothing() {
    let database = table(2_000).await;
    let migrator = folder("backfill t by id batch 20", FILL).migrator();
    let mut ends = 0;
    for millis in (3..).step_by(3) {
        let options = database.options();
        let filling = migrator.backfill(&options);
        match tokio::time::timeout(Duration::from_millis(millis), filling).await {
            Ok(done) => {
                assert!(done.unwrap().left.is_empty());
                break;
            }
            Err(_) => ends += 1,
        }
    }
    assert!(ends > 0, "it was never dropped");
    is_filled_once(&database).await;
}

#[tokio::test]
async fn several_workers_share_the_ranges_of_a_table() {
    for directive in ["backfill t by id batch 50", "backfill t by ctid batch 50"] {
        if directive.contains("ctid") && old_server().await {
            continue;
        }
        let database = table(4_000).await;
        let folder = folder(directive, FILL);
        let migrator = folder.migrator().ranges(4);
        let workers: Vec<_> = (0..4)
            .map(|_| {
                let (migrator, options) = (migrator.clone(), database.options());
                tokio::spawn(async move { migrator.backfill(&options).await })
            })
            .collect();
        for worker in workers {
            worker.await.unwrap().unwrap();
        }
        is_filled_once(&database).await;
        let workers = "SELECT count(*) FROM schema_migrations_range WHERE batches > 0";
        assert_eq!(database.value(workers).await, "4", "{directive}");
        assert_eq!(database.history().await.len(), 1, "one of them writes the history");
    }
}

async fn old_server() -> bool {
    let database = Database::fresh().await;
    database.value("SELECT current_setting('server_version_num')::int < 140000").await == "true"
}

#[tokio::test]
async fn a_paused_backfill_waits_and_a_cancelled_one_says_how_far_it_is() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 10", FILL).migrator().budget(Duration::ZERO);
    let options = database.options();
    migrator.run(&options).await.unwrap();
    migrator.pause_backfill(&options, id(), "the sale is on").await.unwrap();
    let left = migrator.backfill(&options).await.unwrap();
    assert_eq!(left.left, [(id(), "it is paused: the sale is on".to_owned())]);
    migrator.cancel_backfill(&options, id(), "not like this").await.unwrap();
    let left = migrator.clone().budget(Duration::from_secs(60)).run(&options).await.unwrap();
    assert_eq!(left.deferred.len(), 1, "a run does not go on with it either");
    let states = migrator.backfills(&options).await.unwrap();
    assert_eq!(states[0].wanted, Wanted::Cancel);
    assert_eq!(states[0].reason.as_deref(), Some("not like this"));
    migrator.resume_backfill(&options, id()).await.unwrap();
    assert_eq!(migrator.backfill(&options).await.unwrap().done.len(), 1);
    is_filled_once(&database).await;
    let error = migrator.pause_backfill(&options, id(), "too late").await.unwrap_err();
    assert!(error.to_string().contains("it was never begun, or it is done"), "{error}");
}

/// A worker that runs sees it before its next batch.
#[tokio::test]
async fn a_pause_typed_in_sql_takes_effect_at_the_next_batch() {
    let database = table(50_000).await;
    let heard = Heard::default();
    let slow = format!("{FILL} AND pg_sleep(0.001) IS NOT NULL");
    let migrator = folder("backfill t by id batch 50", &slow).migrator().observer(heard.clone());
    let options = database.options();
    let filling = {
        let (migrator, options) = (migrator.clone(), options.clone());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    heard.wait_for("batch 1 migrate").await;
    database.run("UPDATE schema_migrations_backfill SET wanted = 'pause'").await;
    let report = filling.await.unwrap().unwrap();
    assert_eq!(report.left, [(id(), "it is paused".to_owned())]);
    assert_ne!(database.value("SELECT count(*) FROM t WHERE n > 0").await, "0");
    assert_ne!(database.value("SELECT count(*) FROM t WHERE n = 0 AND old IS NOT NULL").await, "0");
}

/// The handle of an application: it sees how far it is, lets it wait, and hears how it ended.
#[tokio::test]
async fn in_the_background_it_waits_while_it_is_paused_and_goes_on() {
    let database = table(600).await;
    let slow = format!("{FILL} AND pg_sleep(CASE id % 20 WHEN 0 THEN 0.02 ELSE 0 END) IS NOT NULL");
    let migrator = folder("backfill t by id batch 50", &slow).migrator();
    let filling = migrator.spawn_backfill(&database.pool().await);
    while filling.progress().is_none() && !filling.is_finished() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    filling.pause("the sale is on").await.unwrap();
    let free = "SELECT count(*) = 0 FROM schema_migrations_range WHERE holder IS NOT NULL";
    database.until(free).await;
    let (at, steps) = filling.progress().unwrap();
    assert_eq!(at, id());
    let filled = database.value("SELECT count(*) FROM t WHERE n > 0").await;
    assert!(!filling.is_finished());
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(database.value("SELECT count(*) FROM t WHERE n > 0").await, filled);
    assert_eq!(filling.progress().unwrap().1.seen, steps.seen);
    filling.resume().await.unwrap();
    let report = filling.join().await.unwrap();
    assert_eq!((report.done.len(), report.left.len()), (1, 0), "{report}");
    is_filled_once(&database).await;
}

#[tokio::test]
async fn it_works_through_a_pooler_that_keeps_no_session() {
    let database = table(1_000).await;
    let Some(pooler) = crate::harness::Pooler::start(&database, "transaction", 2).await else {
        return;
    };
    let report = by_id().migrator().run(&pooler.options()).await.unwrap();
    assert_eq!(applied(&report), ["1 migrate"]);
    is_filled_once(&database).await;
}

#[tokio::test]
async fn in_the_background_too_it_works_through_a_pooler() {
    let database = table(1_000).await;
    let Some(pooler) = crate::harness::Pooler::start(&database, "transaction", 2).await else {
        return;
    };
    let done = by_id().migrator().backfill(&pooler.options()).await.unwrap();
    assert_eq!(done.done.len(), 1);
    is_filled_once(&database).await;
}

/// A worker on a thread of its own that has done its first batch and waits there.
async fn at_its_first_batch(
    migrator: &Migrator,
    database: &Database,
) -> (Gate, JoinHandle<Result<BackfillReport, Error>>) {
    let gate = Gate::before("batch 1 migrate");
    let (migrator, options) = (migrator.clone().observer(gate.clone()), database.options());
    let filling = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("a runtime").block_on(async move { migrator.backfill(&options).await })
    });
    gate.reached().await;
    (gate, filling)
}

async fn close(connection: PgConnection) {
    connection.close().await.expect("closed");
}

async fn fails(migrator: &Migrator, database: &Database) -> Error {
    migrator.run(&database.options()).await.unwrap_err()
}
