#![deny(deprecated)]

use migrate_macros::Migration;
use migrate_postgres::BoxError;
use sqlx::PgConnection;

async fn run(_connection: &mut PgConnection) -> Result<(), BoxError> {
    Ok(())
}

#[derive(Migration)]
#[migration(version = 1, run = run)]
struct FillNames;

#[derive(Migration)]
#[migration(version = 1, up = "fixtures/alone/fill_names.sql")]
struct FillNamesBySql;

fn main() {}
