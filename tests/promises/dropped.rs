//! A run that is dropped in the middle.

use std::future::Future;
use std::pin::pin;
use std::task::Poll;

use migrate_postgres::{Migrator, Source};
use sqlx::Executor;
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};

use crate::harness::{Database, Folder, applied};
use crate::rust::{Rust, sql};

/// Polls a future so many times and drops it; its answer when that was enough.
async fn polled<T>(times: usize, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        future.as_mut().poll(context).map(Some)
    })
    .await
}

fn folder() -> Folder {
    Folder::of(&[
        ("1_log.sql", "CREATE TABLE log (line text); CREATE TABLE users (id int, name text);"),
        (
            "2_users.sql",
            "INSERT INTO users SELECT n, n FROM generate_series(1, 100) n; INSERT INTO log VALUES ('2');",
        ),
        (
            "3_index.sql",
            "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY by_id ON users (id);\nVACUUM users;\n\
             CREATE INDEX CONCURRENTLY by_name ON users (name);",
        ),
        ("5_last.sql", "INSERT INTO log VALUES ('5');"),
    ])
}

fn source(folder: &Folder) -> Source {
    folder.source().with(Rust::new(4, "code", |connection| {
        Box::pin(async move {
            sql(connection, "INSERT INTO log VALUES ('4')").await?;
            sql(connection, "UPDATE users SET name = 'u' || name").await
        })
    }))
}

/// A place of its own inside one database: databases are dear.
async fn place(database: &Database, number: usize) -> (String, PgConnectOptions) {
    let schema = format!("n{number}");
    database.run(&format!("CREATE SCHEMA {schema}")).await;
    let options = database.options().options([("search_path", &schema)]);
    (schema, options)
}

async fn is_whole(database: &Database, schema: &str) {
    let log = format!("SELECT string_agg(line, ' ' ORDER BY line) FROM {schema}.log");
    assert_eq!(database.value(&log).await, "2 4 5");
    let done = format!(
        "SELECT string_agg(version::text, ' ' ORDER BY seq) FROM {schema}.schema_migrations \
         WHERE statement IS NULL AND state = 'done'"
    );
    assert_eq!(database.value(&done).await, "1 2 3 4 5");
    let gaps = format!("SELECT count(*) = max(seq) FROM {schema}.schema_migrations");
    assert_eq!(database.value(&gaps).await, "true");
    let valid = format!(
        "SELECT string_agg(relname || ' ' || indisvalid, ' ' ORDER BY relname) FROM pg_index \
         JOIN pg_class ON pg_class.oid = indexrelid WHERE indrelid = '{schema}.users'::regclass"
    );
    assert_eq!(database.value(&valid).await, "by_id true by_name true");
    let names =
        format!("SELECT count(*) FROM {schema}.users WHERE name LIKE 'u%' AND name NOT LIKE 'uu%'");
    assert_eq!(database.value(&names).await, "100");
}

/// Polled once, twice, … and dropped, until it completes.
async fn drop_at_every_poll(
    database: &Database,
    migrator: &Migrator,
    from: usize,
    pool_of: impl AsyncFn(PgConnectOptions) -> PgPool,
) -> usize {
    for polls in (from..).step_by(2) {
        let (schema, options) = place(database, polls).await;
        let migrator = migrator.clone().schema(&schema);
        let pool = pool_of(options).await;
        let done = polled(polls, migrator.run(&pool)).await;
        let completed = done.is_some_and(|done| done.expect("a run").applied.len() == 5);
        let report =
            migrator.run(&pool).await.unwrap_or_else(|e| panic!("after {polls} polls: {e}"));
        assert!(!completed || report.is_empty(), "{report}");
        is_whole(database, &schema).await;
        assert_eq!(database_of(&pool).await, format!("{schema} postgres 0"));
        if completed {
            return polls;
        }
    }
    unreachable!("it ends")
}

/// What the pool's connections are like afterwards.
async fn database_of(pool: &PgPool) -> String {
    let ask = "SELECT concat_ws(' ', current_setting('search_path'), current_user, current_setting('lock_timeout'))";
    let row = pool.fetch_one(ask).await.expect("a row");
    sqlx::Row::get(&row, 0)
}

#[tokio::test]
async fn after_a_run_was_dropped_at_any_point_the_next_one_completes_it() {
    let database = Database::fresh().await;
    let (folder, one) = (folder(), async |options| {
        PgPoolOptions::new().max_connections(1).connect_lazy_with(options)
    });
    let migrator = Migrator::new(source(&folder));
    let (odd, even) = tokio::join!(
        drop_at_every_poll(&database, &migrator, 1, one),
        drop_at_every_poll(&database, &migrator, 2, one)
    );
    assert!(odd > 10 && even > 10, "it was dropped in many places: {odd} {even}");
}

#[tokio::test]
async fn a_revert_that_was_dropped_is_completed_by_the_next_one() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("1_a.down.sql", "DROP TABLE a;"),
        ("2_b.sql", "CREATE TABLE b (id int);"),
        ("2_b.down.sql", "DROP TABLE b;"),
    ]);
    for polls in 1.. {
        let (schema, options) = place(&database, polls).await;
        let migrator = folder.migrator().schema(&schema);
        migrator.run(&options).await.unwrap();
        let done = polled(polls, migrator.revert(&options, None)).await;
        migrator.revert(&options, None).await.unwrap();
        let left = format!(
            "SELECT count(*) FROM pg_class WHERE relnamespace = '{schema}'::regnamespace AND relname IN ('a', 'b')"
        );
        assert_eq!(database.value(&left).await, "0");
        assert_eq!(applied(&migrator.run(&options).await.unwrap()).len(), 2);
        if done.is_some() {
            return;
        }
    }
}
