//! A start with nothing to do: what goes over the wire, and what it leaves behind.

use std::time::Duration;

use migrate_postgres::{Migrator, Version};
use migrate_testing::Server;
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::harness::proxy::{Proxy, Seen};
use crate::harness::{Database, Folder};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");

/// A pool of one that does not ask its connections whether they are alive before it lends them.
async fn quiet_pool(wire: &Proxy) -> PgPool {
    let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    pool.connect_with(wire.options()).await.unwrap()
}

/// Waits until the pool has its connection back and ours is closed: what went over the wire till then.
async fn at_rest(pool: &PgPool, wire: &Proxy) -> Seen {
    while pool.num_idle() != 1 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    wire.take_with_open(1).await
}

/// What a start that finds nothing to do sends, without what the pool does when it gets a connection back.
async fn started(migrator: &Migrator, pool: &PgPool, wire: &Proxy) -> Seen {
    at_rest(pool, wire).await;
    drop(pool.acquire().await.unwrap());
    let borrowing = at_rest(pool, wire).await;
    let report = migrator.run(pool).await.unwrap();
    assert!(report.is_empty(), "{report}");
    let mut seen = at_rest(pool, wire).await;
    let ours = seen.sent.len() - borrowing.sent.len();
    assert_eq!(seen.sent.split_off(ours), borrowing.sent);
    seen.round_trips -= borrowing.round_trips;
    seen
}

/// One query, its answer, and nothing else.
fn is_one_query(seen: &Seen) {
    assert_eq!((seen.connections, seen.round_trips), (0, 1), "{seen:?}");
    let [('Q', text)] = seen.sent.as_slice() else { panic!("one simple query, not {seen:?}") };
    assert!(text.starts_with("SELECT report FROM"), "{text}");
    assert!(!text.contains(';') && !text.contains("lock"), "{text}");
}

#[tokio::test]
async fn it_is_one_query_in_one_round_trip() {
    let database = Database::fresh().await;
    let wire = Proxy::count(database.options());
    let folder = Folder::of(&[A, B]);
    let pool = quiet_pool(&wire).await;
    folder.migrator().run(&pool).await.unwrap();
    for _ in 0..3 {
        is_one_query(&started(&folder.migrator(), &pool, &wire).await);
    }
}

#[tokio::test]
async fn also_with_a_contract_that_waits() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE old (id int)").await;
    let wire = Proxy::count(database.options());
    let folder = Folder::of(&[A, ("2_drop.contract.sql", "DROP TABLE old;")]);
    let pool = quiet_pool(&wire).await;
    folder.migrator().run(&pool).await.unwrap();
    is_one_query(&started(&folder.migrator(), &pool, &wire).await);
    assert_eq!(folder.migrator().run(&pool).await.unwrap().deferred.len(), 1);
}

#[tokio::test]
async fn also_right_after_a_baseline() {
    let database = Database::fresh().await;
    let wire = Proxy::count(database.options());
    let folder = Folder::of(&[A, B]);
    let pool = quiet_pool(&wire).await;
    folder.migrator().baseline(&pool, Version::new(2)).await.unwrap();
    is_one_query(&started(&folder.migrator(), &pool, &wire).await);
}

#[tokio::test]
async fn two_builds_that_alternate_each_have_it_after_one_longer_look() {
    let database = Database::fresh().await;
    let wire = Proxy::count(database.options());
    let pool = quiet_pool(&wire).await;
    let (old, new) = (Folder::of(&[A]), Folder::of(&[A, B]));
    old.migrator().run(&pool).await.unwrap();
    new.migrator().run(&pool).await.unwrap();
    is_one_query(&started(&new.migrator(), &pool, &wire).await);
    let longer = started(&old.migrator(), &pool, &wire).await;
    assert_eq!(longer.connections, 0, "{longer:?}");
    assert!(longer.round_trips <= 3, "{longer:?}");
    for _ in 0..3 {
        is_one_query(&started(&old.migrator(), &pool, &wire).await);
        is_one_query(&started(&new.migrator(), &pool, &wire).await);
    }
}

#[tokio::test]
async fn a_pool_that_tests_its_connections_adds_its_own_tests_only() {
    let database = Database::fresh().await;
    let wire = Proxy::count(database.options());
    let folder = Folder::of(&[A]);
    let pool = PgPoolOptions::new().max_connections(1).connect_with(wire.options()).await.unwrap();
    folder.migrator().run(&pool).await.unwrap();
    at_rest(&pool, &wire).await;
    drop(pool.acquire().await.unwrap());
    let borrowing = at_rest(&pool, &wire).await;
    folder.migrator().run(&pool).await.unwrap();
    assert_eq!(at_rest(&pool, &wire).await.round_trips, borrowing.round_trips + 1);
}

#[tokio::test]
async fn each_migration_is_one_round_trip() {
    for group in [200, 1] {
        let mut trips = Vec::new();
        for count in [10, 30] {
            let database = Database::fresh().await;
            let wire = Proxy::count(database.options());
            let names: Vec<_> = (1..=count).map(|n| format!("{n}_m.sql")).collect();
            let files: Vec<_> = names.iter().map(|name| (name.as_str(), "SELECT 1;")).collect();
            let migrator = Folder::of(&files).migrator().group(group);
            assert_eq!(migrator.run(wire.options()).await.unwrap().applied.len(), count);
            trips.push(wire.take().round_trips);
        }
        assert_eq!(trips[1] - trips[0], 20, "group {group}: {trips:?}");
    }
}

/// Where the write-ahead log ends, and the next transaction's number.
async fn traces(database: &Database) -> String {
    database
        .value(
            "SELECT pg_current_wal_insert_lsn() || ' ' || pg_snapshot_xmax(pg_current_snapshot())",
        )
        .await
}

#[tokio::test]
async fn it_writes_nothing_takes_no_number_and_holds_no_lock() {
    let server = Server::private().unwrap();
    let database = Database::on((*server).clone()).await;
    let wire = Proxy::count(database.options());
    let pool = quiet_pool(&wire).await;
    let folder = Folder::of(&[A, ("2_b.contract.sql", "SELECT 1;")]);
    database.run("CREATE TABLE old (id int)").await;
    folder.migrator().run(&pool).await.unwrap();
    is_one_query(&started(&folder.migrator(), &pool, &wire).await);
    database.run("VACUUM FREEZE").await; // hint bits and pruning are nobody's fault
    traces(&database).await;
    let before = traces(&database).await;
    for _ in 0..5 {
        is_one_query(&started(&folder.migrator(), &pool, &wire).await);
    }
    assert_eq!(traces(&database).await, before);
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' OR mode LIKE '%Exclusive%' AND locktype = 'relation'";
    assert_eq!(database.value(locks).await, "0");
}
