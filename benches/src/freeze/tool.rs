//! Who migrates, each as its user would call it, with the settings that it comes with.
//!
//! All take the same files. migrate has them embedded, reviewed by the compiler, which notes what each statement locks;
//! sqlx reads the folder; psql gets one file after the other.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use migrate_postgres::{Migrations, Migrator, Version};
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::kind::{KINDS, Kind};
use crate::Result;
use crate::server::Bench;

#[derive(Migrations)]
#[migrations(dir = "freeze", down = "ignore")]
struct Embedded;

/// Who migrates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Ours.
    Migrate,
    /// sqlx's migrator.
    Sqlx,
    /// `psql -f`.
    Psql,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 3] = [Tool::Migrate, Tool::Sqlx, Tool::Psql];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Migrate => "migrate",
            Tool::Sqlx => "sqlx",
            Tool::Psql => "psql",
        }
    }

    /// Everything up to a kind.
    pub(super) async fn prepare(self, bench: &Bench, database: &str, kind: &Kind) -> Result<()> {
        self.until(bench, database, kind.version - 1, 1).await
    }

    /// The kind itself.
    pub(super) async fn run(self, bench: &Bench, database: &str, kind: &Kind) -> Result<()> {
        self.until(bench, database, kind.version, kind.version).await
    }

    /// psql has no history: it has to be told where to begin.
    async fn until(self, bench: &Bench, database: &str, last: i64, first: i64) -> Result<()> {
        match self {
            Tool::Migrate => {
                let pool = pool(bench, database).await?;
                Migrator::new(Embedded).run_to(&pool, Version::new(last)).await?;
                pool.close().await;
            }
            Tool::Sqlx => {
                let pool = pool(bench, database).await?;
                let migrator = sqlx::migrate::Migrator::new(folder().as_path()).await?;
                migrator.run_to(last, &pool).await?;
                pool.close().await;
            }
            Tool::Psql => {
                for file in files().filter(|(version, _)| (first..=last).contains(version)) {
                    psql(bench, database, &folder().join(file.1)).await?;
                }
            }
        }
        Ok(())
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("freeze")
}

fn files() -> impl Iterator<Item = (i64, &'static str)> {
    [(1, "1_tables.sql")].into_iter().chain(KINDS.iter().map(|kind| (kind.version, kind.file)))
}

async fn pool(bench: &Bench, database: &str) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(2).connect_with(bench.options(database)).await?)
}

async fn psql(bench: &Bench, database: &str, file: &Path) -> Result<()> {
    let mut command = bench.psql()?;
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]).arg(file).arg(bench.url(database));
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let status = tokio::task::spawn_blocking(move || command.status()).await??;
    if status.success() { Ok(()) } else { Err(format!("psql failed: {status}").into()) }
}
