//! The table that is filled: made once, copied for each tool.
//!
//! Owns its shape, and what is asked of it before and after. Knows nothing of who fills it.

use std::time::Instant;

use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::server::Bench;
use crate::usage::Processors;
use crate::{Result, progress};

const MAKE: &str = include_str!("../../backfill/table.sql");
const ROWS: &str = include_str!("../../backfill/rows.sql");
/// When the rows are there, so that nothing of them is loose.
const INDEXES: &str = include_str!("../../backfill/indexes.sql");

/// The place in the WAL, and what the table takes.
const MARK: &str = "SELECT (pg_current_wal_insert_lsn() - '0/0')::float8, \
    pg_table_size('accounts')::float8, pg_indexes_size('accounts')::float8, pg_backend_pid()";
const LEFT: &str = "SELECT count(*) FROM accounts WHERE email_lower IS DISTINCT FROM lower(email)";

/// How things are at a moment; sizes in bytes.
pub(super) struct Mark {
    pub(super) at: Instant,
    pub(super) wal: f64,
    pub(super) heap: f64,
    pub(super) index: f64,
    pub(super) processors: Processors,
}

/// Makes it, in a database that nobody connects to any more.
pub(super) async fn make(bench: &Bench, rows: i64) -> Result<String> {
    let database = bench.create().await?;
    let mut table = bench.options(&database).connect().await?;
    sqlx::raw_sql(MAKE).execute(&mut table).await?;
    sqlx::query(ROWS).bind(rows).execute(&mut table).await?;
    sqlx::raw_sql(INDEXES).execute(&mut table).await?;
    sqlx::raw_sql("VACUUM (ANALYZE) accounts").execute(&mut table).await?;
    let Mark { heap, index, .. } = mark(&mut table).await?;
    table.close().await?;
    let (heap, index) = (heap / 1e6, index / 1e6);
    progress(&format!("{rows} rows: a table of {heap:.0} MB, indexes of {index:.0} MB"));
    Ok(database)
}

/// Looks, now.
pub(super) async fn mark(table: &mut PgConnection) -> Result<Mark> {
    let at = Instant::now();
    let (wal, heap, index, backend): (f64, f64, f64, i32) =
        sqlx::query_as(MARK).fetch_one(table).await?;
    let processors = Processors::look(backend.unsigned_abs())?;
    Ok(Mark { at, wal, heap, index, processors })
}

/// The rows that are not as they should be.
pub(super) async fn left(table: &mut PgConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(LEFT).fetch_one(table).await?)
}
