//! A backfill goes by what the server, its standbys and the application say.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use migrate_postgres::{BackfillReport, BoxError, Brake, Error, Limits, Migrator, async_trait};
use migrate_testing::{Builder, Server};
use sqlx::{ConnectOptions, Executor};
use tokio::task::JoinHandle;

use super::{FILL, close, folder, is_filled_once, table, table_on};
use crate::harness::{Database, Heard, alone};

/// One that has ten batches and more before it.
fn migrator(heard: &Heard) -> Migrator {
    let limits = with(&["rows=50..50"]);
    folder("backfill t by id batch 50", FILL).migrator().limits(limits).observer(heard.clone())
}

fn with(more: &[&str]) -> Limits {
    let mut limits = alone();
    more.iter().for_each(|one| limits.set(one).expect("a limit"));
    limits
}

fn fills(migrator: &Migrator, database: &Database) -> JoinHandle<Result<BackfillReport, Error>> {
    let (migrator, options) = (migrator.clone(), database.options());
    tokio::spawn(async move { migrator.backfill(&options).await })
}

async fn changed(database: &Database) -> i64 {
    database.value("SELECT count(*) FROM t WHERE n > 0").await.parse().expect("a number")
}

#[tokio::test]
async fn a_standby_that_falls_behind_stops_it_before_the_next_batch_and_lets_it_go_on() {
    let settings = [
        ("wal_level", "replica"),
        ("max_wal_senders", "4"),
        ("hot_standby", "on"),
        ("wal_keep_size", "256MB"),
        ("wal_receiver_status_interval", "1s"),
        // Or what a batch has written is seen a moment later.
        ("synchronous_commit", "on"),
    ];
    let set = |builder: Builder, (name, value): &(&str, &str)| builder.setting(name, value);
    let server = settings.iter().fold(Server::builder(), set).private().unwrap();
    let standby = server.standby().unwrap();
    let database = table_on(Database::on(Server::clone(&server)).await, 1_000).await;
    database
        .until(
            "SELECT count(*) = 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_lsn()",
        )
        .await;
    let mut follower = standby.options(&database.name).connect().await.unwrap();
    follower.execute("SELECT pg_wal_replay_pause()").await.unwrap();
    let heard = Heard::default();
    // As long as batches are where the server has work: each is preceded by a look.
    let slow = format!("{FILL} AND pg_sleep(CASE id % 50 WHEN 0 THEN 0.11 ELSE 0 END) IS NOT NULL");
    let migrator = folder("backfill t by id batch 50", &slow)
        .migrator()
        .limits(with(&["rows=50..50", "replica_bytes=1kB", "replica_lag=none"]))
        .observer(heard.clone());
    let filling = fills(&migrator, &database);
    let told = heard.wait_for("braked 1 migrate").await;
    assert!(told.contains("standby") && told.contains("behind (limit 1 KiB)"), "{told}");
    // A batch of 50 rows is more than the limit: at most one was done since the look before.
    let before = changed(&database).await;
    assert!(before <= 50, "{before} rows");
    let states = migrator.backfills(&database.options()).await.unwrap();
    assert_eq!(states[0].limited_by.as_deref(), Some("replica_lag"));
    assert!(states[0].why.as_deref().is_some_and(|why| why.contains("behind")), "{states:?}");
    follower.execute("SELECT pg_wal_replay_resume()").await.unwrap();
    close(follower).await;
    // From here on the limit would only stop it again and again.
    migrator
        .limit_backfill(&database.options(), super::id(), &["replica_bytes=none"])
        .await
        .unwrap();
    assert_eq!(filling.await.unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

struct Sale(Arc<AtomicBool>);

#[async_trait]
impl Brake for Sale {
    async fn holds(&self) -> Result<Option<String>, BoxError> {
        Ok(self.0.load(Ordering::Relaxed).then(|| "the sale is on".to_owned()))
    }
}

#[tokio::test]
async fn the_application_holds_it_and_lets_it_go_on() {
    let database = table(500).await;
    let (heard, sale) = (Heard::default(), Arc::new(AtomicBool::new(true)));
    let filling = fills(&migrator(&heard).brake(Sale(sale.clone())), &database);
    let told = heard.wait_for("braked 1 migrate").await;
    assert!(told.contains("the sale is on"), "{told}");
    assert_eq!(changed(&database).await, 0);
    sale.store(false, Ordering::Relaxed);
    assert_eq!(filling.await.unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

/// A run does not wait longer than its budget for something that comes first.
#[tokio::test]
async fn a_run_leaves_it_when_something_else_comes_first() {
    let database = table(500).await;
    let heard = Heard::default();
    let held = migrator(&heard).brake(Sale(Arc::new(AtomicBool::new(true))));
    let report = held.budget(Duration::from_millis(300)).run(&database.options()).await.unwrap();
    assert_eq!((report.applied.len(), report.deferred.len()), (0, 1));
    heard.wait_for("left 1 migrate").await;
}

#[tokio::test]
async fn a_limit_that_is_typed_while_it_runs_holds_from_the_next_batch_on() {
    let database = table(20_000).await;
    let heard = Heard::default();
    let slow =
        format!("{FILL} AND pg_sleep(CASE id % 25 WHEN 0 THEN 0.004 ELSE 0 END) IS NOT NULL");
    let migrator = folder("backfill t by id batch 50", &slow)
        .migrator()
        .limits(with(&["rows=50..50"]))
        .observer(heard.clone());
    let filling = fills(&migrator, &database);
    heard.wait_for("batch 1 migrate").await;
    let error =
        migrator.limit_backfill(&database.options(), super::id(), &["rosw=1"]).await.unwrap_err();
    assert!(error.to_string().contains("Did you mean rows?"), "{error}");
    database.run("UPDATE schema_migrations_backfill SET limits = 'rows=2000..2000, batch_time=10s, batch_cap=20s, batch_wal=1GiB'").await;
    database.until("SELECT max(batch_rows) = 2000 FROM schema_migrations_range").await;
    assert_eq!(filling.await.unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

/// Where no autovacuum comes, whoever leaves dead rows clears them away.
#[tokio::test]
async fn a_table_that_nobody_vacuums_is_vacuumed_by_need() {
    let database = table(60_000).await;
    database.run("ALTER TABLE t SET (autovacuum_enabled = off); UPDATE t SET id = id").await;
    database.until("SELECT n_dead_tup >= 60000 FROM pg_stat_user_tables WHERE relname = 't'").await;
    let limits = with(&["rows=500..20000"]);
    folder("backfill t by id batch 500", FILL)
        .migrator()
        .limits(limits)
        .backfill(&database.options())
        .await
        .unwrap();
    is_filled_once(&database).await;
    database.until("SELECT vacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 't'").await;
}
