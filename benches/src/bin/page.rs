//! Writes `docs/measured.md` from what `peers`, `builds`, `lint`, `freeze` and `backfill`
//! found: `cargo xtask bench page`.
//!
//! Measures nothing. What one of them has not found yet is shown as not measured.

use std::path::Path;
use std::process::ExitCode;

use migrate_benches::page::{self, Found};
use migrate_benches::{Result, output, record};

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to write the page: {error}");
            ExitCode::from(2)
        }
    }
}

fn write() -> Result<()> {
    let (peers, build) = (found("peers")?, found("build")?);
    let (lint, freeze, backfill) = (found("lint")?, found("freeze")?, found("backfill")?);
    if peers.run.is_none() && build.run.is_none() {
        return Err("nothing is measured; run `cargo xtask bench peers` and `… build`".into());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/measured.md");
    std::fs::write(&path, page::render(&peers, &build, &lint, &freeze, &backfill))?;
    println!("docs/measured.md is written");
    Ok(())
}

fn found(bench: &str) -> Result<Found> {
    let path = output().join(bench).with_extension("json");
    if !path.exists() {
        eprintln!("`cargo xtask bench {bench}` has not run yet");
        return Ok(Found::default());
    }
    let (run, figures) = record::read(&path)?;
    Ok(Found { run: Some(run), figures })
}
