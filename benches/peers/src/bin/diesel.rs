//! diesel's migrations, with its connection through libpq: `run_pending_migrations`, as its documentation has it.
//!
//! What `embed_migrations!` makes can only be made by it, at compile time; the source here is the same list.

use std::fmt::{self, Display, Formatter};
use std::process::ExitCode;

use diesel::Connection;
use diesel::connection::BoxableConnection;
use diesel::migration::{
    self, Migration, MigrationMetadata, MigrationName, MigrationSource, MigrationVersion,
};
use diesel::pg::{Pg, PgConnection};
use diesel_migrations::MigrationHarness;
use migrate_bench_peers::{File, Peer, Result, serve};

struct Diesel {
    files: &'static [Embedded],
    connection: Option<PgConnection>,
}

struct Embedded {
    name: Name,
    text: String,
}

struct Name(String);

/// A transaction each, which is what it does unless a file says otherwise.
struct Transaction;

struct Source(&'static [Embedded]);

fn main() -> ExitCode {
    serve::<Diesel>()
}

impl Peer for Diesel {
    fn read(files: Vec<File>, _: &str) -> Result<Self> {
        let files = files.into_iter().map(|(name, text)| Embedded { name: Name(name), text });
        let files: Vec<_> = files.collect();
        Ok(Self { files: files.leak(), connection: None })
    }

    fn connect(&mut self, url: &str) -> Result<()> {
        self.connection = Some(PgConnection::establish(url)?);
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let connection = self.connection.as_mut().ok_or("not connected")?;
        connection.run_pending_migrations(Source(self.files))?;
        Ok(())
    }
}

impl MigrationSource<Pg> for Source {
    fn migrations(&self) -> migration::Result<Vec<Box<dyn Migration<Pg>>>> {
        Ok(self.0.iter().map(|file| Box::new(file) as Box<dyn Migration<Pg>>).collect())
    }
}

impl Migration<Pg> for &'static Embedded {
    fn run(&self, connection: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        Ok(connection.batch_execute(&self.text)?)
    }

    fn revert(&self, _: &mut dyn BoxableConnection<Pg>) -> migration::Result<()> {
        Err("there is no way back".into())
    }

    fn metadata(&self) -> &dyn MigrationMetadata {
        &Transaction
    }

    fn name(&self) -> &dyn MigrationName {
        &self.name
    }
}

impl MigrationMetadata for Transaction {}

impl MigrationName for Name {
    fn version(&self) -> MigrationVersion<'_> {
        MigrationVersion::from(self.0.split('_').next().unwrap_or_default())
    }
}

impl Display for Name {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
