//! `cargo xtask postgres 13 18`: brings the programs of these major versions, by the code that tests use where
//! there are none. Without numbers: of all that the library is for.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use migrate_testing::SUPPORTED;

use crate::script;

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    let majors: Option<Vec<u32>> = words.iter().map(|word| word.to_str().and_then(major)).collect();
    let majors = match majors {
        Some(none) if none.is_empty() => SUPPORTED.collect(),
        Some(some) => some,
        None => return script::say("usage: cargo xtask postgres [13] [14] … [18]", 2),
    };
    for major in majors {
        match bring(major) {
            Ok(bin) => script::print(&format!("{major} {}", bin.display())),
            Err(why) => return script::say(&why, 1),
        }
    }
    ExitCode::SUCCESS
}

/// `all` or `13,18`.
pub(crate) fn majors(list: &str) -> Option<Vec<u32>> {
    if list == "all" {
        return Some(SUPPORTED.collect());
    }
    list.split(',').map(major).collect()
}

/// A major version that the library is for.
fn major(word: &str) -> Option<u32> {
    word.parse().ok().filter(|major| SUPPORTED.contains(major))
}

/// The directory with `initdb` and `postgres`.
pub(crate) fn bring(major: u32) -> Result<PathBuf, String> {
    migrate_testing::fetch(major).map_err(|error| error.to_string())
}
