//! sea-orm's migrations: a type each that executes its SQL as it stands, which is what its documentation has for those
//! who write SQL. `unasked` takes the pool's look at a connection away, which it has by default.

use std::process::ExitCode;

use migrate_bench_peers::{File, Peer, Result, runtime, serve};
use sea_orm_migration::migrator::MigratorTraitSelf;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tokio::runtime::Runtime;

struct SeaOrm {
    runtime: Runtime,
    migrator: Migrator,
    asks: bool,
    database: Option<DatabaseConnection>,
}

struct Migrator(&'static [File]);

struct Migration(&'static File);

fn main() -> ExitCode {
    serve::<SeaOrm>()
}

impl Peer for SeaOrm {
    fn read(files: Vec<File>, way: &str) -> Result<Self> {
        let migrator = Migrator(files.leak());
        Ok(Self { runtime: runtime()?, migrator, asks: way != "unasked", database: None })
    }

    fn connect(&mut self, url: &str) -> Result<()> {
        let mut options = ConnectOptions::new(url);
        options.test_before_acquire(self.asks);
        self.database = Some(self.runtime.block_on(Database::connect(options))?);
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let database = self.database.as_ref().ok_or("not connected")?;
        Ok(self.runtime.block_on(self.migrator.up(database, None))?)
    }
}

#[async_trait::async_trait]
impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.0.iter().map(|file| Box::new(Migration(file)) as Box<dyn MigrationTrait>).collect()
    }
}

impl MigrationName for Migration {
    fn name(&self) -> &str {
        &self.0.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> std::result::Result<(), DbErr> {
        manager.get_connection().execute_unprepared(&self.0.1).await?;
        Ok(())
    }
}
