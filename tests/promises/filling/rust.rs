//! A backfill written in Rust: a function that is called for each batch.

use migrate_postgres::{Migration, Migrator, Rows};
use sqlx::{AssertSqlSafe, PgConnection, Row};

use super::{id, is_filled_once, reason, table};
use crate::harness::{Folder, alone, applied};

#[derive(Migration)]
#[migration(version = 1, phase = "migrate", run = shout, backfill = "t by id batch 100")]
#[migration(
    verify = "(SELECT count(*) FROM t WHERE old IS NULL) = (SELECT count(*) FROM t WHERE new IS NULL)"
)]
#[migration(irreversible = "the column goes with what made it")]
struct Shout;

/// Reads a batch, changes it, writes it.
async fn shout(connection: &mut PgConnection, rows: &Rows) -> Result<u64, sqlx::Error> {
    let select = format!(
        "SELECT id, old FROM t WHERE {rows} AND old IS NOT NULL AND new IS NULL FOR NO KEY UPDATE"
    );
    let found = sqlx::query(AssertSqlSafe(select)).fetch_all(&mut *connection).await?;
    for row in &found {
        let new = row.get::<String, _>("old").to_uppercase();
        let update = sqlx::query("UPDATE t SET new = $1, n = n + 1 WHERE id = $2");
        update.bind(new).bind(row.get::<i64, _>("id")).execute(&mut *connection).await?;
    }
    Ok(found.len() as u64)
}

fn migrator() -> Migrator {
    Migrator::new(Folder::of(&[("2_later.sql", "SELECT 1;")]).source().with(Shout)).limits(alone())
}

#[tokio::test]
async fn a_function_changes_the_rows_of_each_batch() {
    let database = table(1_000).await;
    let report = migrator().run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["1 migrate", "2 expand"]);
    is_filled_once(&database).await;
    assert!(reason(&database).await.starts_with("858 rows changed; pass 2"));
    assert!(migrator().run(&database.options()).await.unwrap().is_empty());
}

#[derive(Migration)]
#[migration(version = 1, phase = "migrate", run = breaks, backfill = "t by id batch 100", irreversible = "a test")]
struct Breaks;

async fn breaks(
    connection: &mut PgConnection,
    rows: &Rows,
) -> Result<u64, Box<dyn std::error::Error + Send + Sync>> {
    let update = format!(
        "UPDATE {table} u SET n = n + 1 WHERE {rows} AND n = 0",
        table = rows.table(),
        rows = rows.of("u")
    );
    let changed =
        sqlx::query(AssertSqlSafe(update)).execute(&mut *connection).await?.rows_affected();
    let here = format!("SELECT EXISTS (SELECT FROM t WHERE {rows} AND id = 505)");
    match sqlx::query_scalar(AssertSqlSafe(here)).fetch_one(connection).await? {
        true => Err("the disk of the mailer is full".into()),
        false => Ok(changed),
    }
}

#[tokio::test]
async fn an_error_of_the_function_takes_back_its_batch_and_says_which_it_was() {
    let database = table(1_000).await;
    let migrator = Migrator::new(Folder::of(&[("2_later.sql", "SELECT 1;")]).source().with(Breaks))
        .limits(alone());
    let error = migrator.backfill(&database.options()).await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("run a batch of {} breaks: the disk of the mailer is full", id())),
        "{error}"
    );
    let filled: i64 = database.value("SELECT count(*) FROM t WHERE n = 1").await.parse().unwrap();
    let seen: i64 =
        database.value("SELECT sum(seen) FROM schema_migrations_range").await.parse().unwrap();
    assert!(filled > 0 && filled == seen, "{filled} rows filled, {seen} gone through");
}
