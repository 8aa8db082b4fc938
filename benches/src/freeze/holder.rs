//! Somebody who is in the way: a transaction that has used the table and does not end.
//!
//! Owns its connection. Knows nothing of who waits for it.

use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::task::JoinHandle;

use super::kind::Holds;
use crate::Result;

const READ: &str = "BEGIN; SELECT count(*) FROM accounts";
/// The load takes other rows.
const WRITTEN: &str =
    "BEGIN; SELECT count(*) FROM accounts; UPDATE accounts SET balance = 0 WHERE id = 100000";

pub(super) struct Holder(JoinHandle<sqlx::Result<Instant>>);

impl Holder {
    /// Returns when it has what it holds.
    pub(super) async fn begin(
        options: &PgConnectOptions,
        holds: Holds,
        lasts: Duration,
    ) -> Result<Self> {
        let mut connection = options.connect().await?;
        let opening = match holds {
            Holds::Read => READ,
            Holds::Written => WRITTEN,
        };
        sqlx::raw_sql(opening).execute(&mut connection).await?;
        Ok(Self(tokio::spawn(hold(connection, lasts))))
    }

    /// When it ended.
    pub(super) async fn ended(self) -> Result<Instant> {
        Ok(self.0.await??)
    }
}

async fn hold(mut connection: PgConnection, lasts: Duration) -> sqlx::Result<Instant> {
    let sleep = sqlx::query("SELECT pg_sleep($1)").bind(lasts.as_secs_f64());
    sleep.execute(&mut connection).await?;
    sqlx::raw_sql("COMMIT").execute(&mut connection).await?;
    let ended = Instant::now();
    connection.close().await?;
    Ok(ended)
}
