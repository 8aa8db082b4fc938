//! The history's table: reading it, making it, and the rows that are added to it.
//!
//! Owns the way between rows and the core's values. A row says its own place in the log, so that a second
//! writer is refused by the primary key, and it is written only while the lock is ours. Decides nothing.

use std::time::{Duration, Instant};

use migrate_core::{
    Checksum, Direction, Header, History, Kind, Migration, MigrationId, Phase, Record, State,
    Version,
};
use sqlx::PgConnection;
use sqlx::postgres::{PgDatabaseError, PgRow};

use crate::error::{Error, sqlstate};
use crate::lease;
use crate::options::Options;
use crate::session::{self, Limits, Scope, Session};
use crate::sql::{self, Names, ident, literal};
use crate::wire::{self, number, rows, text, truth};

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
    /// Are there the tables of evidence beside it?
    pub(crate) has_instances: bool,
}

/// Reads the history as whoever we are, or else as the role that we may take.
pub(crate) async fn load(connection: &mut PgConnection, names: &Names) -> Result<Loaded, Error> {
    match load_after("", connection, names).await {
        Err(error) if error.is_permission() && names.role.is_some() => {
            load_after(&names.as_role(), connection, names).await
        }
        loaded => loaded,
    }
}

/// Reads the history on a session of our own, after whatever a migration made of it.
pub(crate) async fn load_as_ourselves(
    session: &mut Session,
    names: &Names,
) -> Result<Loaded, Error> {
    load_after(&session.as_ourselves(names), &mut session.connection, names).await
}

/// An absent table is an empty history.
async fn load_after(
    identity: &str,
    connection: &mut PgConnection,
    names: &Names,
) -> Result<Loaded, Error> {
    let loaded = match rows(connection, format!("{identity}{}", names.load())).await {
        Ok(rows) => read(&rows, names)?,
        Err(error) => match sqlstate(&error).as_deref() {
            Some("42P01" | "3F000") => Loaded::default(),
            Some("42703") => return Err(foreign(connection, names).await),
            Some("42501") => return Err(unreadable(connection, error, names).await),
            _ => return Err(Error::driver("read the history", error)),
        },
    };
    if loaded.history.done().next().is_some() {
        return Ok(loaded);
    }
    let used = rows(connection, format!("{identity}{}", names.tables())).await;
    let used = used.map_err(|error| Error::driver("look for tables", error))?;
    let used = used.first().is_some_and(|row| truth(row, "used"));
    let history = if used { loaded.history } else { loaded.history.without_tables() };
    Ok(Loaded { history, ..loaded })
}

fn read(rows: &[PgRow], names: &Names) -> Result<Loaded, Error> {
    let (mut stamp, mut has_instances) = (0, false);
    let mut records = Vec::with_capacity(rows.len());
    for row in rows {
        stamp += number(row, "stamp").unwrap_or_default();
        has_instances |= truth(row, "has_instances");
        let record = record(row).filter(|_| number(row, "format") <= Some(FORMAT));
        records.push(record.ok_or_else(|| too_new(row, names))?);
    }
    Ok(Loaded { history: History::new(records), stamp, exists: true, has_instances })
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
        has_up: truth(row, "has_up"),
        has_down: truth(row, "has_down"),
        compatible: text(row, "head")
            .is_some_and(|head| Header::parse(head).0.compatible.is_some()),
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

async fn unreadable(connection: &mut PgConnection, error: sqlx::Error, names: &Names) -> Error {
    let error = Error::driver("read the history", error).now("nothing was changed");
    let reader = match (who(connection, &names.as_role()).await, &names.role) {
        (None, Some(role)) => return error.next(role_to_take(connection, role).await),
        (reader, _) => reader.unwrap_or_else(unknown_role),
    };
    let grants = names.grant(&reader).trim_end().replace('\n', " ");
    error.next(format!(
        "Let this role read it: {grants} Or name the role with `Migrator::readable_by`."
    ))
}

async fn role_to_take(connection: &mut PgConnection, role: &str) -> String {
    let login = who(connection, "").await.unwrap_or_else(unknown_role);
    format!("Let the login take the role of the migrator: GRANT {role} TO {login};")
}

/// Who we are, quoted, for a statement to type.
async fn who(connection: &mut PgConnection, as_role: &str) -> Option<String> {
    let row = wire::send(connection, format!("{as_role}{}", sql::who())).await.ok().flatten();
    row.as_ref().and_then(|row| text(row, "who")).map(ToOwned::to_owned)
}

fn unknown_role() -> String {
    "<role>".to_owned()
}

/// May somebody who is to read the history not do so, although we could let them?
pub(crate) async fn grants_missing(
    connection: &mut PgConnection,
    names: &Names,
    ours: &Options,
) -> Result<bool, Error> {
    if ours.readable_by.is_empty() {
        return Ok(false);
    }
    let row = wire::send(connection, names.grants_missing(&ours.readable_by)).await;
    let row = row.map_err(|error| Error::driver("look who may read the history", error))?;
    Ok(row.is_some_and(|row| truth(&row, "missing")))
}

/// Tells whose table it is that has the name of ours.
async fn foreign(connection: &mut PgConnection, names: &Names) -> Error {
    let columns = rows(connection, names.columns()).await.unwrap_or_default();
    let columns = columns.iter().filter_map(|row| Some((text(row, "name")?, text(row, "type")?)));
    let columns: Vec<(&str, &str)> = columns.collect();
    Error::foreign_history(&names.history, &owner(&columns))
}

/// By the columns that other tools give to a table of this name.
fn owner(columns: &[(&str, &str)]) -> String {
    let names: Vec<&str> = columns.iter().map(|(name, _)| *name).collect();
    let shown = names.join(", ");
    let tool = match columns {
        [("version", _), ("dirty", _)] => "golang-migrate's",
        [("version", _), ("inserted_at", _)] => "Ecto's",
        [("version", "character varying(128)" | "character varying(255)")] => "dbmate's",
        [("version", _)] => "a Rails-like",
        [("id", "character varying(255)")] => "geni's",
        [("version", _), ..] if names.contains(&"checksum") => "sqlx's or one like it",
        _ => return format!("it belongs to something else (its columns are {shown})"),
    };
    format!("it is {tool} history (its columns are {shown})")
}

/// What the history says of some migrations: whether they are done. Nothing where there is none.
pub(crate) async fn load_of(
    connection: &mut PgConnection,
    names: &Names,
    ids: &[MigrationId],
) -> Result<History, Error> {
    match rows(connection, names.load_of(ids)).await {
        Ok(rows) => Ok(read(&rows, names)?.history),
        Err(error) => match sqlstate(&error).as_deref() {
            Some("42P01" | "3F000") => Ok(History::default()),
            Some("42501") => Err(unreadable(connection, error, names).await),
            _ => Err(Error::driver("read the history", error)),
        },
    }
}

/// Makes the tables of evidence beside a history that was there before they were invented. Whoever may not make them
/// migrates all the same: without them, gates stay closed.
pub(crate) async fn prepare_gate(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    loaded: &Loaded,
) {
    if !loaded.exists || loaded.has_instances && ours.readable_by.is_empty() {
        return;
    }
    let limits = Limits::of_ours(Duration::from_secs(5));
    let mut message = session.settings(Scope::Transaction, ours, limits);
    if !loaded.has_instances {
        message += &names.create_gate();
    }
    message += &gate_grants(names, ours);
    if let Err(error) = session.send(message).await {
        tracing::warn!(%error, "migrate: the tables of evidence could not be made, and gates stay closed");
    }
}

fn gate_grants(names: &Names, ours: &Options) -> String {
    let mut grants: String =
        ours.readable_by.iter().map(|role| names.grant_gate(&ident(role))).collect();
    if names.role.is_some() {
        grants += &names.grant_gate("SESSION_USER");
    }
    grants
}

/// Makes the tables if they are not there, and lets others read them. Called under the lock, which is that of
/// the set: another set may make the same table at the same time.
pub(crate) async fn prepare(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    mut exists: bool,
) -> Result<(), Error> {
    for _ in 0..3 {
        match make(session, names, ours, exists).await {
            Err(error) if error.sqlstate().is_some_and(somebody_was_faster) => {
                exists = load(&mut session.connection, names).await?.exists;
            }
            done => return done,
        }
    }
    make(session, names, ours, exists).await
}

/// A table, its type, a function, a schema or a row of the catalog that came or changed meanwhile.
pub(crate) fn somebody_was_faster(sqlstate: &str) -> bool {
    matches!(sqlstate, "42P07" | "42710" | "42723" | "42P06" | "23505" | "XX000")
}

async fn make(
    session: &mut Session,
    names: &Names,
    ours: &Options,
    exists: bool,
) -> Result<(), Error> {
    if exists && ours.readable_by.is_empty() {
        return Ok(());
    }
    let mut message =
        session.settings(Scope::Transaction, ours, Limits::of_ours(Duration::from_secs(5)));
    if !exists {
        message += &create_schema(session, names).await?;
        message += &names.create_history();
        message += &names.create_gate();
        message += &gate_grants(names, ours);
    }
    message.extend(ours.readable_by.iter().map(|role| names.grant(&ident(role))));
    if names.role.is_some() {
        message += &names.grant("SESSION_USER"); // a login that does not inherit what its roles may
    }
    match session.send(message).await {
        Ok(_) => Ok(()),
        Err(error) => Err(not_made(session, error, names).await),
    }
}

/// Makes the table of leases, whoever else may do so at the same time: there is no lock to be had before it.
pub(crate) async fn prepare_lease(
    session: &mut Session,
    names: &Names,
    ours: &Options,
) -> Result<(), Error> {
    let mut tries = 0;
    loop {
        let mut message =
            session.settings(Scope::Transaction, ours, Limits::of_ours(Duration::from_secs(5)));
        message += &create_schema(session, names).await?;
        message += &names.create_lease();
        tries += 1;
        match session.send(message).await {
            Ok(_) => return Ok(()),
            Err(error)
                if tries < 10 && sqlstate(&error).is_some_and(|s| somebody_was_faster(&s)) => {}
            Err(error) => return Err(not_made(session, error, names).await),
        }
    }
}

async fn not_made(session: &mut Session, error: sqlx::Error, names: &Names) -> Error {
    let role = who(&mut session.connection, &names.as_role()).await.unwrap_or_else(unknown_role);
    let remedy = format!(
        "Let the migrating role make its tables: GRANT CREATE, USAGE ON SCHEMA {} TO {role}; or choose another \
         schema with `Migrator::schema`.",
        names.schema_ident
    );
    Error::driver("make the history", error).now("nothing was changed").next_unless_known(&remedy)
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
    let row = wire::send(connection, names.texts(id)).await;
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
    pub(crate) ran: Ran<'r>,
}

/// When the work of a row ran, by the clock of the server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Ran<'r> {
    /// In the message that writes the row.
    Now,
    /// In a message before it.
    Before { began: Instant, ended: Instant },
    /// Long ago, says another tool.
    Then(&'r str),
}

impl Ran<'_> {
    fn started_at(self) -> String {
        match self {
            Ran::Now => "pg_catalog.statement_timestamp()".to_owned(),
            Ran::Before { began, .. } => ago(began),
            Ran::Then(at) => then(at),
        }
    }

    fn finished_at(self) -> String {
        match self {
            Ran::Now => "pg_catalog.clock_timestamp()".to_owned(),
            Ran::Before { ended, .. } => ago(ended),
            Ran::Then(at) => then(at),
        }
    }
}

fn then(at: &str) -> String {
    format!("{}::pg_catalog.timestamptz", literal(at))
}

/// The function and not the operator: to find that one among its namesakes takes as long as the rest of a row.
fn ago(instant: Instant) -> String {
    let ago = instant.elapsed().as_micros();
    format!("pg_catalog.timestamptz_mi_interval(pg_catalog.clock_timestamp(), E'{ago} us')")
}

impl<'r> Row<'r> {
    /// All of a migration that nobody declares.
    pub(crate) fn unknown(id: MigrationId, name: &'r str, kind: Kind, state: State) -> Self {
        Self {
            id,
            name,
            kind,
            direction: Direction::Up,
            state,
            unit: None,
            checksum: Checksum::of_sql(""),
            up_sql: None,
            down_sql: None,
            reason: None,
            ran: Ran::Now,
        }
    }

    /// The same with a reason.
    pub(crate) fn because(self, reason: &'r str) -> Self {
        Self { reason: Some(reason), ..self }
    }

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
            checksum: migration.checksum(),
            up_sql: text_of(migration.up()),
            down_sql,
            ..Self::unknown(migration.id(), migration.name(), kind, state)
        }
    }
}

/// Makes us who we are for one transaction, whatever a migration made of the session.
pub(crate) fn as_ourselves_here(names: &Names) -> String {
    let role = names.role.as_deref().unwrap_or("DEFAULT");
    format!(
        "SET LOCAL SESSION AUTHORIZATION DEFAULT; SET LOCAL role TO {role}; SET LOCAL search_path = ''; \
         SET LOCAL lock_timeout = '5s'; SET LOCAL default_transaction_read_only = off; "
    )
}

/// Writes rows in the name of one run.
pub(crate) struct Clerk<'c> {
    names: &'c Names,
    ours: &'c Options,
    application: String,
    host: String,
    build: &'static str,
    /// The fence of our lease, where we have one.
    fence: Option<i64>,
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
            fence: session.lease.as_ref().map(|lease| lease.fence),
            last_seq,
        }
    }

    /// The statement that writes rows, the first of them `ahead` places after the last committed one. It fails
    /// when the lock is not ours, and with it the work of the same transaction.
    pub(crate) fn statement(&self, rows: &[Row<'_>], ahead: i64) -> String {
        if rows.is_empty() {
            return String::new();
        }
        let first = self.last_seq + ahead;
        // One look at the lock is enough for a statement, and it is a good part of the cost of a row.
        let place = match self.fence {
            Some(fence) => self.names.place_leased(first, fence),
            None => self.names.place(first),
        };
        let places = std::iter::once(place);
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
        self.write_with(session, rows, "").await
    }

    /// Writes rows and does something more, all in one transaction.
    pub(crate) async fn write_with(
        &mut self,
        session: &mut Session,
        rows: &[Row<'_>],
        more: &str,
    ) -> Result<(), Error> {
        let (before, statement) = (self.as_ourselves(), self.statement(rows, 1));
        let sent = match session.begin(self.names, "BEGIN READ WRITE; ").await {
            Ok(begin) => session.send(format!("{begin}{before}{statement}{more}COMMIT")).await,
            Err(error) => Err(error),
        };
        match sent {
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
        as_ourselves_here(self.names)
    }

    /// Was it a row of ours that the server refused?
    pub(crate) fn was_refused(&self, error: &sqlx::Error) -> bool {
        let server: Option<&PgDatabaseError> =
            error.as_database_error().and_then(|e| e.try_downcast_ref());
        let states = ["23502", "23505"];
        server.is_some_and(|server| {
            let table = server.table().map(|table| table.strip_suffix("_lease").unwrap_or(table));
            let ours = (Some(self.ours.schema.as_str()), Some(self.ours.table.as_str()));
            states.contains(&server.code()) && (server.schema(), table) == ours
        })
    }

    /// What an error of a row means: no place in the log without the lock, and each place only once.
    pub(crate) fn refused(&self, error: sqlx::Error) -> Error {
        match sqlstate(&error).as_deref() {
            Some("23502") if self.fence.is_some() => lease::lost(&error),
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
        let version = |of| owner(&[("version", of)]);
        assert!(owner(&[("version", "bigint"), ("dirty", "boolean")]).contains("golang-migrate"));
        assert!(owner(&[("version", "bigint"), ("inserted_at", "timestamp")]).contains("Ecto"));
        assert!(version("character varying").contains("Rails"));
        assert!(version("character varying(128)").contains("dbmate"));
        assert!(owner(&[("id", "character varying(255)")]).contains("geni"));
        assert!(owner(&[("a", "text"), ("b", "text")]).contains("a, b"));
    }
}
