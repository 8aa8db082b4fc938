//! `cargo run --release --example backfill`: five million rows are filled on a throwaway server, beside an application
//! that goes on writing them. Whoever fills is killed, and the server is restarted. `-- 200000` is another number of
//! rows.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use std::process::Command;

use migrate_testing::Server;

#[path = "story/mod.rs"]
mod story;

#[tokio::main]
async fn main() -> Result<(), story::Error> {
    let mut arguments = std::env::args().skip(1);
    let first = arguments.next();
    if let (Some("worker"), Some(url)) = (first.as_deref(), arguments.next()) {
        if let Err(error) = backfill::work(&url).await {
            println!("- whoever fills has ended: {error}");
            std::process::exit(1);
        }
        return Ok(());
    }
    let rows = first.map_or(Ok(5_000_000), |rows| rows.parse())?;
    // Large enough for the load, as a server in production is.
    let server = Server::builder().setting("max_wal_size", "4GB").private()?;
    let program = std::env::current_exe()?;
    let worker = |url: &str| Command::new(&program).arg("worker").arg(url).spawn();
    let outcome = story::play(&server, rows, worker, |line| println!("- {line}")).await?;
    println!("- the history says: {}", outcome.said);
    println!(
        "{} rows, {} of them not as they should be, {} writes meanwhile",
        outcome.rows, outcome.unfilled, outcome.writes
    );
    Ok(())
}
