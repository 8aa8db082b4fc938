//! The first five minutes: a folder of migrations on a throwaway server.
//!
//! Run it with `cargo run --example quickstart`. It needs no server running and no configuration, and leaves no
//! data behind. Where no PostgreSQL is installed, it fetches one and says so.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::error::Error;

use migrate_postgres::{Migrations, Migrator, Version};
use migrate_testing::Server;
use sqlx::postgres::PgPoolOptions;

/// The folder is part of the program; a broken file would not compile.
#[derive(Migrations)]
#[migrations(dir = "migrations", down = "require")]
struct AppMigrations;

/// The last version before the column gets its new name.
const BEFORE_EMAIL: Version = Version::new(20261109101500);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::private()?;
    let pool = PgPoolOptions::new().connect_with(server.options("postgres")).await?;
    let migrator = Migrator::new(AppMigrations);

    title("An empty database. What a run would do:");
    print!("{}", migrator.plan(&pool).await?);

    title("Last month's deploy: everything up to the index, and some customers.");
    print!("{}", migrator.run_to(&pool, BEFORE_EMAIL).await?);
    sqlx::query("INSERT INTO customers (name, contact) VALUES ('Ada', 'ada@example.org')")
        .execute(&pool)
        .await?;

    title("Today's deploy. Old code still runs, so the contract waits:");
    print!("{}", migrator.run(&pool).await?);

    title("The next start has nothing to do, and asks one question to know that:");
    let report = migrator.run(&pool).await?;
    println!("{report}({:.1?})", report.took);

    title("Second thoughts: take today's deploy back. No data that old code wrote is lost.");
    print!("{}", migrator.revert(&pool, Some(BEFORE_EMAIL)).await?);

    title("And forward again, to the end: nobody reads the old column any more.");
    let migrator = ["fleet", "strangers"].into_iter().fold(migrator, |migrator, evidence| {
        migrator.waive(evidence, "this program is all that uses the database")
    });
    print!("{}", migrator.run(&pool).await?);
    print!("{}", migrator.contract(&pool, None).await?);
    let email: String = sqlx::query_scalar("SELECT email FROM customers").fetch_one(&pool).await?;
    println!("Ada's e-mail address is still {email}.");

    pool.close().await;
    title("Where to look next");
    println!("  examples/quickstart/quickstart.rs    this program");
    println!("  examples/quickstart/migrations       its folder");
    println!("  cargo xtask migrate --help           the same from the command line");
    println!("  README.md                            how to put it into yours");
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}
