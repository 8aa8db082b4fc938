//! migrate as a process of its own, this program started again, so that its memory is its own too.
//!
//! Owns what passes between the two. Which way the rows are read stands in the file that it runs, in a folder of the
//! tool's name.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use migrate_postgres::{Migrator, Source};
use sqlx::postgres::{PgPool, PgPoolOptions};

use super::tool::Tool;
use crate::server::Bench;
use crate::{Result, usage};

/// Fills by a child, and tells the most memory that it had.
pub(super) async fn start(tool: Tool, bench: &Bench, database: &str) -> Result<f64> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", tool.name(), &bench.url(database)]).stderr(Stdio::inherit());
    let output = tokio::task::spawn_blocking(move || command.output()).await??;
    let told = String::from_utf8(output.stdout)?;
    match told.trim().parse() {
        Ok(peak) if output.status.success() => Ok(peak),
        _ => Err(format!("the child ended with {}", output.status).into()),
    }
}

/// What a child does: fills, and tells its memory.
///
/// # Errors
/// When the migrator says so, or has left the fill for later.
pub fn child(tool: &str, url: &str) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tool = Tool::OURS.into_iter().find(|other| other.name() == tool);
    let folder = folder(tool.ok_or("there is no such tool")?);
    runtime.block_on(async {
        let pool = PgPoolOptions::new().max_connections(2).connect(url).await?;
        fill(&folder, &pool).await?;
        pool.close().await;
        println!("{}", usage::peak_mib()? * 1024.0 * 1024.0);
        Ok(())
    })
}

fn folder(tool: Tool) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("backfill").join(tool.name())
}

/// A run is to fill all of it.
const ENOUGH: Duration = Duration::from_secs(3600);

async fn fill(folder: &Path, pool: &PgPool) -> Result<()> {
    let source = Source::read(folder).map_err(|problems| format!("{problems:?}"))?;
    let report = Migrator::new(source).budget(ENOUGH).run(pool).await?;
    match report.deferred.first() {
        Some(deferred) => Err(format!("not filled, {} waits", deferred.name).into()),
        None => Ok(()),
    }
}
