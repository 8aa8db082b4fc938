//! `cargo run --example rename_without_downtime`: a column gets another name on a throwaway server, while instances of
//! two releases read and write it. No statement of either fails, and the old column goes when nobody needs it any more.

#![expect(clippy::print_stdout, reason = "an example talks to whoever runs it")]

use migrate_testing::Server;
use rename_without_downtime::{Build, Error, instance};

#[path = "story/mod.rs"]
mod story;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [build, number, url] = words.as_slice() {
        let build = if build == "new" { Build::New } else { Build::Old };
        let served = instance(build, number.parse()?, url).await?;
        println!("{} {} {}", served.statements, served.errors, served.lost);
        return Ok(());
    }
    let server = Server::private()?;
    let program = std::env::current_exe()?;
    let outcome = story::play(&server, &program, |line| println!("- {line}")).await?;
    println!(
        "{} statements, {} errors, {} rows that were not as their writer had left them; users has {}",
        outcome.statements, outcome.errors, outcome.lost, outcome.columns
    );
    Ok(())
}
