//! `cargo xtask crash-matrix`, by itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_crash::main(std::env::args().skip(1))
}
