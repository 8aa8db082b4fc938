use migrate_macros::Migration;
use migrate_postgres::BoxError;
use sqlx::PgConnection;

fn not_async(_connection: &mut PgConnection) -> Result<(), BoxError> {
    Ok(())
}

async fn no_connection() -> Result<(), BoxError> {
    Ok(())
}

async fn no_result(_connection: &mut PgConnection) {}

#[derive(Migration)]
#[migration(version = 1, run = not_async, irreversible = "x")]
struct NotAsync;

#[derive(Migration)]
#[migration(version = 2, run = no_connection, irreversible = "x")]
struct NoConnection;

#[derive(Migration)]
#[migration(version = 3, run = no_result, irreversible = "x")]
struct NoResult;

fn main() {}
