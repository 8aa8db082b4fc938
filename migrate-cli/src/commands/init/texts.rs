//! What `init` writes.
//!
//! Owns the words of a new project. What of it is written where, others decide.

pub(super) const FIRST: &str = "\
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL
);
";

pub(super) const FIRST_DOWN: &str = "DROP TABLE customers;\n";

pub(super) const SQLX: &str = "sqlx = { version = \"0.9\", default-features = false, features = [\"postgres\", \"runtime-tokio\"] }";
pub(super) const TOKIO: &str =
    "tokio = { version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }";
pub(super) const ALIAS: &str = "xtask = \"run --quiet --package xtask --\"";

pub(super) const MAIN: &str = "\
mod migrations;

use migrate_postgres::Migrator;
use sqlx::PgPool;

use crate::migrations::AppMigrations;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var(\"DATABASE_URL\").map_err(|_| \"set DATABASE_URL\")?;
    let pool = PgPool::connect(&url).await?;
    let report = Migrator::new(AppMigrations).run(&pool).await?;
    println!(\"{report}\");
    Ok(())
}
";

pub(super) const MAIN_IS_NEW: &str =
    "a main that migrates at start-up, in place of cargo's \"Hello, world!\"";

/// The line of the build script.
pub(super) fn watch(dir: &str) -> String {
    format!("println!(\"cargo::rerun-if-changed={dir}\");")
}

/// The folder as a type, and a first test.
pub(super) fn module(dir: &str, require: bool, is_new: bool) -> String {
    let down = if require { ", down = \"require\"" } else { "" };
    let test = if is_new { FIRST_TEST } else { TEST };
    format!(
        "//! The migrations of this application: the compiler reads the folder and checks it.

use migrate_postgres::Migrations;

/// At start-up: `Migrator::new(AppMigrations).run(&pool).await?`.
#[derive(Migrations)]
#[migrations(dir = \"{dir}\"{down})]
pub struct AppMigrations;

#[cfg(test)]
mod tests {{
    use migrate_testing::TestDatabase;

    use super::AppMigrations;

{test}}}
"
    )
}

const FIRST_TEST: &str = "    \
    #[migrate_testing::test(AppMigrations)]
    async fn a_customer_has_a_name(db: TestDatabase) {
        let named = \"INSERT INTO customers (name) VALUES ('Ada')\";
        sqlx::query(named).execute(db.pool()).await.unwrap();
        let nameless = \"INSERT INTO customers (name) VALUES (NULL)\";
        assert!(sqlx::query(nameless).execute(db.pool()).await.is_err());
    }
";

const TEST: &str = "    \
    #[migrate_testing::test(AppMigrations)]
    async fn all_migrations_apply(db: TestDatabase) {
        let migrator = db.migrator().unwrap();
        assert!(migrator.check(db.pool()).await.unwrap());
    }
";

pub(super) fn xtask_manifest(dependency: &str) -> String {
    format!(
        "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n\n\
         [dependencies]\n{dependency}\n"
    )
}

pub(super) fn xtask_main(call: &str) -> String {
    format!("fn main() -> std::process::ExitCode {{\n    {call}\n}}\n")
}

#[cfg(test)]
mod tests {
    /// Two versions of it in one program would be two kinds of pool.
    #[test]
    fn a_new_project_gets_the_sqlx_that_we_take() {
        let ours = include_str!("../../../../Cargo.toml");
        assert!(ours.contains(super::SQLX), "{}", super::SQLX);
    }
}
