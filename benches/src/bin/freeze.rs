//! How long an application stands still while a table is altered that somebody reads for long.
//!
//! `cargo xtask bench freeze` has somebody hold a table for 20 seconds under a load, and alters it by migrate, by sqlx
//! and by psql, each kind of ALTER on a database of its own: about ten minutes; with `--quick`, 5 seconds and about
//! four minutes. The server is one of its own, in memory: this is about locks, not about a disk. What it finds goes to
//! `target/bench/freeze.json` of the main workspace and to stdout, with the targets beside it. The exit code is 0
//! when they are met, 1 when one is missed.

use std::process::ExitCode;
use std::time::Duration;

use migrate_benches::figures::Figures;
use migrate_benches::run::Run;
use migrate_benches::server::Bench;
use migrate_benches::{Result, freeze, output, progress, record, targets};

/// How long the reader goes on.
#[derive(Clone, Copy)]
struct Reader {
    command: &'static str,
    lasts: Duration,
}

const FULL: Reader = Reader { command: "cargo xtask bench freeze", lasts: Duration::from_secs(20) };
const QUICK: Reader =
    Reader { command: "cargo xtask bench freeze --quick", lasts: Duration::from_secs(5) };

fn main() -> ExitCode {
    let reader = match std::env::args().nth(1).as_deref() {
        None => FULL,
        Some("--quick") => QUICK,
        Some(_) => {
            eprintln!("usage: freeze [--quick]");
            return ExitCode::from(2);
        }
    };
    match measure(reader) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(reader: Reader) -> Result<bool> {
    let bench = Bench::in_memory()?;
    let run = Run::begin(reader.command, &bench.describe())?;
    let mut figures = Figures::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(freeze::measure(&mut figures, &bench, reader.lasts))?;
    let path = output().join("freeze.json");
    record::write(&path, &run, &figures)?;
    figures.print();
    let met = targets::print(&targets::of_freeze(&figures));
    progress(&format!("written to {}; `cargo xtask bench page` shows it", path.display()));
    Ok(met)
}
