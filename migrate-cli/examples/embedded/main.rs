//! What a `migrate` binary of an application is: the commands for its own migrations, those in Rust too.
//!
//! `cargo run --example embedded -- plan`

use migrate_postgres::{Migration, Migrations};
use sqlx::{Executor, PgConnection};

#[derive(Migrations)]
#[migrations(dir = "examples/embedded/migrations", build_script = "ignore", code(FillNames))]
struct AppMigrations;

#[derive(Migration)]
#[migration(version = 2, run = fill_names, transaction = true, irreversible = "nobody knows the names before")]
struct FillNames;

async fn fill_names(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    connection.execute("INSERT INTO users VALUES (1, 'first')").await?;
    Ok(())
}

fn main() -> std::process::ExitCode {
    migrate_cli::embedded(AppMigrations).main()
}
