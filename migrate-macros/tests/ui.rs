//! What the macros accept and what the compiler says of the rest.
//!
//! `TRYBUILD=overwrite cargo test -p migrate-macros --test ui` writes the words anew; read them before they
//! are committed.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a test that fails")]

use std::path::Path;

/// trybuild compiles the cases as a crate of its own in the target folder; paths begin there.
fn crate_of_the_cases() -> std::path::PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    tmp.with_file_name("tests").join("trybuild/migrate-macros")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn ui() {
    let fixtures = crate_of_the_cases().join("fixtures");
    let _ = std::fs::remove_dir_all(&fixtures);
    copy(Path::new("tests/fixtures"), &fixtures);
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
