//! What a server says of SQL that it does not run, and how large its tables are.
//!
//! Owns the way to a verdict: in a transaction that has failed, a server that is sent `Parse` says whether the
//! grammar is fine (25P02) or what is wrong with it, and does nothing else; a role that may only read will do. What
//! the answers make of a finding is the linter's.

use std::time::Duration;

use migrate_core::sql::quote::Ident;
use migrate_lint::{Asked, LiveColumn, LiveTable, Refusal};
use sqlx::postgres::{PgDatabaseError, PgErrorPosition, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, Row, SqlSafeStr};

use crate::context::Context;
use crate::exit::Failure;
use crate::url::Place;

const LOOK: &str = include_str!("sql/look.sql");
const VERSION: &str = include_str!("sql/version.sql");
const TABLES: &str = include_str!("sql/tables.sql");
const COLUMNS: &str = include_str!("sql/columns.sql");
const FAIL: &str = include_str!("sql/fail.sql");
const END: &str = include_str!("sql/end.sql");

/// The grammar is fine, and the transaction has failed.
const ABORTED: &str = "25P02";
/// Nobody is there, nobody answers, or we were asked to go: no verdict on a text.
const NO_VERDICT: [&str; 4] = ["08", "53", "57", "58"];

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(30);

/// What was seen.
pub(crate) struct Seen<'m> {
    /// `app at db.example.org:5432 as me`
    pub(crate) database: String,
    /// `15.18`
    pub(crate) version: String,
    pub(crate) tables: Vec<LiveTable>,
    /// What the server takes for no SQL.
    pub(crate) refused: Vec<(Asked<'m>, Refusal)>,
}

/// Looks; nothing is changed.
pub(crate) async fn look<'m>(
    context: &Context,
    place: &Place,
    statements: Vec<Asked<'m>>,
) -> Result<Seen<'m>, Failure> {
    let options = place.options.clone().disable_statement_logging();
    let connected = tokio::time::timeout(CONNECT, options.connect()).await;
    let late = || sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
    let connected = connected.unwrap_or_else(|_| Err(late()));
    let mut connection = connected.map_err(Failure::connection)?;
    let role = context.common.role.as_deref();
    let seen = ask(&mut connection, role, place, statements).await;
    let closed = connection.close().await;
    let seen = seen?;
    closed.map_err(Failure::server("close the connection"))?;
    Ok(seen)
}

async fn ask<'m>(
    connection: &mut PgConnection,
    role: Option<&str>,
    place: &Place,
    statements: Vec<Asked<'m>>,
) -> Result<Seen<'m>, Failure> {
    begin(connection, role).await?;
    let failed = || Failure::server("look at the database");
    let version = connection.fetch_one(sqlx::raw_sql(VERSION)).await.map_err(failed())?;
    let version: String = version.try_get("version").map_err(failed())?;
    let tables =
        tables(connection).await.map_err(Failure::server("ask how large the tables are"))?;
    fail(connection).await?;
    let mut refused = Vec::new();
    for asked in statements {
        let verdict = verdict(connection, asked.text).await;
        refused.extend(verdict.map_err(failed())?.map(|refusal| (asked, refusal)));
    }
    connection.execute(sqlx::raw_sql(END)).await.map_err(failed())?;
    Ok(Seen { database: place.to_string(), version, tables, refused })
}

async fn begin(connection: &mut PgConnection, role: Option<&str>) -> Result<(), Failure> {
    let failed = || Failure::server("look at the database");
    connection.execute(sqlx::raw_sql(LOOK)).await.map_err(failed())?;
    let Some(role) = role else { return Ok(()) };
    let role = Ident::new(role).map_err(|nul| {
        Failure::usage(format!("failed to take the role: its name has {nul}"), "Correct --role.")
    })?;
    let set = AssertSqlSafe(format!("SET LOCAL ROLE {role}"));
    connection.execute(sqlx::raw_sql(set)).await.map_err(Failure::server("take the role"))?;
    Ok(())
}

async fn tables(connection: &mut PgConnection) -> Result<Vec<LiveTable>, sqlx::Error> {
    let rows = connection.fetch_all(sqlx::raw_sql(TABLES)).await?;
    let mut tables = rows.iter().map(table).collect::<Result<Vec<_>, _>>()?;
    // As we compare, which need not be how the database does.
    tables.sort_by(|a, b| (&a.schema, &a.name).cmp(&(&b.schema, &b.name)));
    for row in connection.fetch_all(sqlx::raw_sql(COLUMNS)).await? {
        let (schema, of): (String, String) = (row.try_get("schema")?, row.try_get("table")?);
        let key = |table: &LiveTable| (&table.schema, &table.name).cmp(&(&schema, &of));
        let table = tables.binary_search_by(key).ok().and_then(|at| tables.get_mut(at));
        if let Some(table) = table {
            let (name, ty) = (row.try_get("name")?, row.try_get("type")?);
            table.columns.push(LiveColumn { name, ty, not_null: row.try_get("not_null")? });
        }
    }
    Ok(tables)
}

fn table(row: &PgRow) -> Result<LiveTable, sqlx::Error> {
    let bytes: i64 = row.try_get("bytes")?;
    Ok(LiveTable {
        schema: row.try_get("schema")?,
        name: row.try_get("name")?,
        rows: row.try_get("rows")?,
        bytes: u64::try_from(bytes).unwrap_or_default(),
        columns: Vec::new(),
    })
}

/// Makes the transaction one in which nothing can be done any more.
async fn fail(connection: &mut PgConnection) -> Result<(), Failure> {
    let failed = Failure::server("have a transaction that does nothing");
    match connection.execute(sqlx::raw_sql(FAIL)).await {
        Err(sqlx::Error::Database(_)) => Ok(()),
        Err(error) => Err(failed(error)),
        Ok(_) => Err(failed(sqlx::Error::Protocol("the server divides by zero".to_owned()))),
    }
}

/// What the server says of a text; nothing where its grammar is fine.
async fn verdict(
    connection: &mut PgConnection,
    text: &str,
) -> Result<Option<Refusal>, sqlx::Error> {
    // What has no end cannot be sent; the reader of the folder has told of it.
    if text.contains('\0') {
        return Ok(None);
    }
    let text = AssertSqlSafe(text.to_owned()).into_sql_str();
    let error = match connection.prepare(text).await {
        Ok(_) => return Ok(None),
        Err(error) => error,
    };
    let told = error.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>());
    match told {
        Some(told) if told.code() == ABORTED => Ok(None),
        Some(told) if NO_VERDICT.iter().all(|class| !told.code().starts_with(class)) => {
            Ok(Some(refusal(told)))
        }
        _ => Err(error),
    }
}

fn refusal(told: &PgDatabaseError) -> Refusal {
    let position = match told.position() {
        Some(PgErrorPosition::Original(position)) => position,
        _ => 0,
    };
    Refusal {
        position,
        message: told.message().to_owned(),
        hint: told.hint().map(ToOwned::to_owned),
    }
}
