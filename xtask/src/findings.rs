//! `cargo xtask findings …`: lints the folders that other people published, and holds a sample against verdicts.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::script;

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    script::run("tests/findings/run", words)
}
