//! What the environment variables ask for, read once per request and in this one place.
//!
//! It must not know what is done about it.

use std::env;
use std::path::PathBuf;

use super::error::ServerError;

/// The wishes of whoever runs the tests.
#[derive(Clone, Debug)]
pub(super) struct Environment {
    pub(super) url: Option<String>,
    pub(super) forbidden: bool,
    pub(super) bin: Option<PathBuf>,
    pub(super) dir: Option<PathBuf>,
    /// Seconds that a shared server outlives its last user.
    pub(super) idle: u32,
    pub(super) path: Vec<PathBuf>,
}

const IDLE: u32 = 10;

impl Environment {
    pub(super) fn read() -> Result<Environment, ServerError> {
        Ok(Environment {
            url: filled("TEST_DATABASE_URL"),
            forbidden: filled("MIGRATE_PG").is_some_and(|value| value == "forbid"),
            bin: filled("MIGRATE_PG_BIN").map(PathBuf::from),
            dir: filled("MIGRATE_PG_DIR").map(PathBuf::from),
            idle: filled("MIGRATE_PG_IDLE").map_or(Ok(IDLE), seconds)?,
            path: Environment::path(),
        })
    }

    /// The directories of `PATH`.
    pub(super) fn path() -> Vec<PathBuf> {
        env::var_os("PATH").map(|path| env::split_paths(&path).collect()).unwrap_or_default()
    }
}

/// A variable that is set to nothing counts as not set: that is how shells and CI files unset one.
fn filled(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn seconds(value: String) -> Result<u32, ServerError> {
    value.parse().map_err(|_| ServerError::Idle { value })
}
