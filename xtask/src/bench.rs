//! `cargo xtask bench …`: the benchmarks are a workspace of their own, so that nobody else compiles the peers.

use std::ffi::OsString;
use std::process::ExitCode;

/// The first word says which program, the others are for it.
pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    const CARGO: [&str; 6] =
        ["run", "--quiet", "--release", "--manifest-path", "benches/Cargo.toml", "--bin"];
    let mut words = words.into_iter();
    let program = match words.next() {
        Some(word) if word == "build" => "builds".into(), // cargo keeps the name `build` for itself
        Some(word) => word,
        None => "peers".into(),
    };
    let cargo = CARGO.into_iter().map(OsString::from).chain([program, "--".into()]);
    crate::script::run("cargo", cargo.chain(words))
}
