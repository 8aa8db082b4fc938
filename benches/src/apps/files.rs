//! What the applications are made of: manifest, program and folder, as each tool's documentation has it.
//!
//! The smallest set of features each that embeds migrations and runs them; no command line, no TLS.

use std::path::Path;

use super::App;
use crate::set;

const TOKIO: &str = r#"tokio = { version = "1", features = ["rt"] }"#;
const DRIVER: &str = r#"sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-tokio"] }"#;
const SQLX: &str = r#"sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-tokio", "macros", "migrate"] }"#;
const REFINERY: &str = r#"refinery = { version = "0.10", default-features = false, features = ["tokio-postgres"] }
tokio-postgres = "0.7""#;
const DIESEL: &str = r#"diesel = { version = "2.3", default-features = false, features = ["postgres"] }
diesel_migrations = { version = "2.3", default-features = false, features = ["postgres"] }"#;
const SEA_ORM: &str = r#"sea-orm-migration = { version = "2.0", default-features = false, features = ["sqlx-postgres", "runtime-tokio"] }"#;

const ASYNC_MAIN: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(start(&url))?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}
"#;

const MAIN: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    start(&std::env::var("DATABASE_URL")?)?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}
"#;

const DRIVER_START: &str = r#"
async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(url).await?;
    sqlx::raw_sql("SELECT 1").execute(&pool).await?;
    Ok(())
}
"#;

const MIGRATE_START: &str = r#"
#[derive(migrate_postgres::Migrations)]
#[migrations(dir = "migrations", down = "ignore"RELEASED)]
struct AppMigrations;

async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(url).await?;
    migrate_postgres::Migrator::new(AppMigrations).run(&pool).await?;
    Ok(())
}
"#;

const SQLX_START: &str = r#"
async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(url).await?;
    sqlx::migrate!("./migrations").run(&pool).await?;
    Ok(())
}
"#;

const REFINERY_START: &str = r#"
mod embedded {
    refinery::embed_migrations!("migrations");
}

async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (mut client, connection) = tokio_postgres::connect(url, tokio_postgres::NoTls).await?;
    tokio::spawn(connection);
    embedded::migrations::runner().run_async(&mut client).await?;
    Ok(())
}
"#;

const DIESEL_START: &str = r#"
use diesel::Connection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

fn start(url: &str) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut connection = diesel::PgConnection::establish(url)?;
    connection.run_pending_migrations(MIGRATIONS)?;
    Ok(())
}
"#;

const SEA_ORM_START: &str = r#"
mod migrations;

use sea_orm_migration::MigratorTrait;

async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let database = sea_orm_migration::sea_orm::Database::connect(url).await?;
    migrations::Migrator::up(&database, None).await?;
    Ok(())
}
"#;

const SEA_ORM_MIGRATION: &str = r##"use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.get_connection().execute_unprepared(r#"
SQL"#).await?;
        Ok(())
    }
}
"##;

/// The name of the program, and the version of everything that it needs.
pub fn manifest(app: App) -> String {
    let name = app.name();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrate-postgres");
    let dependencies = match app {
        App::Driver => format!("{DRIVER}\n{TOKIO}"),
        App::Migrate => format!(
            "{DRIVER}\n{TOKIO}\nmigrate-postgres = {{ path = {ours:?}, default-features = false }}"
        ),
        App::MigrateLint => format!("{DRIVER}\n{TOKIO}\nmigrate-postgres = {{ path = {ours:?} }}"),
        App::Sqlx => format!("{SQLX}\n{TOKIO}"),
        App::Refinery => format!("{REFINERY}\n{TOKIO}"),
        App::Diesel => DIESEL.to_owned(),
        App::SeaOrm => format!("{SEA_ORM}\n{TOKIO}"),
    };
    format!(
        "[workspace]\n\n[package]\nname = \"{name}-app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
         [dependencies]\n{dependencies}\n\n[profile.release]\nstrip = true\n"
    )
}

/// The program, for a folder of so many migrations.
pub fn program(app: App, migrations: usize) -> String {
    let (start, main) = match app {
        App::Driver => (DRIVER_START, ASYNC_MAIN),
        App::Migrate | App::MigrateLint => (MIGRATE_START, ASYNC_MAIN),
        App::Sqlx => (SQLX_START, ASYNC_MAIN),
        App::Refinery => (REFINERY_START, ASYNC_MAIN),
        App::Diesel => (DIESEL_START, MAIN),
        App::SeaOrm => (SEA_ORM_START, ASYNC_MAIN),
    };
    format!("{}{main}", start.replace("RELEASED", &released(app, migrations)))
}

/// All but the last migration are history, as in a project that adds one now.
fn released(app: App, migrations: usize) -> String {
    let names = set::files(migrations).map(|(name, _)| name).collect::<Vec<_>>();
    let last = names.len().checked_sub(2).and_then(|last| names.get(last)).or(names.last());
    let version = last.and_then(|name| name.split('_').next()).unwrap_or_default();
    match app {
        App::MigrateLint => format!(", released = \"{version}\""),
        _ => String::new(),
    }
}

/// Where the migrations are.
pub fn folder(app: App) -> &'static str {
    if app == App::SeaOrm { "src/migrations" } else { "migrations" }
}

/// Names and texts of the migrations, below the folder.
pub fn migrations(app: App, count: usize) -> Vec<(String, String)> {
    let files = set::files(count);
    match app {
        App::Driver => Vec::new(),
        App::Migrate | App::MigrateLint | App::Sqlx => files.collect(),
        App::Refinery => files.enumerate().map(|(number, file)| refinery(number, file)).collect(),
        App::Diesel => {
            files.map(|(name, text)| (format!("{}/up.sql", stem(&name)), text)).collect()
        }
        App::SeaOrm => {
            let files = files.map(|(name, text)| {
                (format!("m{}.rs", stem(&name)), SEA_ORM_MIGRATION.replace("SQL", &text))
            });
            files.collect()
        }
    }
}

/// Versions are of 32 bits unless one asks for more.
fn refinery(number: usize, (name, text): (String, String)) -> (String, String) {
    let words = name.split_once('_').map_or(name.as_str(), |(_, words)| words);
    (format!("V{}__{words}", number + 1), text)
}

fn stem(name: &str) -> &str {
    name.trim_end_matches(".sql")
}

/// The list that sea-orm wants beside the migrations; nobody else does.
pub fn list(app: App, migrations: &[(String, String)]) -> Option<String> {
    let names: Vec<&str> =
        migrations.iter().map(|(name, _)| name.trim_end_matches(".rs")).collect();
    let lines = |line: fn(&str) -> String| names.iter().map(|name| line(name)).collect::<String>();
    (app == App::SeaOrm).then(|| {
        format!(
            "use sea_orm_migration::prelude::*;\n\n{}\npub struct Migrator;\n\n\
             #[async_trait::async_trait]\nimpl MigratorTrait for Migrator {{\n    \
             fn migrations() -> Vec<Box<dyn MigrationTrait>> {{\n        vec![\n{}        ]\n    }}\n}}\n",
            lines(|name| format!("mod {name};\n")),
            lines(|name| format!("            Box::new({name}::Migration),\n")),
        )
    })
}

/// The text of a migration with one more statement at its end.
pub fn edited(app: App, text: &str, statement: &str) -> String {
    match app {
        App::SeaOrm => text.replace("\"#)", &format!("{statement}\n\"#)")),
        _ => format!("{text}{statement}\n"),
    }
}
