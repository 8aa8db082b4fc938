//! Whether a rehearsal says beforehand what a migration takes.
//!
//! `cargo xtask bench rehearse` fills a table with five million rows, rehearses an index, validations and a backfill on
//! samples of it, and then does them: about five minutes; with `--quick`, 500,000 rows. The server is one of its
//! own, with room for a large table. What it finds goes to `target/bench/rehearse.json` of the main
//! workspace and to stdout, with the targets beside it. The exit code is 0 when they are met, 1 when one is missed.

use std::process::ExitCode;

use migrate_benches::figures::Figures;
use migrate_benches::run::Run;
use migrate_benches::server::{self, Bench};
use migrate_benches::{Result, output, progress, record, rehearse, targets};

/// How large the table is.
#[derive(Clone, Copy)]
struct Size {
    command: &'static str,
    rows: u64,
}

const FULL: Size = Size { command: "cargo xtask bench rehearse", rows: 5_000_000 };
const QUICK: Size = Size { command: "cargo xtask bench rehearse --quick", rows: 500_000 };

fn main() -> ExitCode {
    let size = match std::env::args().nth(1).as_deref() {
        None => FULL,
        Some("--quick") => QUICK,
        Some(_) => {
            eprintln!("usage: rehearse [--quick]");
            return ExitCode::from(2);
        }
    };
    match server::on_disk().and_then(|()| measure(size)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(size: Size) -> Result<bool> {
    let bench = Bench::roomy()?;
    let run = Run::begin(size.command, &bench.describe())?;
    let mut figures = Figures::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(rehearse::measure(&mut figures, &bench, size.rows))?;
    let path = output().join("rehearse.json");
    record::write(&path, &run, &figures)?;
    figures.print();
    let met = targets::print(&targets::of_rehearsal(&figures));
    progress(&format!("written to {}", path.display()));
    Ok(met)
}
