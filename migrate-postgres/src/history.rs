//! The history's table: reading it, making it, and the rows that are added to it.
//!
//! Owns the way between rows and the core's values. A row says its own place in the log, so that a second
//! writer is refused by the primary key, and it is written only while the lock is ours. Decides nothing.

use std::time::{Duration, Instant};

use migrate_core::{
    Checksum, Direction, History, Kind, Migration, MigrationId, Phase, Record, State, Version,
};
use sqlx::PgConnection;
use sqlx::postgres::{PgDatabaseError, PgRow};

use crate::error::{Error, sqlstate};
use crate::options::{Names, Options};
use crate::session::{self, Scope, Session, number, rows, text, truth};
use crate::sql::{ident, literal};

/// The newest layout of the table that this version can read.
const FORMAT: i64 = 1;

/// A history as it was read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) history: History,
    /// Changes whenever any row does.
    pub(crate) stamp: i64,
    /// Is there a table at all?
    pub(crate) exists: bool,
}

/// Reads the history; an absent table is an empty one.
pub(crate) async fn load(connection: &mut PgConnection, names: &Names) -> Result<Loaded, Error> {
    let loaded = match rows(connection, names.load()).await {
        Ok(rows) => read(&rows, names)?,
        Err(error) => match sqlstate(&error).as_deref() {
            Some("42P01" | "3F000") => Loaded::default(),
            Some("42703") => return Err(foreign(connection, names).await),
            Some("42501") => return Err(unreadable(error, names)),
            _ => return Err(Error::driver("read the history", error)),
        },
    };
    if loaded.history.done().next().is_some() {
        return Ok(loaded);
    }
    let used = rows(connection, names.tables()).await;
    let used = used.map_err(|error| Error::driver("look for tables", error))?;
    let used = used.first().is_some_and(|row| truth(row, "used"));
    let history = if used { loaded.history } else { loaded.history.without_tables() };
    Ok(Loaded { history, ..loaded })
}

fn read(rows: &[PgRow], names: &Names) -> Result<Loaded, Error> {
    let mut stamp = 0;
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        stamp += number(row, "stamp").unwrap_or_default();
        let record = record(row).filter(|_| number(row, "format") <= Some(FORMAT));
        records.push(record.ok_or_else(|| too_new(row, names))?);
    }
    Ok(Loaded { history: History::new(records), stamp, exists: true })
}

fn record(row: &PgRow) -> Option<Record> {
    let version = Version::new(number(row, "version")?);
    let phase: Phase = text(row, "phase")?.parse().ok()?;
    Some(Record {
        seq: number(row, "seq")?,
        id: MigrationId::new(version, phase),
        name: text(row, "name")?.to_owned(),
        kind: text(row, "kind")?.parse().ok()?,
        direction: text(row, "direction")?.parse().ok()?,
        state: text(row, "state")?.parse().ok()?,
        unit: number(row, "statement").and_then(|unit| u32::try_from(unit).ok()),
        checksum: text(row, "checksum")?.parse().ok()?,
        has_down: truth(row, "has_down"),
        at: text(row, "at")?.to_owned(),
    })
}

fn too_new(row: &PgRow, names: &Names) -> Error {
    let seq = number(row, "seq").unwrap_or_default();
    let message = format!(
        "failed to read row {seq} of {}: a newer version of migrate wrote it",
        names.history
    );
    Error::foreign_history(&names.history, &message).next("Upgrade migrate in this program.")
}

fn unreadable(error: sqlx::Error, names: &Names) -> Error {
    let Names { history, settled, .. } = names;
    Error::driver("read the history", error).now("nothing was changed").next(format!(
        "Let this role read it: GRANT SELECT ON {history}, {settled} TO <role>; and GRANT USAGE on its schema; or \
         name the role with `Migrator::readable_by`."
    ))
}

/// Tells whose table it is that has the name of ours.
async fn foreign(connection: &mut PgConnection, names: &Names) -> Error {
    let columns = rows(connection, names.columns()).await.unwrap_or_default();
    let columns: Vec<&str> = columns.iter().filter_map(|row| text(row, "name")).collect();
    Error::foreign_history(&names.history, &owner(&columns))
}

/// By the columns that other tools give to a table of this name.
fn owner(columns: &[&str]) -> String {
    let tool = match columns {
        ["version", "dirty"] => "golang-migrate's",
        ["version", "inserted_at"] => "Ecto's",
        ["version"] => "that of Rails, dbmate or geni",
        ["version", ..] if columns.contains(&"checksum") => "sqlx's or one like it",
        ["id", ..] => "geni's or one like it",
        _ => {
            return format!(
                "it belongs to something else (its columns are {})",
                columns.join(", ")
            );
        }
    };
    format!("it is {tool} history (its columns are {})", columns.join(", "))
}

/// Makes the tables if they are not there, and lets others read them. Called under the lock.
pub(crate) async fn prepare(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    exists: bool,
) -> Result<(), Error> {
    if exists && ours.readable_by.is_empty() {
        return Ok(());
    }
    let mut message = session.settings(Scope::Transaction, ours, Duration::from_secs(5));
    if !exists {
        message += &create_schema(session, names).await?;
        message += &names.create_history();
    }
    message.extend(ours.readable_by.iter().map(|role| names.grant(role)));
    let sent = session.send(message).await;
    sent.map(drop).map_err(|error| {
        let remedy = format!(
            "Let the migrating role make its tables: GRANT CREATE, USAGE ON SCHEMA {} TO <role>; or choose another \
             schema with `Migrator::schema`.",
            names.schema_ident
        );
        Error::driver("make the history", error).now("nothing was changed").next_unless_known(&remedy)
    })
}

/// `CREATE SCHEMA IF NOT EXISTS` wants rights on the database even where the schema exists.
async fn create_schema(session: &mut Session, names: &Names) -> Result<String, Error> {
    let row = session.send(names.schema_missing()).await;
    let row = row.map_err(|error| Error::driver("look for the schema", error))?;
    let missing = row.is_some_and(|row| truth(&row, "missing"));
    Ok(if missing { names.create_schema() } else { String::new() })
}

/// The texts with which a migration was applied, for showing and for taking back what is not declared any more.
pub(crate) async fn texts(
    connection: &mut PgConnection,
    names: &Names,
    id: MigrationId,
) -> Result<(Option<String>, Option<String>), Error> {
    let row = session::send(connection, names.texts(id)).await;
    let row = row.map_err(|error| Error::driver("read a text from the history", error))?;
    let get = |column| row.as_ref().and_then(|row| text(row, column)).map(ToOwned::to_owned);
    Ok((get("up_sql"), get("down_sql")))
}

/// What a row says, but for who wrote it.
pub(crate) struct Row<'r> {
    pub(crate) id: MigrationId,
    pub(crate) name: &'r str,
    pub(crate) kind: Kind,
    pub(crate) direction: Direction,
    pub(crate) state: State,
    pub(crate) unit: Option<u32>,
    pub(crate) checksum: Checksum,
    pub(crate) up_sql: Option<&'r str>,
    pub(crate) down_sql: Option<&'r str>,
    pub(crate) reason: Option<&'r str>,
    pub(crate) ran: Ran,
}

/// When the work of a row ran, by the clock of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ran {
    /// In the message that writes the row.
    Now,
    /// In a message before it.
    Before { began: Instant, ended: Instant },
}

impl Ran {
    fn started_at(self) -> String {
        match self {
            Ran::Now => "pg_catalog.statement_timestamp()".to_owned(),
            Ran::Before { began, .. } => ago(began),
        }
    }

    fn finished_at(self) -> String {
        match self {
            Ran::Now => "pg_catalog.clock_timestamp()".to_owned(),
            Ran::Before { ended, .. } => ago(ended),
        }
    }
}

/// The function and not the operator: to find that one among its namesakes takes as long as the rest of a row.
fn ago(instant: Instant) -> String {
    let ago = instant.elapsed().as_micros();
    format!("pg_catalog.timestamptz_mi_interval(pg_catalog.clock_timestamp(), E'{ago} us')")
}

impl<'r> Row<'r> {
    /// All of a migration, with its texts.
    pub(crate) fn whole(migration: &'r dyn Migration, kind: Kind, state: State) -> Self {
        let text_of = |steps: &'r [migrate_core::Step]| {
            steps.first().and_then(|step| step.script()).map(|s| &*s.text)
        };
        let down_sql = match migration.down() {
            migrate_core::Down::Steps(steps) => text_of(steps),
            _ => None,
        };
        Self {
            id: migration.id(),
            name: migration.name(),
            kind,
            direction: Direction::Up,
            state,
            unit: None,
            checksum: migration.checksum(),
            up_sql: text_of(migration.up()),
            down_sql,
            reason: None,
            ran: Ran::Now,
        }
    }
}

/// Writes rows in the name of one run.
pub(crate) struct Clerk<'c> {
    names: &'c Names,
    ours: &'c Options,
    application: String,
    host: String,
    build: &'static str,
    /// The place of the last row that was committed.
    pub(crate) last_seq: i64,
}

impl<'c> Clerk<'c> {
    pub(crate) fn new(
        names: &'c Names,
        ours: &'c Options,
        session: &Session,
        build: &'static str,
        last_seq: i64,
    ) -> Self {
        Self {
            names,
            ours,
            application: session.application.clone(),
            host: session::host(),
            build,
            last_seq,
        }
    }

    /// The statement that writes rows, the first of them `ahead` places after the last committed one. It returns
    /// the places, and fails when the lock is not ours.
    pub(crate) fn statement(&self, rows: &[Row<'_>], ahead: i64) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let first = self.last_seq + ahead;
        // One look at the lock is enough for a statement, and it is a good part of the cost of a row.
        let places = std::iter::once(self.names.place(first));
        let places = places.chain((first + 1..).map(|seq| seq.to_string()));
        let rows: Vec<_> = rows.iter().zip(places).map(|(row, seq)| self.row(row, &seq)).collect();
        self.names.record(&rows)
    }

    fn row(&self, row: &Row<'_>, place: &str) -> String {
        let optional = |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), literal);
        let role = self.ours.role.as_deref().map_or_else(|| "session_user".to_owned(), literal);
        self.names.row(&[
            ("place", place),
            ("version", &row.id.version.to_string()),
            ("phase", &literal(row.id.phase.as_str())),
            ("name", &literal(row.name)),
            ("kind", &literal(row.kind.as_str())),
            ("direction", &literal(row.direction.as_str())),
            ("state", &literal(row.state.as_str())),
            ("statement", &row.unit.map_or_else(|| "NULL".to_owned(), |unit| unit.to_string())),
            ("checksum", &literal(&row.checksum.to_string())),
            ("up_sql", &optional(row.up_sql)),
            ("down_sql", &optional(row.down_sql)),
            ("started_at", &row.ran.started_at()),
            ("finished_at", &row.ran.finished_at()),
            ("reason", &optional(row.reason)),
            ("role", &role),
            ("application", &literal(&self.application)),
            ("host", &literal(&self.host)),
            ("build", &literal(self.build)),
            ("library", &literal(env!("CARGO_PKG_VERSION"))),
        ])
    }

    /// Writes rows in a transaction of their own.
    pub(crate) async fn write(
        &mut self,
        session: &mut Session,
        rows: &[Row<'_>],
    ) -> Result<(), Error> {
        let (before, statement) = (self.as_ourselves(), self.statement(rows, 1));
        match session.send(format!("BEGIN; {before}{statement}COMMIT")).await {
            Ok(_) => {
                self.last_seq += i64::try_from(rows.len()).unwrap_or_default();
                Ok(())
            }
            Err(error) => {
                session.roll_back().await;
                Err(self.refused(error))
            }
        }
    }

    /// Whatever a migration made of the session, rows are written by us.
    pub(crate) fn as_ourselves(&self) -> String {
        let role = self.ours.role.as_deref().map_or_else(|| "NONE".to_owned(), ident);
        format!(
            "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL ROLE {role}; SET LOCAL search_path = ''; \
             SET LOCAL lock_timeout = '5s'; SET LOCAL default_transaction_read_only = off; "
        )
    }

    /// Was it a row of ours that the server refused?
    pub(crate) fn was_refused(&self, error: &sqlx::Error) -> bool {
        let server: Option<&PgDatabaseError> =
            error.as_database_error().and_then(|e| e.try_downcast_ref());
        let states = ["23502", "23505"];
        server.is_some_and(|server| {
            let ours = (Some(self.ours.schema.as_str()), Some(self.ours.table.as_str()));
            states.contains(&server.code()) && (server.schema(), server.table()) == ours
        })
    }

    /// What an error of a row means: no place in the log without the lock, and each place only once.
    pub(crate) fn refused(&self, error: sqlx::Error) -> Error {
        match sqlstate(&error).as_deref() {
            Some("23502") => Error::lost_lock(),
            Some("23505") => {
                Error::busy("failed to write the history: another migrator wrote it meanwhile")
            }
            _ => Error::driver("write the history", error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::owner;

    #[test]
    fn tables_of_other_tools_are_told_apart() {
        assert!(owner(&["version", "dirty"]).contains("golang-migrate"));
        assert!(owner(&["version", "inserted_at"]).contains("Ecto"));
        assert!(owner(&["version"]).contains("Rails"));
        assert!(owner(&["a", "b"]).contains("a, b"));
    }
}
