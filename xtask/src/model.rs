//! `cargo xtask backfill-model …`: an application that writes whatever it likes while its table is filled; what the words
//! mean stands at the top of tests/model/src/lib.rs.

use std::ffi::OsString;
use std::process::ExitCode;

const CARGO: [&str; 5] = ["run", "--quiet", "--package", "migrate-model", "--"];

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    crate::script::run("cargo", CARGO.map(OsString::from).into_iter().chain(words))
}
