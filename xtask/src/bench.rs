//! `cargo xtask bench …`: the benchmarks are a workspace of their own, so that nobody else compiles the peers.

use std::ffi::OsString;
use std::process::ExitCode;

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let cargo = ["run", "--quiet", "--release", "--manifest-path", "benches/Cargo.toml", "--"];
    crate::script::run("cargo", cargo.into_iter().map(OsString::from).chain(words))
}
