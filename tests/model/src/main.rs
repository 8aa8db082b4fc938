//! `cargo xtask backfill-model`, by itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_model::main(std::env::args().skip(1))
}
