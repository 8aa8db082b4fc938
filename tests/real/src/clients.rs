//! The psql and the pg_dump that a server is looked at with.
//!
//! Any psql does. A pg_dump refuses servers that are newer than itself; then a newer one is fetched.

use std::path::{Path, PathBuf};
use std::process::Command;

use migrate_testing::Server;

use crate::workspace::Workspace;
use crate::{Result, fetch};

pub(crate) struct Clients {
    pub(crate) psql: PathBuf,
    pub(crate) pg_dump: PathBuf,
}

impl Clients {
    /// Those beside the server or on `PATH`, where they are new enough.
    pub(crate) fn of(server: &Server) -> Result<Self> {
        let (psql, pg_dump) = (server.bin("psql"), server.bin("pg_dump"));
        let pg_dump = pg_dump.filter(|path| major(path) >= Some(server.version() / 10_000));
        if let (Some(psql), Some(pg_dump)) = (&psql, &pg_dump) {
            return Ok(Self { psql: psql.clone(), pg_dump: pg_dump.clone() });
        }
        let tools = fetch::tools(&Workspace::ask()?)?;
        let or_fetched = |path: Option<PathBuf>, name| path.unwrap_or_else(|| tools.join(name));
        Ok(Self { psql: or_fetched(psql, "psql"), pg_dump: or_fetched(pg_dump, "pg_dump") })
    }
}

/// What a program says of itself: `pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)`.
fn major(program: &Path) -> Option<u32> {
    let said = Command::new(program).arg("--version").output().ok()?;
    parse(std::str::from_utf8(&said.stdout).ok()?)
}

fn parse(said: &str) -> Option<u32> {
    let version = said.split_whitespace().nth(2)?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_says_its_version_in_many_ways() {
        assert_eq!(parse("pg_dump (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)\n"), Some(15));
        assert_eq!(parse("pg_dump (PostgreSQL) 18beta1"), Some(18));
        assert_eq!(parse("pg_dump: error"), None);
    }
}
