//! How fast a column of a large table is filled, and what an application feels of it meanwhile.
//!
//! `cargo xtask bench backfill` fills 5 million rows under a load by each of the ways that people know and by each of
//! migrate's, in less than 15 minutes; with `--quick`, 500,000 rows, twice, in less than three. The server is one of
//! its own, on a disk: commits and WAL are part of what is measured. What it finds goes to
//! `target/bench/backfill.json` of the main workspace and to stdout, with the targets beside it. The exit code is 0
//! when they are met, 1 when one is missed or a tool did not fill the table.

use std::process::ExitCode;

use migrate_benches::backfill::{self, Size};
use migrate_benches::figures::Figures;
use migrate_benches::run::Run;
use migrate_benches::server::{self, Bench};
use migrate_benches::{Result, output, progress, record, targets};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let end = match words.as_slice() {
        [] => measure("cargo xtask bench backfill", backfill::FULL),
        ["--quick"] => measure("cargo xtask bench backfill --quick", backfill::QUICK),
        ["child", tool, url] => backfill::child(tool, url).map(|()| true),
        _ => {
            eprintln!("usage: backfill [--quick]");
            return ExitCode::from(2);
        }
    };
    match end {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("failed to measure: {error}");
            ExitCode::from(2)
        }
    }
}

fn measure(command: &str, size: Size) -> Result<bool> {
    server::on_disk()?;
    let bench = Bench::roomy()?;
    let run = Run::begin(command, &bench.describe())?;
    let mut figures = Figures::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let all_filled = runtime.block_on(backfill::measure(&mut figures, &bench, size))?;
    let path = output().join("backfill.json");
    record::write(&path, &run, &figures)?;
    figures.print();
    let met = targets::print(&targets::of_backfill(&figures));
    progress(&format!("written to {}; `cargo xtask bench page` shows it", path.display()));
    Ok(met && all_filled)
}
