//! `cargo xtask findings`, by itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_findings::main(std::env::args().skip(1))
}
