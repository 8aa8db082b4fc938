//! Writes `docs/measured.md` from what `peers`, `builds`, `lint`, `freeze`, `backfill` and `rehearse` found:
//! `cargo xtask bench page`.
//!
//! Measures nothing. What one of them has not found yet is shown as not measured.

use std::path::Path;
use std::process::ExitCode;

use migrate_benches::page::{self, Found, Measured};
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
    let measured = Measured {
        peers: found("peers")?,
        build: found("build")?,
        lint: found("lint")?,
        freeze: found("freeze")?,
        backfill: found("backfill")?,
        rehearse: found("rehearse")?,
    };
    if measured.peers.run.is_none() && measured.build.run.is_none() {
        return Err("nothing is measured; run `cargo xtask bench peers` and `… build`".into());
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/measured.md");
    std::fs::write(&path, page::render(&measured))?;
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
