//! A process of its own that does one run, to be killed: this program once more.

use std::process::{ExitCode, Stdio};

use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tokio::process::{Child, Command};

use crate::Result;
use crate::run::Run;
use crate::runs;

/// The first word that makes this program such a process.
pub(crate) const WORD: &str = "child";

pub(crate) fn start(run: &Run, database: &PgConnectOptions) -> Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args([WORD, run.name, database.to_url_lossy().as_str()]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Ok(command.kill_on_drop(true).spawn()?)
}

/// What such a process does.
pub(crate) async fn main(name: &str, url: &str) -> Result<ExitCode> {
    let run = runs::ALL.iter().find(|run| run.name == name).ok_or("no such run")?;
    let options: PgConnectOptions = url.parse()?;
    run.act(&run.migrator()?, &options, false).await?;
    Ok(ExitCode::SUCCESS)
}
