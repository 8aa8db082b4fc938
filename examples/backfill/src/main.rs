//! Whoever fills: `backfill-worker URL`.

#![expect(clippy::print_stderr, reason = "a program says what went wrong")]

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let Some(url) = std::env::args().nth(1) else {
        eprintln!("usage: backfill-worker URL");
        return ExitCode::from(2);
    };
    match backfill::work(&url).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
