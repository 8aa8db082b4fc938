//! An application that migrates when it starts, for tests that start many and kill them.
//!
//! Called with the URL of a database and a folder. Tells every event in a line, and in the end how many
//! migrations it applied; an error goes to the standard error.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "the tests read it")]

use std::path::Path;
use std::process::ExitCode;

use migrate_postgres::{Event, Migrator, Observer, Source};
use sqlx::postgres::PgConnectOptions;

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
    match migrate(&url, &folder).await {
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

async fn migrate(url: &str, folder: &str) -> Result<usize, String> {
    let options: PgConnectOptions = url.parse().map_err(|error| format!("{error}"))?;
    let source = Source::read(Path::new(folder)).map_err(|problems| format!("{problems:#?}"))?;
    let report = Migrator::new(source).observer(Lines).run(&options).await;
    Ok(report.map_err(|error| error.to_string())?.applied.len())
}
