//! `cargo xtask soak …`: three replicas of a service, killed and restarted while migrations land; what the words mean
//! stands at the top of tests/soak/src/lib.rs.

use std::ffi::OsString;
use std::process::ExitCode;

const CARGO: [&str; 5] = ["run", "--quiet", "--package", "migrate-soak", "--"];

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    crate::script::run("cargo", CARGO.map(OsString::from).into_iter().chain(words))
}
