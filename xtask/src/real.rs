//! `cargo xtask real …`: fetches the migrations that other people published, and runs them end to end.

use std::ffi::OsString;
use std::process::ExitCode;

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    crate::script::run("tests/real/run", words)
}
