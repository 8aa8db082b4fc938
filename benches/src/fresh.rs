//! How long a test waits for its database: our `TestDatabase` beside `sqlx::test`.
//!
//! Both with the same migrations, a table each, on one server as our fixture starts it: in memory where there is
//! room, with no regard for crashes. The clock runs from the start of the test to its first line; the first test
//! of each is not counted, which makes our template and sqlx's own table. Each is a process of its own: sqlx
//! finds the server in its environment.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use migrate_postgres::Source;
use migrate_testing::{Server, TestDatabase};
use sqlx::PgPool;
use sqlx::testing::{TestArgs, TestFn};

use crate::figures::{Figures, Key};
use crate::{Result, progress, set};

/// How many migrations, and tables.
pub const TABLES: usize = 100;
/// More of them, which should make no difference to us.
const MORE: usize = 1_000;
/// The word for [`ours`].
pub const OURS: &str = "fresh";
/// The word for [`theirs`].
pub const THEIRS: &str = "sqlx-test";

/// The figure of a tool.
pub fn key(tool: &'static str, migrations: usize) -> Key {
    Key { measure: "fresh_database_ms", tool, mode: "a test", migrations }
}

/// Measures `rounds` databases of each.
///
/// # Errors
/// When there is no PostgreSQL, or a tool fails.
pub fn measure(figures: &mut Figures, sets: &Path, rounds: usize) -> Result<()> {
    for (migrations, folder) in [(TABLES, "tables"), (MORE, "1000/migrations")] {
        let dir = sets.join(folder);
        if migrations == TABLES {
            set::write(&dir, set::tables(TABLES))?;
        }
        let mut child = Command::new(std::env::current_exe()?);
        child.args(["child", OURS]).arg(&dir).arg(rounds.to_string());
        // The fixture's own choice of a place, not the disk that applying is measured on.
        let output = child.env_remove("MIGRATE_PG_DIR").stderr(Stdio::inherit()).output()?;
        if !output.status.success() {
            return Err("no fresh databases".into());
        }
        read(figures, migrations, &String::from_utf8(output.stdout)?)?;
        progress(&format!("fresh_database_ms {migrations}: {rounds} rounds"));
    }
    figures.compare(key("migrate", TABLES), key("sqlx", TABLES));
    figures.compare(key("migrate", MORE), key("migrate", TABLES));
    Ok(())
}

/// A line for each database: whose, and its milliseconds.
fn read(figures: &mut Figures, migrations: usize, lines: &str) -> Result<()> {
    for line in lines.lines() {
        let (tool, milliseconds) = line.split_once(' ').ok_or("a line without a figure")?;
        let tool = if tool == "sqlx" { "sqlx" } else { "migrate" };
        figures.add(key(tool, migrations), milliseconds.parse()?);
    }
    Ok(())
}

/// The child: starts a server, takes databases from it, and lets sqlx take one in turn.
///
/// # Errors
/// When there is no PostgreSQL, or a tool fails.
pub async fn ours(arguments: &[String]) -> Result<()> {
    let [folder, rounds] = arguments else { return Err("a child without a folder".into()) };
    let source = Source::read(folder).map_err(|problems| format!("{problems:?}"))?;
    let server = Server::private()?;
    for round in 0..=rounds.parse::<usize>()? {
        let began = Instant::now();
        let database = TestDatabase::builder(source.clone()).server(&server).create().await?;
        sqlx::raw_sql("SELECT 1").execute(database.pool()).await?;
        let took = began.elapsed();
        drop(database);
        if round > 0 {
            println!("migrate {}", took.as_secs_f64() * 1e3);
            sqlx_takes_one(&server, folder)?;
        }
    }
    Ok(())
}

fn sqlx_takes_one(server: &Server, folder: &str) -> Result<()> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["child", THEIRS, folder]).env("DATABASE_URL", server.url("postgres"));
    let status = child.status()?;
    if status.success() { Ok(()) } else { Err("sqlx::test failed".into()) }
}

/// The grandchild: two tests as `#[sqlx::test]` runs them, the second of which counts.
///
/// # Errors
/// When its arguments are not right. A failing test panics.
pub fn theirs(arguments: &[String]) -> Result<()> {
    let [folder] = arguments else { return Err("a child without a folder".into()) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let migrator = runtime.block_on(sqlx::migrate::Migrator::new(Path::new(folder)))?;
    let migrator: &'static sqlx::migrate::Migrator = Box::leak(Box::new(migrator));
    test(TestArgs::new("the first"))?;
    let mut arguments = TestArgs::new("the second");
    arguments.migrator(migrator);
    println!("sqlx {}", test(arguments)? * 1e3);
    Ok(())
}

/// Seconds until the first line of a test has asked something.
fn test(arguments: TestArgs) -> Result<f64> {
    let body: fn(PgPool) -> _ = first_line;
    let began = Instant::now();
    let reached: sqlx::Result<Instant> = body.run_test(arguments);
    Ok((reached? - began).as_secs_f64())
}

async fn first_line(pool: PgPool) -> sqlx::Result<Instant> {
    sqlx::raw_sql("SELECT 1").execute(&pool).await?;
    Ok(Instant::now())
}
