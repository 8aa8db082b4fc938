//! Why there is no server, and what to do about it.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::searched::Searched;

/// Why a test could not get a server.
///
/// Its `Debug` reads like its `Display`, for tests that `unwrap` and a `main` that returns it.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// No place on this machine holds the programs of a server.
    #[error("{0}")]
    NotFound(#[from] Searched),
    /// `MIGRATE_PG=forbid` is set, and `TEST_DATABASE_URL` is not.
    #[error(
        "starting a server is forbidden by MIGRATE_PG=forbid. Name a server that tests may use \
         in TEST_DATABASE_URL, or unset MIGRATE_PG."
    )]
    Forbidden,
    /// `MIGRATE_PG_IDLE` is no number.
    #[error("MIGRATE_PG_IDLE is `{value}`. Set it to whole seconds, such as 10, or unset it.")]
    Idle {
        /// What it is set to.
        value: String,
    },
    /// `MIGRATE_PG_INSTALL` is none of the words it may be.
    #[error(
        "MIGRATE_PG_INSTALL is `{value}`. Set it to never, so that no PostgreSQL is fetched, or \
         unset it."
    )]
    Install {
        /// What it is set to.
        value: String,
    },
    /// The programs of a major version were asked for, and nobody has them.
    #[error(
        "no PostgreSQL {major} could be fetched:\n{tried}\nnpm has every version: install it, or see to what it said."
    )]
    NotFetched {
        /// The version.
        major: u32,
        /// Who was asked, and what came of it.
        tried: String,
    },
    /// PostgreSQL refuses to run as root, and there is nobody else to run it as.
    #[error(
        "PostgreSQL refuses to run as root, and there is neither a user `postgres` nor `nobody` \
         in /etc/passwd. Create one with `useradd --system postgres`, or run the tests as an \
         ordinary user."
    )]
    NoUser,
    /// A directory cannot hold a server.
    #[error("{} {problem}. {remedy}", path.display())]
    Unfit {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// What to do about it.
        remedy: &'static str,
    },
    /// `initdb` did not make a cluster.
    #[error(
        "{} failed as user {user}:\n{output}\nIf this user cannot run it, name another \
         installation in MIGRATE_PG_BIN.", program.display()
    )]
    Initdb {
        /// Which `initdb`.
        program: PathBuf,
        /// Whom it ran as.
        user: String,
        /// What it said.
        output: String,
    },
    /// `postgres` did not come up.
    #[error(
        "the server did not start: {why}. Check the settings it was given; its log ends with:\n\
         {log}"
    )]
    Start {
        /// What was seen of it.
        why: String,
        /// The end of its log.
        log: String,
    },
    /// The URL makes no sense.
    #[error(
        "the URL of the test server cannot be read: {0}. Write it as \
         postgres://user:password@host:5432/postgres."
    )]
    Url(#[source] sqlx::Error),
    /// The server that was named does not let us in.
    #[error(
        "cannot connect to the test server: {0}. Check that it runs and that TEST_DATABASE_URL \
         names it."
    )]
    Connect(#[source] sqlx::Error),
    /// The operating system refused something.
    #[error(
        "cannot {doing} {}: {source}. Set MIGRATE_PG_DIR to a directory where this works.",
        path.display()
    )]
    Io {
        /// What was being done, such as `create`.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
}

impl fmt::Debug for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Says what was being done when an I/O error came up.
pub(super) trait Doing<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, ServerError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(self, doing: &'static str, path: &Path) -> Result<T, ServerError> {
        self.map_err(|source| ServerError::Io { doing, path: path.to_owned(), source })
    }
}
