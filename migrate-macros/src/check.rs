//! Is it right?
//!
//! Adds to what core has to say about the files what only a build can get wrong: a folder that Cargo does
//! not watch. Makes no tokens.

use std::path::Path;

use migrate_core::source::{SETTINGS_FILE, released_nowhere};
use migrate_core::{Problem, SqlDown};
use syn::Ident;

use crate::attribute::{self, BuildScript, Work};
use crate::embed;

/// All that is wrong with a folder.
pub(crate) fn folder(declared: &attribute::Folder, read: &embed::Folder) -> Vec<Problem> {
    let mut problems = read.contents.problems.clone();
    problems.extend(released(declared, read));
    if declared.build_script == BuildScript::Warn && !is_watched(&read.path) {
        problems.push(unwatched(&read.path));
    }
    problems
}

/// Said once, in the file or here, and of a version that there is.
fn released(declared: &attribute::Folder, read: &embed::Folder) -> Option<Problem> {
    let released = declared.released?;
    if read.contents.settings.released.is_some() {
        let message = format!("`released` is said here and in {SETTINGS_FILE}");
        let help = "Keep the one in the file, which `migrate adopt` writes, and remove it here.";
        return Some(Problem::error(&read.path, message, help));
    }
    let has_it = read.contents.migrations.iter().any(|m| m.id.version == released);
    (!has_it).then(|| released_nowhere(&read.path, released))
}

/// All that is wrong with a single migration.
pub(crate) fn migration(
    declared: &attribute::Migration,
    ident: &Ident,
    migration: &embed::Migration,
) -> Vec<Problem> {
    let mut problems = migration.problems.clone();
    let row = migration.row.as_ref();
    if row.is_some_and(|row| row.down == SqlDown::Missing) {
        problems.push(no_way_back(&declared.work, ident));
    }
    problems
}

fn no_way_back(work: &Work, ident: &Ident) -> Problem {
    let (who, by) = match work {
        Work::Sql { up, .. } => (up.value(), "down = \"<file>\""),
        Work::Code(_) => (ident.to_string(), "undo = <function>"),
    };
    let help = format!(
        "Say how it is taken back, `{by}`, or why it cannot be, `irreversible = \"<reason>\"`."
    );
    Problem::error(&who, "has no way back", help).as_warning()
}

fn unwatched(path: &str) -> Problem {
    let message = "Cargo does not watch the folder: a file that is added to it goes unseen until something else changes";
    let help = format!(
        "Add to build.rs: `fn main() {{ println!(\"cargo::rerun-if-changed={path}\"); }}`, or say `build_script = \"ignore\"`."
    );
    Problem::error(path, message, help).as_warning()
}

/// Nothing to track here: a crate is compiled again when its build script comes or changes.
fn is_watched(path: &str) -> bool {
    let script = std::fs::read_to_string(embed::root().join("build.rs"));
    script.is_ok_and(|script| watches(&script, path))
}

const DIRECTIVE: &str = "rerun-if-changed=";

/// Does the script name the folder, or one that it is in?
fn watches(script: &str, folder: &str) -> bool {
    let named = script.split(DIRECTIVE).skip(1).map(|rest| {
        let end = rest.find(|c: char| c.is_whitespace() || "\"\\".contains(c));
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    });
    let quoted = format!("\"{folder}\"");
    let mut named = named.map(|name| name.trim_end_matches('/'));
    named.any(|name| {
        // `println!("cargo::rerun-if-changed={}", "migrations")`, or by way of a constant
        name.starts_with('{') && script.contains(&quoted) || contains(name, folder)
    })
}

fn contains(outer: &str, folder: &str) -> bool {
    let plain = |path: &'_ str| path.trim_start_matches("./").to_owned();
    match plain(outer).as_str() {
        "" => false,
        "." => !folder.starts_with(".."),
        outer => Path::new(&plain(folder)).starts_with(outer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_script_watches_what_it_names() {
        let line =
            |path: &str| format!("fn main() {{ println!(\"cargo::rerun-if-changed={path}\"); }}");
        for (path, folder) in [
            ("migrations", "migrations"),
            ("migrations/", "migrations"),
            ("./db", "db/migrations"),
            ("../db/migrations", "../db/migrations"),
            (".", "migrations"),
        ] {
            assert!(watches(&line(path), folder), "{path} {folder}");
        }
        for (path, folder) in [
            ("build.rs", "migrations"),
            ("migrations2", "migrations"),
            ("migrations/1_a.sql", "migrations"),
            (".", "../migrations"),
            ("", "migrations"),
        ] {
            assert!(!watches(&line(path), folder), "{path} {folder}");
        }
        let by_constant =
            "const DIR: &str = \"migrations\"; println!(\"cargo:rerun-if-changed={DIR}\");";
        assert!(watches(by_constant, "migrations"));
        assert!(!watches(by_constant, "other"));
    }
}
