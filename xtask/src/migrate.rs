//! `cargo xtask migrate …`: what any project's xtask is, for the folder of our quickstart.

use std::ffi::OsString;
use std::process::ExitCode;

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let program = ["xtask", "migrate"].map(OsString::from);
    migrate_cli::folder("examples/quickstart/migrations").run(program.into_iter().chain(words))
}
