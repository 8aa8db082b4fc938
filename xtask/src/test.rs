//! `cargo xtask test --postgres all`: the tests on one PostgreSQL after the other, and the page that says what came
//! of it. A version that cannot be had is a failure: nothing is claimed that was not run.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use migrate_testing::SUPPORTED;

use crate::script::{self, ROOT};
use crate::{page, postgres};

const USAGE: &str = "usage: cargo xtask test --postgres all|13,18 [words for cargo test]";

/// All of the workspace but the crates whose tests speak to no server, and the book, which mostly compiles. A new one
/// is in, unless it is named here.
const EVERYTHING: [&str; 13] = [
    "--workspace",
    "--exclude",
    "migrate-book",
    "--exclude",
    "migrate-core",
    "--exclude",
    "migrate-lint",
    "--exclude",
    "migrate-macros",
    "--exclude",
    "migrate-real",
    "--exclude",
    "xtask",
];

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let Some(wish) = Wish::parse(words) else { return script::say(USAGE, 2) };
    match wish.carry_out() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => script::say(&why, 1),
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Wish {
    majors: Vec<u32>,
    /// For cargo; none means everything.
    words: Vec<OsString>,
}

impl Wish {
    fn parse(words: Vec<OsString>) -> Option<Wish> {
        let mut words = words.into_iter();
        if words.next()? != "--postgres" {
            return None;
        }
        let majors = postgres::majors(words.next()?.to_str()?)?;
        Some(Wish { majors, words: words.collect() })
    }

    /// Whether nothing is left out.
    fn is_everything(&self) -> bool {
        self.words.is_empty() && self.majors.iter().copied().eq(SUPPORTED)
    }

    fn carry_out(&self) -> Result<bool, String> {
        let bins = self.majors.iter().map(|major| postgres::bring(*major));
        let bins = bins.collect::<Result<Vec<_>, String>>()?; // before the first test runs
        let outcomes = bins.iter().map(|bin| self.test(bin));
        let outcomes = outcomes.collect::<Result<Vec<_>, String>>()?;
        outcomes.iter().for_each(|outcome| script::print(&outcome.line()));
        let green = outcomes.iter().all(|outcome| outcome.green);
        if green && self.is_everything() {
            let file = Path::new(ROOT).join("docs/versions.md");
            std::fs::write(file, page::text(&outcomes))
                .map_err(|error| format!("failed to write docs/versions.md: {error}"))?;
        }
        Ok(green)
    }

    /// Runs the tests on the server in `bin`.
    fn test(&self, bin: &Path) -> Result<Outcome, String> {
        let mut outcome = Outcome { server: version(bin)?, ..Outcome::default() };
        script::print(&format!("\n== PostgreSQL {}", outcome.server));
        let mut cargo = Command::new("cargo");
        cargo.args(["test", "--no-fail-fast"]).current_dir(ROOT).env_remove("TEST_DATABASE_URL");
        cargo.env_remove("MIGRATE_PG");
        cargo.env("MIGRATE_PG_BIN", bin).env("CI", "true"); // no test leaves anything out there
        if self.words.is_empty() {
            cargo.args(EVERYTHING);
        }
        let failed = |error: std::io::Error| format!("failed to run cargo test: {error}");
        let mut tests = cargo.args(&self.words).stdout(Stdio::piped()).spawn().map_err(failed)?;
        for line in tests.stdout.take().into_iter().flat_map(|out| BufReader::new(out).lines()) {
            let line = line.map_err(failed)?;
            outcome.add(&line);
            script::print(&line);
        }
        outcome.green = tests.wait().map_err(failed)?.success() && outcome.passed > 0;
        Ok(outcome)
    }
}

fn version(bin: &Path) -> Result<String, String> {
    let told = Command::new(bin.join("postgres")).arg("--version").output();
    let told = told.map_err(|error| format!("failed to run {}: {error}", bin.display()))?;
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    Ok(told.split_whitespace().nth(2).unwrap_or("?").to_owned())
}

/// What came of the tests on one server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) server: String,
    pub(crate) passed: u32,
    pub(crate) failed: u32,
    /// Names of tests.
    pub(crate) ignored: Vec<String>,
    pub(crate) green: bool,
}

impl Outcome {
    /// Reads a line of what `cargo test` writes.
    fn add(&mut self, line: &str) {
        if let Some(counts) = line.strip_prefix("test result: ") {
            let mut words = counts.split([' ', ';']).filter(|word| !word.is_empty());
            while let Some(word) = words.next() {
                match (word.parse::<u32>(), words.clone().next()) {
                    (Ok(count), Some("passed")) => self.passed += count,
                    (Ok(count), Some("failed")) => self.failed += count,
                    _ => {}
                }
            }
        }
        let is_test = line.strip_prefix("test ").and_then(|test| test.split_once(" ... ignored"));
        self.ignored.extend(is_test.map(|(name, _)| name.to_owned()));
    }

    fn line(&self) -> String {
        let Outcome { server, passed, failed, ignored, green } = self;
        let end = if *green { "green" } else { "RED" };
        let ignored = ignored.len();
        format!("PostgreSQL {server}: {passed} passed, {failed} failed, {ignored} ignored: {end}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Option<Wish> {
        Wish::parse(words.iter().map(OsString::from).collect())
    }

    #[test]
    fn only_versions_that_the_library_is_for_can_be_wished() {
        let some = parse(&["--postgres", "13,18", "-p", "migrate-tests"]).unwrap();
        assert_eq!((&some.majors[..], some.words.len()), (&[13, 18][..], 2));
        assert!(!some.is_everything());
        assert!(parse(&["--postgres", "all"]).unwrap().is_everything());
        assert!(!parse(&["--postgres", "all", "-p", "migrate-tests"]).unwrap().is_everything());
        for wrong in [&["--postgres", "12"][..], &["--postgres", "13,"], &["--postgres"], &[]] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn tests_are_counted_over_all_binaries() {
        let mut outcome = Outcome::default();
        for line in [
            "test pooler::is_noticed ... ok",
            "test processes::a_process_of_its_own ... ignored, the other tests run this",
            "test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 1.05s",
            "test result: FAILED. 30 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        ] {
            outcome.add(line);
        }
        assert_eq!((outcome.passed, outcome.failed), (42, 2));
        assert_eq!(outcome.ignored, ["processes::a_process_of_its_own"]);
    }
}
