//! What is said to a server, and how its answers are read.
//!
//! Everything goes by the simple protocol, whose values are all texts. Knows no statement, and nothing of whose the
//! connection is.

use std::time::Duration;

use futures_util::TryStreamExt;
use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, Either, Executor, PgConnection, Row};

/// A process of the server.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Backend {
    pub(crate) pid: i32,
    /// When it was connected to, which tells it from another one with its number: in microseconds by the clock of the
    /// server, where that may be seen.
    pub(crate) began: Option<i64>,
}

/// What is learned from the answers to a message.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    /// Its statements that are done.
    pub(crate) done: usize,
    /// How long it waited for its locks, where it says so.
    pub(crate) waited: Option<Duration>,
}

/// Sends one message by the simple protocol, which needs no prepared statement and works behind anything; the
/// last row is what our own statements return.
pub(crate) async fn send(
    connection: &mut PgConnection,
    message: String,
) -> Result<Option<PgRow>, sqlx::Error> {
    let mut answers = connection.fetch_many(sqlx::raw_sql(AssertSqlSafe(message)));
    let mut last = None;
    while let Some(answer) = answers.try_next().await? {
        if let Either::Right(row) = answer {
            last = Some(row);
        }
    }
    Ok(last)
}

/// Sends one message, and notes what comes back while it does.
pub(crate) async fn send_counting(
    connection: &mut PgConnection,
    message: String,
    told: &mut Told,
) -> Result<(), sqlx::Error> {
    let mut answers = connection.fetch_many(sqlx::raw_sql(AssertSqlSafe(message)));
    while let Some(answer) = answers.try_next().await? {
        match answer {
            Either::Left(_) => told.done += 1,
            Either::Right(row) if told.waited.is_none() => {
                let waited = number(&row, "migrate_waited_us");
                let waited = waited.and_then(|us| u64::try_from(us).ok());
                told.waited = waited.map(Duration::from_micros);
            }
            Either::Right(_) => {}
        }
    }
    Ok(())
}

/// Sends one message; how many rows its last statement was about.
pub(crate) async fn send_affecting(
    connection: &mut PgConnection,
    message: String,
) -> Result<u64, sqlx::Error> {
    let mut answers = connection.fetch_many(sqlx::raw_sql(AssertSqlSafe(message)));
    let mut affected = 0;
    while let Some(answer) = answers.try_next().await? {
        if let Either::Left(done) = answer {
            affected = done.rows_affected();
        }
    }
    Ok(affected)
}

/// Sends one message and keeps all rows.
pub(crate) async fn rows(
    connection: &mut PgConnection,
    message: String,
) -> Result<Vec<PgRow>, sqlx::Error> {
    connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(message))).await
}

/// A column of a row as text, which is how the simple protocol brings everything.
pub(crate) fn text<'r>(row: &'r PgRow, column: &str) -> Option<&'r str> {
    row.try_get_raw(column).ok().and_then(|value| value.as_str().ok())
}

/// A column of a row as a number.
pub(crate) fn number(row: &PgRow, column: &str) -> Option<i64> {
    text(row, column)?.parse().ok()
}

/// A column of a row as a truth.
pub(crate) fn truth(row: &PgRow, column: &str) -> bool {
    text(row, column) == Some("t")
}
