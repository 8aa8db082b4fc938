//! `cargo xtask soak`, by itself; and a replica of the service, when the soak starts it.

use std::process::ExitCode;

fn main() -> ExitCode {
    migrate_soak::main(std::env::args().skip(1))
}
