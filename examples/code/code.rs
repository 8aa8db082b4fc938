//! `cargo run --example code`: a migration written in Rust, forward and back, on a throwaway database.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::error::Error;

use code::AppMigrations;
use migrate_postgres::{Migrator, Version};
use migrate_testing::TestDatabase;

/// The last version before articles have addresses.
const BEFORE_SLUGS: Version = Version::new(20261105090000);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let database = TestDatabase::empty().await?;
    let pool = database.pool();
    let migrator = Migrator::new(AppMigrations);

    title("Last month's deploy, and some articles:");
    print!("{}", migrator.run_to(pool, BEFORE_SLUGS).await?);
    for title in ["Hello, World!", "Öl und Wasser"] {
        sqlx::query("INSERT INTO articles (title) VALUES ($1)").bind(title).execute(pool).await?;
        println!("wrote    {title}");
    }

    title("Today's deploy. What it will do, and what it did:");
    print!("{}", migrator.plan(pool).await?);
    print!("{}", migrator.run(pool).await?);

    title("Every article has its address:");
    let slugs: Vec<String> =
        sqlx::query_scalar("SELECT slug FROM articles ORDER BY id").fetch_all(pool).await?;
    slugs.iter().for_each(|slug| println!("/{slug}"));

    title("And back:");
    print!("{}", migrator.revert(pool, Some(BEFORE_SLUGS)).await?);
    Ok(())
}

fn title(text: &str) {
    println!("\n== {text}");
}
