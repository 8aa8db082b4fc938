//! The table that is filled: made once, copied for each tool.
//!
//! Owns its shape, and what is asked of it before and after. Knows nothing of who fills it.

use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::server::Bench;
use crate::{Result, progress};

const MAKE: &str = include_str!("../../backfill/table.sql");
const ROWS: &str = include_str!("../../backfill/rows.sql");
/// When the rows are there, so that nothing of them is loose.
const INDEXES: &str = include_str!("../../backfill/indexes.sql");

const SIZES: &str = "SELECT pg_table_size('accounts')::float8, pg_indexes_size('accounts')::float8";
const WRITTEN: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8";
const LEFT: &str = "SELECT count(*) FROM accounts WHERE email_lower IS DISTINCT FROM lower(email)";

/// What the table takes, in bytes.
#[derive(Clone, Copy)]
pub(super) struct Sizes {
    pub(super) heap: f64,
    pub(super) index: f64,
}

/// Makes it, in a database that nobody connects to any more.
pub(super) async fn make(bench: &Bench, rows: i64) -> Result<String> {
    let database = bench.create().await?;
    let mut table = bench.options(&database).connect().await?;
    sqlx::raw_sql(MAKE).execute(&mut table).await?;
    sqlx::query(ROWS).bind(rows).execute(&mut table).await?;
    sqlx::raw_sql(INDEXES).execute(&mut table).await?;
    sqlx::raw_sql("VACUUM (ANALYZE) accounts").execute(&mut table).await?;
    let Sizes { heap, index } = sizes(&mut table).await?;
    table.close().await?;
    let (heap, index) = (heap / 1e6, index / 1e6);
    progress(&format!("{rows} rows: a table of {heap:.0} MB, indexes of {index:.0} MB"));
    Ok(database)
}

pub(super) async fn sizes(table: &mut PgConnection) -> Result<Sizes> {
    let (heap, index) = sqlx::query_as(SIZES).fetch_one(table).await?;
    Ok(Sizes { heap, index })
}

/// The bytes that the server has written to its WAL.
pub(super) async fn written(table: &mut PgConnection) -> Result<f64> {
    Ok(sqlx::query_scalar(WRITTEN).fetch_one(table).await?)
}

/// The rows that are not as they should be.
pub(super) async fn left(table: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(LEFT).fetch_one(table).await?)
}
