//! An application that migrates when it starts, for tests that start many and kill them.
//!
//! Called with the URL of a database and a folder. Tells every event in a line, and in the end how many
//! migrations it applied; an error goes to the standard error. With `serve` behind that, it then says that it is alive
//! until its standard input ends.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tests read it")]

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use migrate_postgres::{Event, Migrator, Observer, Source};
use sqlx::postgres::{PgConnectOptions, PgPool};
use tokio::io::AsyncReadExt;

struct Lines;

impl Observer for Lines {
    fn event(&self, event: &Event<'_>) {
        println!("{event:?}");
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let (Some(url), Some(folder)) = (arguments.next(), arguments.next()) else {
        eprintln!("usage: application URL FOLDER");
        return ExitCode::from(2);
    };
    let done = match arguments.next().as_deref() {
        Some("serve") => serve(&url, &folder).await,
        _ => migrate(&url, &folder).await,
    };
    match done {
        Ok(applied) => {
            println!("applied {applied}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(url: &str, folder: &str) -> Result<usize, String> {
    let applied = migrate(url, folder).await?;
    let source = Source::read(Path::new(folder)).map_err(|problems| format!("{problems:#?}"))?;
    let pool = PgPool::connect(url).await.map_err(|error| error.to_string())?;
    let often = Duration::from_millis(300);
    let heartbeat = Migrator::new(source).heartbeat_every(often).heartbeat(&pool);
    println!("serving");
    let ended = tokio::io::stdin().read_to_end(&mut Vec::new()).await;
    heartbeat.stop().await;
    pool.close().await;
    ended.map(|_| applied).map_err(|error| error.to_string())
}

async fn migrate(url: &str, folder: &str) -> Result<usize, String> {
    let options: PgConnectOptions = url.parse().map_err(|error| format!("{error}"))?;
    let source = Source::read(Path::new(folder)).map_err(|problems| format!("{problems:#?}"))?;
    let report = Migrator::new(source).observer(Lines).run(&options).await;
    Ok(report.map_err(|error| error.to_string())?.applied.len())
}
