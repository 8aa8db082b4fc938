//! Why a test got no database, and what to do about it.

use std::fmt;

use crate::ServerError;

/// Why a test got no database.
///
/// Its `Debug` reads like its `Display`, for tests that `unwrap`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum DatabaseError {
    /// There is no server.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// A migration failed, or the migrations are no set.
    #[error(transparent)]
    Migrate(#[from] migrate_postgres::Error),
    /// The server refused.
    #[error("failed to {doing} {database}: {source}. {}", remedy(source))]
    Refused {
        /// What was being done, such as `create`.
        doing: &'static str,
        /// To which database.
        database: String,
        /// What the server said.
        source: sqlx::Error,
    },
    /// The test's part of the work could not be started.
    #[error("failed to start threads to ask the server with: {0}. Run fewer tests at once.")]
    Runtime(String),
    /// The database was lent without migrations.
    #[error(
        "failed to migrate on: the database was lent without migrations. Use `TestDatabase::new` \
         or `TestDatabase::builder`."
    )]
    NoMigrations,
}

impl fmt::Debug for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Says what was being done when the server refused.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str, database: &str) -> Result<T, DatabaseError>;
}

impl<T> Doing<T> for Result<T, sqlx::Error> {
    fn doing(self, doing: &'static str, database: &str) -> Result<T, DatabaseError> {
        let database = database.to_owned();
        self.map_err(|source| DatabaseError::Refused { doing, database, source })
    }
}

/// Somebody is connected to the database.
pub(super) const IN_USE: &str = "55006";
/// There is no such database.
pub(super) const MISSING: &str = "3D000";
const DENIED: &str = "42501";
const TOO_MANY: &str = "53300";
const DISK_FULL: &str = "53100";

/// Whether the server answered with this SQLSTATE.
pub(super) fn is(error: &sqlx::Error, state: &str) -> bool {
    sqlstate(error).is_some_and(|code| code == state)
}

fn sqlstate(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

fn remedy(error: &sqlx::Error) -> &'static str {
    match sqlstate(error).as_deref() {
        Some(DENIED) => {
            "Let the user of TEST_DATABASE_URL create databases: ALTER ROLE … CREATEDB."
        }
        Some(TOO_MANY) => "Run fewer tests at once, or raise max_connections of the server.",
        Some(DISK_FULL) => "Make room, or set MIGRATE_PG_DIR to a place that has some.",
        Some(_) => "The log of the server may say more.",
        None => "Check that the server still runs.",
    }
}
