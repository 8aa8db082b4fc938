//! `cargo xtask rules`: writes the page of the manual that is made of the linter's rules. A test of migrate-lint fails
//! while it is old.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use crate::script::{self, ROOT};

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    if !words.is_empty() {
        return script::say("usage: cargo xtask rules", 2);
    }
    match std::fs::write(Path::new(ROOT).join("docs/rules.md"), migrate_lint::report::page()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => script::say(&format!("failed to write docs/rules.md: {error}"), 1),
    }
}
