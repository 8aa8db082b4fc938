//! Tables that refer to each other are dropped while everybody uses them, and no transaction of the application dies of it.
//!
//! A drop locks its table and every partner of a foreign key, one after the other, and the application takes them in other
//! orders: that is a deadlock, and PostgreSQL ends one of the two.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use migrate_core::{LockMode, LockTarget, MigrationId, Phase, Targets, Version, Work};
use migrate_postgres::{Migrator, Phases};
use migrate_testing::Server;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, PgConnection};
use tokio::task::JoinSet;

use crate::harness::{Database, Folder, Heard};

const TABLES: usize = 12;
/// That do what comes; one more looks for trouble.
const CONNECTIONS: usize = 4;

/// What each table refers to: 21 foreign keys.
fn partners(table: usize) -> Vec<usize> {
    let before = (table > 1).then(|| table - 1);
    let half = (table > 3).then_some(table / 2);
    let first = (table == TABLES).then_some(1);
    before.into_iter().chain(half).chain(first).collect()
}

/// Every connection has a row of its own in each.
fn tables() -> String {
    let table = |table: usize| {
        let keys =
            partners(table).into_iter().map(|to| format!(", to_{to} bigint REFERENCES t{to}"));
        let row = partners(table).into_iter().map(|_| ", n").collect::<String>();
        format!(
            "CREATE TABLE t{table} (id bigint PRIMARY KEY, n bigint NOT NULL DEFAULT 0{}); \
             INSERT INTO t{table} SELECT n, 0{row} FROM generate_series(0, {CONNECTIONS}) AS n; ",
            keys.collect::<String>()
        )
    };
    (1..=TABLES).map(table).collect()
}

/// Those that refer to others first.
fn drops() -> String {
    let drops = (1..=TABLES).rev().map(|table| format!("DROP TABLE t{table};\n"));
    format!(
        "-- migrate: irreversible because nobody wants them back\n{}",
        drops.collect::<String>()
    )
}

/// What the drops lock, as the linter notes it for a program that has them embedded.
fn targets(drops: &str) -> Vec<Targets> {
    let migration = MigrationId::new(Version::new(1), Phase::Contract);
    let lock = |table: usize| LockTarget {
        relation: format!("t{table}").into(),
        is_guess: false,
        mode: LockMode::AccessExclusive,
        work: Work::None,
    };
    let of = |table: usize| Targets {
        opaque: false,
        migration,
        offset: u32::try_from(drops.find(&format!("DROP TABLE t{table};")).expect("a drop"))
            .expect("a place"),
        locks: vec![lock(table)].into(),
    };
    (1..=TABLES).rev().map(of).collect()
}

/// Writes to three tables, most times in another order than the drops: a row that refers to its partners, or a change of
/// a row. No two connections want the same row, so whoever waits here waits for the drops.
async fn transaction(
    connection: &mut PgConnection,
    me: usize,
    number: usize,
) -> Result<(), sqlx::Error> {
    let mut tables = [0, 1, 2].map(|third| 1 + third * 4 + (number * 7 + me * (third + 1)) % 4);
    if number.is_multiple_of(4) {
        tables.reverse();
    }
    let writes = tables.into_iter().zip(0..).map(|(table, nth)| {
        if (number + nth).is_multiple_of(2) {
            return format!("UPDATE t{table} SET n = n + 1 WHERE id = {me}");
        }
        let id = number * 100 + nth * 10 + me + 100;
        let to: String = partners(table).into_iter().map(|to| format!(", to_{to}")).collect();
        let row = format!(", {me}").repeat(partners(table).len());
        format!("INSERT INTO t{table} (id{to}) VALUES ({id}{row})")
    });
    let begin = ["BEGIN".to_owned()].into_iter();
    for statement in begin.chain(writes).chain(["COMMIT".to_owned()]) {
        sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await?;
        tokio::time::sleep(Duration::from_millis(4)).await;
    }
    Ok(())
}

/// How often the troublemaker waits for the drops before it does what all do.
const COLLISIONS: usize = 3;

/// The last table is dropped first and the first table last: this one has written to the first when the drops have the
/// last, and wants that only when somebody waits for it, or nobody has for a while.
async fn collision(
    connection: &mut PgConnection,
    looking: &mut PgConnection,
) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("BEGIN; UPDATE t1 SET n = n + 1 WHERE id = 0").execute(&mut *connection).await?;
    let me: i32 = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut *connection).await?;
    let began = Instant::now();
    while began.elapsed() < Duration::from_millis(200) && !is_waited_for(looking, me).await? {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // By then whoever waits has looked for a deadlock, if it is to be found early, and there was none yet.
    tokio::time::sleep(Duration::from_millis(30)).await;
    sqlx::raw_sql("UPDATE t12 SET n = n + 1 WHERE id = 0; COMMIT")
        .execute(connection)
        .await
        .map(drop)
}

async fn is_waited_for(looking: &mut PgConnection, pid: i32) -> Result<bool, sqlx::Error> {
    let waits = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND $1 = ANY (pg_blocking_pids(pid)))";
    sqlx::query_scalar(waits).bind(pid).fetch_one(looking).await
}

/// Until a table is gone; any other end is returned.
async fn use_the_tables(
    options: PgConnectOptions,
    me: usize,
    done: Arc<AtomicUsize>,
) -> Result<(), String> {
    let mut connection = options.connect().await.expect("a connection");
    let mut looking = options.connect().await.expect("a connection");
    for number in 0.. {
        let end = match (me, number) {
            (0, ..COLLISIONS) => collision(&mut connection, &mut looking).await,
            _ => transaction(&mut connection, me, number).await,
        };
        match end {
            Ok(()) => done.fetch_add(1, Ordering::Relaxed),
            Err(error) => {
                let code = error.as_database_error().and_then(|error| error.code());
                let gone = code.as_deref() == Some("42P01");
                return if gone { Ok(()) } else { Err(format!("{me}, {number}: {error:?}")) };
            }
        };
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    Ok(())
}

/// The migration ends well, and every connection by meeting a table that is gone.
async fn dropped_under_load(database: &Database, known: Vec<Targets>) {
    database.run(&tables()).await;
    let keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'";
    assert_eq!(database.value(keys).await, "21");
    let done = Arc::new(AtomicUsize::new(0));
    let mut load = JoinSet::new();
    for me in 0..=CONNECTIONS {
        load.spawn(use_the_tables(database.options(), me, Arc::clone(&done)));
    }
    while done.load(Ordering::Relaxed) < CONNECTIONS {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let folder = Folder::of(&[("1_drops.contract.sql", &drops())]);
    let heard = Heard::default();
    let migrator = Migrator::new(folder.source().with_targets(known))
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database");
    let report = migrator.observer(heard.clone()).run(&database.options()).await;
    assert_eq!(report.expect("a good end").applied.len(), 1);
    assert_eq!(load.join_all().await, vec![Ok(()); CONNECTIONS + 1], "{:#?}", heard.all());
    let left = "SELECT count(*) FROM pg_class WHERE relname ~ '^t[0-9]+$'";
    assert_eq!(database.value(left).await, "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drops_under_load_kill_nobody() {
    dropped_under_load(&Database::fresh().await, targets(&drops())).await;
}

/// As where the folder is read by a program that has no linter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drops_under_load_kill_nobody_where_nobody_knows_what_they_lock() {
    dropped_under_load(&Database::fresh().await, Vec::new()).await;
}

/// A server may look for deadlocks sooner than any lock timeout of ours would end one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drops_under_load_kill_nobody_where_deadlocks_are_found_early() {
    let server = Server::builder().setting("deadlock_timeout", "20ms").private().expect("a server");
    dropped_under_load(&Database::on(Server::clone(&server)).await, targets(&drops())).await;
}
