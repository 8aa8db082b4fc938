//! What went wrong, where, what the database looks like now, and what to do next.
//!
//! One opaque type: programs ask its predicates, people read it. Owns the words around an error of the
//! server and the way from its position to a line of the user's file. A password of a connection never gets here:
//! the messages are made of what the server says and of the user's own file. What of those may be a secret is hidden.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use migrate_core::adoption::Objections;
use migrate_core::sql::{position, quote};
use migrate_core::{Divergences, MigrationId, Place, Script, SetError};
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};

use crate::blocker::{Blocker, BlockerKind};

mod secrets;

/// Any error of the application's own code.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// A run, or anything else a migrator does, failed.
///
/// Its `Display` is written for the person who has to act on it and has several lines.
#[derive(Debug, Clone)]
pub struct Error(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    kind: Kind,
    headline: String,
    server: Option<Server>,
    file: Option<String>,
    place: Option<Place>,
    applied: Option<Vec<MigrationId>>,
    blockers: Vec<Blocker>,
    now: Option<String>,
    next: Option<String>,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Connection,
    Server,
    LockTimeout,
    Busy,
    Divergence,
    Pooler,
    Standby,
    ForeignHistory,
    Declaration,
    Interrupted,
    Code,
}

/// What the server said.
#[derive(Debug, Clone)]
struct Server {
    sqlstate: String,
    message: String,
    detail: Option<String>,
    hint: Option<String>,
    context: Option<String>,
    /// What it has named apart from its sentence: these are names, not values.
    names: Vec<String>,
}

impl Error {
    fn new(kind: Kind, headline: impl Into<String>) -> Self {
        Self(Box::new(Inner {
            kind,
            headline: headline.into(),
            server: None,
            file: None,
            place: None,
            applied: None,
            blockers: Vec::new(),
            now: None,
            next: None,
            source: None,
        }))
    }

    /// An error of the driver, while doing `what` ("read the history").
    pub(crate) fn driver(what: &str, error: sqlx::Error) -> Self {
        let server = error.as_database_error().and_then(|e| e.try_downcast_ref()).map(Server::of);
        let kind = match &server {
            Some(server) if is_connection_state(&server.sqlstate) => Kind::Connection,
            Some(server) if server.sqlstate == LOCK_NOT_AVAILABLE => Kind::LockTimeout,
            Some(_) => Kind::Server,
            None if is_about_a_value(&error) => Kind::Code,
            None => Kind::Connection,
        };
        let headline = match &server {
            Some(_) => format!("failed to {what}"),
            None => format!("failed to {what}: {error}"),
        };
        let next = match &server {
            Some(server) => server.remedy(),
            None => unreachable_server(&error),
        };
        let mut made = Self::new(kind, headline);
        made.0.server = server;
        made.0.next = next;
        made.0.source = Some(Arc::new(error));
        made
    }

    pub(crate) fn divergence(found: &Divergences, differences: &str) -> Self {
        let mut error =
            Self::new(Kind::Divergence, format!("failed to plan: {found}{differences}"));
        error.0.now = Some("nothing was changed".to_owned());
        error
    }

    pub(crate) fn adoption(table: &str, found: &Objections) -> Self {
        let message =
            format!("failed to adopt {table}: it does not agree with what is here{found}");
        Self::new(Kind::Divergence, message).now("nothing was changed")
    }

    pub(crate) fn to_adopt(table: &str, applied: &[MigrationId]) -> Self {
        let which = match applied {
            [one] => format!("{one} was"),
            many => format!("{} were", list(many)),
        };
        let message = format!("failed to plan: {which} applied by sqlx already, says {table}");
        Self::new(Kind::Divergence, message).now("nothing was changed").next(
            "Take sqlx's history over first: `migrate adopt` on the command line, or `Migrator::adopt_sqlx` in the \
             program.",
        )
    }

    pub(crate) fn set(errors: &[SetError]) -> Self {
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let error = Self::new(
            Kind::Declaration,
            format!("failed to order the migrations: {}", told.join("; ")),
        );
        error.next(
            "Give each migration a version of its own, and let it wait only for earlier ones.",
        )
    }

    pub(crate) fn declaration(message: impl Into<String>) -> Self {
        Self::new(Kind::Declaration, message)
    }

    pub(crate) fn busy(message: impl Into<String>) -> Self {
        Self::new(Kind::Busy, message)
    }

    pub(crate) fn pooler() -> Self {
        let error = Self::new(
            Kind::Pooler,
            "failed to lock: this connection goes through a pooler in statement mode, which has no transactions",
        );
        error.now("nothing was changed").next(DIRECT)
    }

    pub(crate) fn standby(waited: Duration) -> Self {
        let waited = match waited.as_secs() {
            0 => String::new(),
            seconds => format!(", also after {seconds} s"),
        };
        let message = format!(
            "failed to start: there is something to do, and this server is a standby, which can only be read{waited}"
        );
        Self::new(Kind::Standby, message).now("nothing was changed").next(
            "Connect to the primary (for work alone: `Migrator::direct`, `--direct-url`), or let the run wait until \
             this server is one with `Migrator::wait_for_promotion`.",
        )
    }

    pub(crate) fn elsewhere() -> Self {
        let error = Self::declaration(
            "failed to work over the direct connection: it leads to another database than the application's",
        );
        error.now("nothing was changed").next(
            "Let `Migrator::direct` (`--direct-url`) name the same server and database as the application does.",
        )
    }

    pub(crate) fn foreign_history(table: &str, owner: &str) -> Self {
        let error = Self::new(
            Kind::ForeignHistory,
            format!("failed to use {table} as the history: {owner}"),
        );
        error
            .now("the table was left as it is")
            .next("Choose another name with `Migrator::table` (`--table`), for example \"migrate_history\".")
    }

    pub(crate) fn interrupted(message: impl Into<String>) -> Self {
        Self::new(Kind::Interrupted, message)
    }

    pub(crate) fn code(what: String, source: BoxError) -> Self {
        let mut error = Self::new(Kind::Code, format!("failed to {what}: {source}"));
        error.0.source = Some(Arc::from(source));
        error
    }

    /// Whatever the application's code has returned, which may be what the driver told it.
    pub(crate) fn of_code(what: &str, error: BoxError) -> Self {
        match error.downcast::<sqlx::Error>() {
            Ok(driver) => Self::driver(what, *driver),
            Err(other) => Self::code(what.to_owned(), other),
        }
    }

    pub(crate) fn lost_lock() -> Self {
        let error = Self::new(
            Kind::Busy,
            "failed to write the history: the lock of this migrator was lost",
        );
        error.next("Look for a migration that calls pg_advisory_unlock_all() or DISCARD ALL, then run again.")
    }

    pub(crate) fn lost_lease() -> Self {
        let error = Self::new(
            Kind::Busy,
            "failed to write the history: the lease of this migrator ran out, and another migrator has it",
        );
        error.next("Run again: it waits for the other one, and goes on behind what that has done.")
    }

    /// Work that is more than one transaction, where nothing is kept for longer than that.
    pub(crate) fn needs_a_session(what: &str) -> Self {
        let error = Self::new(
            Kind::Pooler,
            format!(
                "failed to {what}: it needs a session of its own, and this connection goes through a pooler in \
                 transaction mode"
            ),
        );
        error.now("nothing was changed").next(DIRECT)
    }

    #[must_use]
    pub(crate) fn now(mut self, now: impl Into<String>) -> Self {
        self.0.now = Some(now.into());
        self
    }

    #[must_use]
    pub(crate) fn next(mut self, next: impl Into<String>) -> Self {
        self.0.next = Some(next.into());
        self
    }

    #[must_use]
    pub(crate) fn next_unless_known(mut self, next: &str) -> Self {
        self.0.next.get_or_insert_with(|| next.to_owned());
        self
    }

    /// Work in a transaction failed: it left nothing, unless the connection went while it may have committed.
    #[must_use]
    pub(crate) fn undone(self, nothing_stayed: &str) -> Self {
        if self.is_connection() {
            let now =
                "the connection was lost; whether the transaction was committed is not known here";
            return self
                .now(now)
                .next_unless_known("Run again: the history knows, and the run goes by it.");
        }
        self.now(nothing_stayed).next_unless_known("Correct it and run again.")
    }

    #[must_use]
    pub(crate) fn after(mut self, applied: &[MigrationId]) -> Self {
        self.0.applied = Some(applied.to_vec());
        self
    }

    /// Work did not get its locks, and these were in the way when it was last looked.
    #[must_use]
    pub(crate) fn blocked_by(mut self, blockers: &[Blocker]) -> Self {
        if self.is_lock_timeout()
            && let [first, ..] = blockers
        {
            self.0.next = Some(format!(
                "Run again when they have ended{}; `lock_deadline` has a run try for longer.",
                ending(first)
            ));
            self.0.blockers = blockers.to_vec();
        }
        self
    }

    /// Finds the line of the script that the server's position is in; `before` is what we sent ahead of it,
    /// in characters.
    #[must_use]
    pub(crate) fn in_script(mut self, script: &Script, before: usize, sent_from: usize) -> Self {
        self.0.file = Some(script.file.to_string());
        let position = self.server_position().and_then(|at| at.checked_sub(before + 1));
        let sent = script.text.get(sent_from..).unwrap_or_default();
        let offset = position.and_then(|chars| offset_in(sent, chars));
        let Some(offset) = offset.map(|offset| sent_from + offset) else { return self };
        self.0.place = Some(Place::at(&script.text, offset));
        self.without_secrets_of(script, Some(offset))
    }

    /// The same for the statement of a batch, which was sent by itself with its placeholders filled; `original` finds
    /// where in the statement a byte of what was sent comes from.
    #[must_use]
    pub(crate) fn in_batch(
        mut self,
        script: &Script,
        sent: &str,
        original: impl Fn(usize) -> usize,
    ) -> Self {
        self.0.file = Some(script.file.to_string());
        let start = script.statements.first().map_or(0, |statement| statement.start as usize);
        let position = self.server_position().and_then(|at| at.checked_sub(1));
        let offset = position.and_then(|chars| offset_in(sent, chars)).map_or(0, original);
        self.0.place = Some(Place::at(&script.text, start + offset));
        self.without_secrets_of(script, Some(start))
    }

    /// Where there is no position, the statement will do.
    #[must_use]
    pub(crate) fn at_least_at(mut self, script: &Script, offset: u32) -> Self {
        if self.0.place.is_some() {
            return self;
        }
        self.0.file = Some(script.file.to_string());
        self.0.place = Some(Place::at(&script.text, offset as usize));
        self.without_secrets_of(script, Some(offset as usize))
    }

    fn driver_error(&self) -> Option<&sqlx::Error> {
        self.0.source.as_ref()?.downcast_ref()
    }

    fn server_position(&self) -> Option<usize> {
        let server: &PgDatabaseError =
            self.driver_error()?.as_database_error()?.try_downcast_ref()?;
        match server.position()? {
            PgErrorPosition::Original(position) => Some(position),
            PgErrorPosition::Internal { .. } => None,
        }
    }

    /// A lock on a table could not be had in time; nothing was changed.
    pub fn is_lock_timeout(&self) -> bool {
        self.0.kind == Kind::LockTimeout
    }

    /// Another migrator holds the lock of the set, or took it.
    pub fn is_busy(&self) -> bool {
        self.0.kind == Kind::Busy
    }

    /// The database and the declared migrations disagree.
    pub fn is_divergence(&self) -> bool {
        self.0.kind == Kind::Divergence
    }

    /// There is no server, it refused, or it went away.
    pub fn is_connection(&self) -> bool {
        self.0.kind == Kind::Connection
    }

    /// The connection was there, and was lost: by the network, or with the server or our session on it.
    pub(crate) fn is_lost(&self) -> bool {
        use std::io::ErrorKind::{
            BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, TimedOut, UnexpectedEof,
        };
        let io = match self.driver_error() {
            Some(sqlx::Error::Io(error)) => Some(error.kind()),
            _ => None,
        };
        match self.sqlstate() {
            _ if !self.is_connection() => false,
            Some(state) => state.starts_with("08") || state.starts_with("57P0"),
            None => io.is_some_and(|kind| {
                [
                    BrokenPipe,
                    ConnectionAborted,
                    ConnectionReset,
                    NotConnected,
                    TimedOut,
                    UnexpectedEof,
                ]
                .contains(&kind)
            }),
        }
    }

    /// Somebody has ended our session, or stopped the server.
    pub(crate) fn was_ended(&self) -> bool {
        self.sqlstate() == Some("57P01")
    }

    /// The connection goes through a pooler that does not leave us our session, and something needs one.
    pub fn is_pooler(&self) -> bool {
        self.0.kind == Kind::Pooler
    }

    /// The server is a standby, and there is something to do.
    pub fn is_standby(&self) -> bool {
        self.0.kind == Kind::Standby
    }

    /// The history's table belongs to another tool.
    pub fn is_foreign_history(&self) -> bool {
        self.0.kind == Kind::ForeignHistory
    }

    /// A statement outside transactions was cut short, and whether it took effect cannot be proved.
    pub fn is_interrupted(&self) -> bool {
        self.0.kind == Kind::Interrupted
    }

    /// Did a pooler say it that lends a session for one statement?
    pub(crate) fn is_about_pooling(&self) -> bool {
        self.0.server.as_ref().is_some_and(|server| server.message.contains("statement pooling"))
    }

    /// A right is missing; the message names it.
    pub fn is_permission(&self) -> bool {
        self.sqlstate() == Some(INSUFFICIENT_PRIVILEGE)
    }

    /// What the server calls the error, such as `42P01`.
    pub fn sqlstate(&self) -> Option<&str> {
        self.0.server.as_ref().map(|server| server.sqlstate.as_str())
    }

    /// The file, the line and the column, where the error is in one.
    pub fn place(&self) -> Option<(&str, u32, u32)> {
        let place = self.0.place.as_ref()?;
        Some((self.0.file.as_deref()?, place.line, place.column))
    }

    /// Who was in the way when a lock was not to be had, as far as somebody looked.
    pub fn blockers(&self) -> &[Blocker] {
        &self.0.blockers
    }

    /// What went wrong, what the database looks like now and what to do, without what may hold values of rows or is
    /// the text of a migration.
    #[must_use]
    pub(crate) fn outline(&self) -> String {
        let Inner { headline, server, now, next, .. } = &*self.0;
        let said = server.as_ref().map(|s| format!(": {} (SQLSTATE {})", s.message, s.sqlstate));
        let told = |label, text: &Option<String>| {
            text.as_ref().map(|text| format!("\n{label}: {text}")).unwrap_or_default()
        };
        headline.clone() + &said.unwrap_or_default() + &told("now", now) + &told("next", next)
    }

    /// What went wrong and what to do next, for an error of something larger.
    pub(crate) fn parts(&self) -> (&str, Option<&str>) {
        (&self.0.headline, self.0.next.as_deref())
    }

    /// What this run had applied before it failed.
    pub fn applied(&self) -> &[MigrationId] {
        self.0.applied.as_deref().unwrap_or_default()
    }
}

/// How to be rid of whoever is in the way.
fn ending(blocker: &Blocker) -> String {
    match (blocker.kind, blocker.pid) {
        (BlockerKind::Prepared, _) => {
            let name = quote::literal(&blocker.application).unwrap_or_default();
            format!(", or end it: ROLLBACK PREPARED {name}")
        }
        (BlockerKind::WraparoundVacuum | BlockerKind::IndexBuild, _) | (_, None) => String::new(),
        (BlockerKind::Autovacuum, Some(pid)) => {
            format!(", or stop that vacuum: SELECT pg_cancel_backend({pid})")
        }
        (_, Some(pid)) => format!(", or end that session: SELECT pg_terminate_backend({pid})"),
    }
}

const DIRECT: &str = "Give the migrator a direct connection to PostgreSQL (past pgbouncer, on the server's own port), \
    with `Migrator::direct` or `--direct-url`, or a pooler in session mode.";

/// What is missing at the end of a text is missed at the semicolon that we put on the line below it.
fn offset_in(sent: &str, chars: usize) -> Option<usize> {
    let at_the_end = || (chars == sent.chars().count() + 1).then(|| sent.trim_end().len());
    position::char_to_byte(sent, chars).or_else(at_the_end)
}

pub(crate) const LOCK_NOT_AVAILABLE: &str = "55P03";
pub(crate) const INSUFFICIENT_PRIVILEGE: &str = "42501";
pub(crate) const DEADLOCK: &str = "40P01";

/// The SQLSTATE of an error, when the server sent one.
pub(crate) fn sqlstate(error: &sqlx::Error) -> Option<String> {
    error.as_database_error().and_then(|error| error.code()).map(|code| code.into_owned())
}

/// Is there no such table, or not even its schema?
pub(crate) fn is_absent(error: &sqlx::Error) -> bool {
    matches!(sqlstate(error).as_deref(), Some("42P01" | "3F000"))
}

/// Class 08 is the connection, 28 who may connect, 57P0x a server that goes away, 53300 one that is full.
fn is_connection_state(state: &str) -> bool {
    state.starts_with("08")
        || state.starts_with("28")
        || state.starts_with("57P0")
        || state == "53300"
        || state == "3D000"
}

/// The server answered, and the code of a migration expected something else.
fn is_about_a_value(error: &sqlx::Error) -> bool {
    use sqlx::Error::{
        ColumnDecode, ColumnIndexOutOfBounds, ColumnNotFound, Decode, Encode, InvalidArgument,
        RowNotFound, TypeNotFound,
    };
    matches!(
        error,
        RowNotFound
            | TypeNotFound { .. }
            | ColumnIndexOutOfBounds { .. }
            | ColumnNotFound(_)
            | ColumnDecode { .. }
            | Encode(_)
            | Decode(_)
            | InvalidArgument(_)
    )
}

/// What to do when the server did not say anything.
fn unreachable_server(error: &sqlx::Error) -> Option<String> {
    use std::io::ErrorKind;
    if matches!(error, sqlx::Error::Tls(_)) {
        let remedy = "Encrypt the server's connections, or say how much of it you want with sslmode in the URL.";
        return Some(remedy.to_owned());
    }
    let sqlx::Error::Io(error) = error else { return None };
    let remedy = match error.kind() {
        _ if error.to_string().contains("lookup address") => {
            "Check the host's name, and that this machine can look it up."
        }
        ErrorKind::ConnectionRefused | ErrorKind::NotFound | ErrorKind::TimedOut => {
            "Check that PostgreSQL runs, and listens at that host and port."
        }
        ErrorKind::PermissionDenied => "Check the rights on the server's socket.",
        _ => return None,
    };
    Some(remedy.to_owned())
}

impl Server {
    fn of(error: &PgDatabaseError) -> Self {
        Self {
            sqlstate: error.code().to_owned(),
            message: error.message().to_owned(),
            detail: error.detail().map(ToOwned::to_owned),
            hint: error.hint().map(ToOwned::to_owned),
            context: error.r#where().map(ToOwned::to_owned),
            names: [error.schema(), error.table(), error.column(), error.constraint()]
                .into_iter()
                .flatten()
                .map(ToOwned::to_owned)
                .collect(),
        }
    }

    /// What to do about states that are not about the user's SQL.
    fn remedy(&self) -> Option<String> {
        let remedy = match self.sqlstate.as_str() {
            "28P01" | "28000" => "Check user, password and pg_hba.conf.",
            "3D000" => "Create the database first, or correct its name.",
            "53300" => {
                "The server has no free connection: a migrator needs one of its own and one more to look."
            }
            LOCK_NOT_AVAILABLE => {
                "Another session holds a lock that this needs: look in pg_stat_activity for transactions that stay \
                 open, and run again when they have ended; `lock_deadline` has a run try for longer."
            }
            "57014" if self.message.contains("statement timeout") => {
                "Where everybody may stand still for longer, say so in the file: SET LOCAL statement_timeout = '1min'."
            }
            "25001" if self.message.contains("before any query") => {
                "Let it be the first statement of its file."
            }
            "57P01" => {
                "Somebody ended this session, or is stopping the server: ask who, and run again; the history knows what \
                 is done."
            }
            "57P03" => "The server is starting or stopping: try again.",
            "22023" if self.message.starts_with("role ") => "Create the role, or correct its name.",
            "25006" => "This is a standby or a read-only session: connect to the primary.",
            _ => return None,
        };
        Some(remedy.to_owned())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Inner { headline, server, file, place, applied, blockers, now, next, .. } = &*self.0;
        f.write_str(headline)?;
        if let Some(server) = server {
            write!(f, ": {} (SQLSTATE {})", server.message, server.sqlstate)?;
        }
        match (file, place) {
            (Some(file), Some(place)) => {
                write!(f, "\n --> {file}:{}:{}{place}", place.line, place.column)?
            }
            (Some(file), None) => write!(f, "\n --> {file}")?,
            _ => {}
        }
        let said = server.as_ref();
        line(f, "detail", said.and_then(|server| server.detail.as_deref()))?;
        line(f, "hint", said.and_then(|server| server.hint.as_deref()))?;
        line(f, "context", said.and_then(|server| server.context.as_deref()))?;
        blockers.iter().try_for_each(|one| line(f, "in the way", Some(&one.to_string())))?;
        line(f, "applied before it", applied.as_deref().map(list).as_deref())?;
        line(f, "now", now.as_deref())?;
        line(f, "next", next.as_deref())
    }
}

fn line(f: &mut fmt::Formatter<'_>, label: &str, text: Option<&str>) -> fmt::Result {
    text.map_or(Ok(()), |text| write!(f, "\n  {label}: {text}"))
}

fn list(applied: &[MigrationId]) -> String {
    match applied {
        [] => "nothing".to_owned(),
        [one] => one.to_string(),
        [first, .., last] => format!("{} migrations, {first} to {last}", applied.len()),
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_ref()?;
        Some(&**source)
    }
}
