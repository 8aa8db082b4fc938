//! `cargo xtask oracle …`: what the linter takes for SQL, held against PostgreSQL's own grammar; with `--pg-query`
//! against the library as well that was made of its parser, which needs libclang (`apt-get install libclang-dev`).

use std::ffi::OsString;
use std::process::ExitCode;

/// A workspace of its own; what it depends on is compiled already, mostly.
const CARGO: [&str; 6] =
    ["run", "--quiet", "--manifest-path", "tests/oracle/Cargo.toml", "--target-dir", "target"];

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let (library, words): (Vec<_>, Vec<_>) =
        words.into_iter().partition(|word| word == "--pg-query");
    let feature = if library.is_empty() { &[][..] } else { &["--features", "pg_query"] };
    let cargo = CARGO.iter().chain(feature).map(OsString::from).chain(["--".into()]);
    crate::script::run("cargo", cargo.chain(words))
}
