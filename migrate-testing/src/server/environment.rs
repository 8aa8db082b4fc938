//! What the environment variables ask for, read once per request and in this one place.
//!
//! It must not know what is done about it.

use std::env;
use std::path::PathBuf;

use super::error::ServerError;
use super::user;

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
    pub(super) may_install: bool,
    /// Where to keep a PostgreSQL that is fetched.
    pub(super) cache: Option<PathBuf>,
}

const IDLE: u32 = 10;
/// Root's own files are not for the user that root lends the server; these are for everybody.
const CACHE_OF_ROOT: &str = "/var/cache/migrate-postgres";

impl Environment {
    pub(super) fn read() -> Result<Environment, ServerError> {
        Ok(Environment {
            url: filled("TEST_DATABASE_URL"),
            forbidden: filled("MIGRATE_PG").is_some_and(|value| value == "forbid"),
            bin: filled("MIGRATE_PG_BIN").map(PathBuf::from),
            dir: filled("MIGRATE_PG_DIR").map(PathBuf::from),
            idle: filled("MIGRATE_PG_IDLE").map_or(Ok(IDLE), seconds)?,
            path: Environment::path(),
            may_install: filled("MIGRATE_PG_INSTALL").map_or(Ok(true), may_install)?,
            cache: filled("MIGRATE_PG_CACHE").map(PathBuf::from).or_else(usual_cache),
        })
    }

    /// Where a PostgreSQL may be kept that was fetched earlier: by us, or by root for everybody.
    pub(super) fn caches(&self) -> Vec<PathBuf> {
        let mut caches: Vec<PathBuf> = self.cache.iter().cloned().collect();
        if filled("MIGRATE_PG_CACHE").is_none() && user::caller() != 0 {
            caches.push(PathBuf::from(CACHE_OF_ROOT));
        }
        caches
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

fn may_install(value: String) -> Result<bool, ServerError> {
    if value == "never" { Ok(false) } else { Err(ServerError::Install { value }) }
}

fn usual_cache() -> Option<PathBuf> {
    if user::caller() == 0 {
        return Some(PathBuf::from(CACHE_OF_ROOT));
    }
    let named = filled("XDG_CACHE_HOME").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let home = || filled("HOME").map(|home| PathBuf::from(home).join(".cache"));
    named.or_else(home).map(|dir| dir.join("migrate-postgres"))
}

fn seconds(value: String) -> Result<u32, ServerError> {
    value.parse().map_err(|_| ServerError::Idle { value })
}
