//! What a replica serves: writes and reads that work before and after every migration that lands.
//!
//! A write is a transaction over two tables, acknowledged when its COMMIT was answered; a read looks whether both tables
//! agree. Named columns, prepared statements, no timeouts. Knows nothing of migrations.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use sqlx::postgres::PgPool;

use crate::releases::ACCOUNTS;
use crate::replica::tell;

/// Numbers of one process: below this many writes.
pub(crate) const OF_ONE: i64 = 1_000_000;

const REST: Duration = Duration::from_millis(8);

/// An amount that can be told from the number of the write.
pub(crate) const AMOUNT: i64 = 97;

/// Serves until it is asked to stop, and finishes what it is at.
pub(crate) async fn serve(pool: PgPool, first: i64, next: &AtomicI64, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let id = first + next.fetch_add(1, Ordering::Relaxed);
        let account = 1 + id % ACCOUNTS;
        match write(&pool, id, account).await {
            Ok(()) => tell(&format!("wrote {id}")),
            Err(error) => tell(&format!("error write {id}: {error}")),
        }
        match agree(&pool, account).await {
            Ok(true) => {}
            Ok(false) => tell(&format!("error account {account} is not the sum of its entries")),
            Err(error) => tell(&format!("error read: {error}")),
        }
        tokio::time::sleep(REST).await;
    }
}

async fn write(pool: &PgPool, id: i64, account: i64) -> sqlx::Result<()> {
    let mut transaction = pool.begin().await?;
    let entry = sqlx::query("INSERT INTO entries (id, account, amount) VALUES ($1, $2, $3)");
    entry.bind(id).bind(account).bind(id % AMOUNT).execute(&mut *transaction).await?;
    let balance = sqlx::query("UPDATE accounts SET balance = balance + $2 WHERE id = $1");
    balance.bind(account).bind(id % AMOUNT).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// One statement, hence one snapshot.
const AGREE: &str = "\
    SELECT balance = (SELECT coalesce(sum(amount), 0) FROM entries WHERE account = $1) AND note::text <> '' \
    FROM accounts WHERE id = $1";

async fn agree(pool: &PgPool, account: i64) -> sqlx::Result<bool> {
    sqlx::query_scalar(AGREE).bind(account).fetch_one(pool).await
}
