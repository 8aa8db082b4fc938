//! `cargo xtask crash-matrix …`: everything that can go wrong, at every message of every kind of run.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::script;

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    script::run("tests/crash/run", words)
}
