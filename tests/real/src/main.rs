//! `cargo xtask real`, by itself.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_real::main(std::env::args().skip(1))
}
