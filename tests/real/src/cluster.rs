//! A server for this run alone, and what psql and pg_dump do with it.
//!
//! One of our own, because a migration may make databases and roles. Knows nothing of migrations.

use std::path::Path;
use std::process::Command;

use migrate_testing::{PrivateServer, Server};

use crate::Result;
use crate::clients::Clients;
use crate::dump::Dump;
use crate::subject::SqlFile;

/// Where our history goes; left out of every dump.
pub(crate) const HISTORY: &str = "history_of_migrate";
/// The database that both put their migrations into, one after the other.
const NAME: &str = "subject";

pub(crate) struct Cluster {
    server: PrivateServer,
    clients: Clients,
}

impl Cluster {
    pub(crate) fn start() -> Result<Self> {
        let server = Server::builder().setting("timezone", "UTC").private()?;
        Ok(Self { clients: Clients::of(&server)?, server })
    }

    pub(crate) fn major(&self) -> u32 {
        self.server.version() / 10_000
    }

    /// An empty database in a server that has no other; with it go those that the last one's migrations made.
    pub(crate) fn empty(&self) -> Result<Database<'_>> {
        for name in self.others("postgres")? {
            self.ask("postgres", &format!("DROP DATABASE \"{name}\" WITH (FORCE)"))?;
        }
        self.ask("postgres", &format!("CREATE DATABASE {NAME}"))?;
        let now = "SELECT to_char(clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS')";
        Ok(Database { cluster: self, began: self.ask(NAME, now)? })
    }

    fn others(&self, than: &str) -> Result<Vec<String>> {
        let all = "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY datname";
        let all = self.ask("postgres", all)?;
        let others = all.lines().filter(|name| ![than, "postgres"].contains(name));
        Ok(others.map(ToOwned::to_owned).collect())
    }

    fn ask(&self, database: &str, sql: &str) -> Result<String> {
        let mut psql = self.client(&self.clients.psql, database);
        psql.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        Ok(output(psql)?.trim_end().to_owned())
    }

    /// What the environment says of other servers is not for this one.
    fn client(&self, program: &Path, database: &str) -> Command {
        let mut command = Command::new(program);
        let foreign =
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG"));
        foreign.for_each(|(name, _)| {
            command.env_remove(name);
        });
        command.arg("-d").arg(self.server.url(database));
        command
    }
}

fn output(mut command: Command) -> Result<String> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim_end().to_owned().into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// The database of the moment.
pub(crate) struct Database<'c> {
    cluster: &'c Cluster,
    began: String,
}

impl Database<'_> {
    /// For a migrator.
    pub(crate) fn connect(&self) -> migrate_postgres::Database {
        self.cluster.server.options(NAME).into()
    }

    pub(crate) fn ask(&self, sql: &str) -> Result<String> {
        self.cluster.ask(NAME, sql)
    }

    /// Runs a file by psql, in a transaction unless the file wants none.
    pub(crate) fn psql(&self, file: &SqlFile) -> Result<()> {
        let mut psql = self.cluster.client(&self.cluster.clients.psql, NAME);
        psql.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(&file.path);
        if !file.no_transaction {
            psql.arg("--single-transaction");
        }
        output(psql).map(drop)
    }

    /// Schema and data, of this database and of those that migrations made beside it.
    pub(crate) fn dump(&self) -> Result<Dump> {
        let mut dump = self.dump_of(NAME)?;
        for other in self.cluster.others(NAME)? {
            dump.add(&other, &self.dump_of(&other)?);
        }
        Ok(dump)
    }

    fn dump_of(&self, database: &str) -> Result<Dump> {
        let mut pg_dump = self.cluster.client(&self.cluster.clients.pg_dump, database);
        pg_dump.arg("--exclude-schema").arg(HISTORY);
        Ok(Dump::new(&output(pg_dump)?, &self.began))
    }

    /// Names of the extensions that are there.
    pub(crate) fn extensions(&self) -> Result<Vec<String>> {
        let names = self
            .ask("SELECT extname FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY extname")?;
        Ok(names.lines().map(ToOwned::to_owned).collect())
    }
}
