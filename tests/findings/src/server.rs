//! Findings on a real server: the folder is run up to the statement, with rows in its tables, and what the statement
//! then does is seen.
//!
//! Owns what is run before it. What is seen is said in words that stand in the verdicts.

use migrate_core::sql;
use migrate_core::{Script, SqlMigration, Step};
use migrate_real::Folder;
use migrate_testing::Server;
use sqlx::{AssertSqlSafe, Connection, PgConnection, raw_sql};

use crate::Result;
use crate::case::Case;

mod catalog;
mod effect;
mod rows;

/// The database of the moment.
const NAME: &str = "findings";
/// What a server says to what is no SQL.
pub(crate) const NO_SQL: &str = "it fails with 42601";

use rows::Filling;

/// Runs each, and tells what is seen.
pub(crate) fn seen(
    cases: &[&Case<'_>],
    mut tell: impl FnMut(&Case<'_>, &str) -> Result<()>,
) -> Result<()> {
    if cases.is_empty() {
        return Ok(());
    }
    let server = Server::builder().setting("timezone", "UTC").private()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    for case in cases {
        let seen = runtime.block_on(seen_of(&server, case))?;
        tell(case, &seen)?;
    }
    Ok(())
}

async fn seen_of(server: &Server, case: &Case<'_>) -> Result<String> {
    let mut seen = seen_with(server, case, Filling::Values).await;
    if seen.is_err() {
        seen = seen_with(server, case, Filling::Nulls).await;
    }
    Ok(seen.unwrap_or_else(|error| format!("cannot be run: {error}")))
}

async fn seen_with(server: &Server, case: &Case<'_>, filling: Filling) -> Result<String> {
    let mut admin = PgConnection::connect_with(&server.options("postgres")).await?;
    send(&mut admin, &format!("DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")).await?;
    send(&mut admin, &format!("CREATE DATABASE {NAME}")).await?;
    admin.close().await?;
    let mut connection = PgConnection::connect_with(&server.options(NAME)).await?;
    let seen = run(&mut connection, case, filling).await;
    connection.close().await?;
    seen
}

async fn run(connection: &mut PgConnection, case: &Case<'_>, filling: Filling) -> Result<String> {
    let finding = case.finding;
    if case.is_no_sql() {
        return said_of(connection, case).await;
    }
    if let Some(needs) = case.judged.folder.needs {
        send(connection, needs).await?;
    }
    let migrations = &case.judged.migrations;
    let place = migrations.iter().position(|migration| migration.id == finding.migration);
    let (before, rest) = migrations.split_at(place.unwrap_or_default());
    for migration in before.iter().filter(|migration| !is_program(migration)) {
        apply(connection, &migration.up).await.map_err(|error| in_file(migration, &*error))?;
    }
    let migration = rest.first().ok_or("no such migration")?;
    let old = rows::fill(connection, filling).await?;
    match migration.up.script().filter(|script| script.file == finding.file) {
        Some(script) => effect::of(connection, &old, &migration.up, &Spot::of(script, case)?).await,
        None => back(connection, migration).await,
    }
}

/// Whether a statement is SQL, a server says whatever was before it.
async fn said_of(connection: &mut PgConnection, case: &Case<'_>) -> Result<String> {
    let scripts = migrate_core::scripts(&case.judged.migrations);
    let mut scripts = scripts.filter(|script| script.file == case.finding.file);
    let spot = Spot::of(scripts.next().ok_or("no such file")?, case)?;
    match send(connection, spot.text()).await {
        Ok(()) => Ok("it is run".to_owned()),
        Err(error) => Ok(format!("it fails with {}", state(&*error))),
    }
}

fn is_program(migration: &SqlMigration) -> bool {
    migration.up.script().is_some_and(|script| Folder::is_program(&script.file))
}

fn in_file(migration: &SqlMigration, error: &dyn std::error::Error) -> String {
    let file = migration.up.script().map(|script| script.file.clone()).unwrap_or_default();
    format!("{file}: {error}")
}

/// There, and back: what is not as it was.
async fn back(connection: &mut PgConnection, migration: &SqlMigration) -> Result<String> {
    let before = catalog::lines(connection).await?;
    apply(connection, &migration.up).await?;
    for step in migration.down.steps() {
        if let Err(error) = apply(connection, step).await {
            return Ok(format!("the way back fails with {}", state(&*error)));
        }
    }
    Ok(catalog::difference(&before, &catalog::lines(connection).await?))
}

/// A statement in its file.
struct Spot<'s> {
    statements: Vec<&'s str>,
    index: usize,
}

impl<'s> Spot<'s> {
    fn of(script: &'s Script, case: &Case<'_>) -> Result<Self> {
        let place = &case.finding.place;
        let lines = script.text.split_inclusive('\n').take(place.line as usize - 1);
        let line: usize = lines.map(str::len).sum();
        let rest = script.text.get(line..).unwrap_or_default();
        let column: usize = rest.chars().take(place.column as usize - 1).map(char::len_utf8).sum();
        let offset = line + column;
        let statements = sql::statements(&script.text).map_err(|_| "its statements end nowhere")?;
        let index = statements.iter().rposition(|statement| statement.start as usize <= offset);
        let index = index.ok_or("no statement is there")?;
        let statements = statements.iter().map(|statement| statement.text(&script.text)).collect();
        Ok(Self { statements, index })
    }
}

impl Spot<'_> {
    fn text(&self) -> &str {
        self.statements.get(self.index).copied().unwrap_or_default()
    }
}

/// As the runner would: in a transaction, or statement by statement.
async fn apply(connection: &mut PgConnection, step: &Step) -> Result<()> {
    let Some(script) = step.script() else { return Ok(()) };
    let statements = sql::statements(&script.text).map_err(|_| "its statements end nowhere")?;
    let texts: Vec<&str> = statements.iter().map(|s| s.text(&script.text)).collect();
    send(connection, "RESET ALL").await?;
    if !matches!(step, Step::Standalone(_)) {
        return send(connection, &format!("BEGIN; {}\n; COMMIT", script.text)).await;
    }
    for text in texts {
        send(connection, text).await?;
    }
    Ok(())
}

async fn send(connection: &mut PgConnection, text: &str) -> Result<()> {
    raw_sql(AssertSqlSafe(text.to_owned())).execute(&mut *connection).await?;
    Ok(())
}

/// The error's code, or what there is of it.
fn state(error: &(dyn std::error::Error + 'static)) -> String {
    let database = error.downcast_ref::<sqlx::Error>().and_then(sqlx::Error::as_database_error);
    let code = database.and_then(|error| error.code().map(|code| code.into_owned()));
    code.unwrap_or_else(|| error.to_string())
}
