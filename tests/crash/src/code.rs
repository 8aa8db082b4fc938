//! Migrations written in Rust, each of which shows when it was done twice.

use migrate_postgres::Migration;
use sqlx::PgConnection;

/// In a transaction: by the simple protocol, and by the other.
#[derive(Migration)]
#[migration(
    version = 3,
    name = "counts_inside",
    run = count_and_note,
    irreversible = "nobody takes this back",
    transaction = true
)]
pub(crate) struct Inside;

/// Outside one, where only a person can say whether it was done.
#[derive(Migration)]
#[migration(
    version = 3,
    name = "counts_outside",
    run = count,
    irreversible = "nobody takes this back",
    transaction = false
)]
pub(crate) struct Outside;

async fn count_and_note(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    count(connection).await?;
    let note = sqlx::query("INSERT INTO entry (n, word) VALUES ($1, $2)");
    note.bind(333).bind("code").execute(connection).await?;
    Ok(())
}

async fn count(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("UPDATE counter SET n = n + 1").execute(connection).await?;
    Ok(())
}
