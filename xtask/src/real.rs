//! `cargo xtask real …`: fetches the migrations that other people published, and runs them end to end; with
//! `--postgres 13,18` before the other words on one PostgreSQL after the other.

use std::ffi::OsString;
use std::process::ExitCode;

use crate::{postgres, script};

const REAL: &str = "tests/real/run";
const USAGE: &str = "usage: cargo xtask real [--postgres all|13,18] [--check | --prove]";

pub(crate) fn run(words: Vec<OsString>) -> ExitCode {
    match &words[..] {
        [option, list, words @ ..] if option == "--postgres" => {
            match list.to_str().and_then(postgres::majors) {
                Some(majors) => on_each(&majors, words),
                None => script::say(USAGE, 2),
            }
        }
        _ => script::run(REAL, words),
    }
}

/// Goes on after a failure, and tells of it at the end.
fn on_each(majors: &[u32], words: &[OsString]) -> ExitCode {
    let mut end = ExitCode::SUCCESS;
    for major in majors {
        script::print(&format!("\n== PostgreSQL {major}"));
        let code = match postgres::bring(*major) {
            Ok(bin) => script::run_with(REAL, words.to_vec(), |real| {
                real.env("MIGRATE_PG_BIN", bin);
            }),
            Err(why) => script::say(&why, 1),
        };
        if code != ExitCode::SUCCESS {
            end = code;
        }
    }
    end
}
