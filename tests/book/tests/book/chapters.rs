//! Chapters that are read with a folder, a database and a shell at hand.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::desk::Desk;
use crate::page::{Page, root};

/// Their `cargo xtask migrate` is a program of this package.
pub const TYPED: [&str; 10] = [
    "backfills.md",
    "contract.md",
    "files.md",
    "from-sqlx.md",
    "history.md",
    "phases.md",
    "rehearse.md",
    "review.md",
    "start-up.md",
    "comparison.md",
];
/// Typed by a newcomer into an empty folder, with a cargo that compiles what was typed.
pub const DONE_BY_HAND: [&str; 2] = ["quick-start.md", "testing.md"];

fn read(name: &str) {
    read_after(name, |_| {});
}

/// After something was done with the folder and the database.
fn read_after(name: &str, before: impl FnOnce(&mut Desk)) {
    let (folder, tools) = (TempDir::new().expect("a folder"), TempDir::new().expect("a folder"));
    symlink(env!("CARGO_BIN_EXE_book-xtask"), tools.path().join("xtask")).expect("a link");
    let cargo = tools.path().join("cargo");
    let script = "#!/bin/sh\n[ \"$1\" = xtask ] || exit 101\nshift\nexec \"$(dirname \"$0\")\"/xtask \"$@\"\n";
    std::fs::write(&cargo, script).expect("a script");
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("a script");
    let mut desk = Desk::at(folder.path(), tools.path(), Vec::new());
    before(&mut desk);
    desk.read(&Page::read(name));
}

/// The README has no database to show the commands on; what it types has to be known to them.
#[test]
fn what_the_readme_types_is_a_command() {
    let readme = Page::read("../README.md");
    let lines = readme
        .blocks
        .iter()
        .filter(|block| block.language == "console")
        .flat_map(|block| block.text.lines());
    let typed: Vec<&str> =
        lines.filter_map(|line| line.strip_prefix("$ cargo xtask migrate ")).collect();
    assert!(typed.len() > 3, "{typed:?}");
    for line in typed {
        let command = line.split(' ').next().expect("a command");
        let help =
            Command::new(env!("CARGO_BIN_EXE_book-xtask")).args([command, "--help"]).output();
        let help = help.expect("the program");
        assert!(help.status.success(), "{line}");
        let help = String::from_utf8(help.stdout).expect("UTF-8");
        for flag in line.split(' ').filter(|word| word.starts_with("--")) {
            assert!(help.contains(flag), "{line}: {flag}");
        }
    }
}

#[test]
fn files_and_directives() {
    read("files.md");
}

#[test]
fn backfills() {
    read("backfills.md");
}

#[test]
fn phases() {
    read("phases.md");
}

#[test]
fn before_something_is_removed() {
    read("contract.md");
}

#[test]
fn rehearsing() {
    read("rehearse.md");
}

#[test]
fn what_the_compiler_says_of_the_sql() {
    read("review.md");
}

#[test]
fn at_start_up_and_in_pipelines() {
    read("start-up.md");
}

#[test]
fn comparison() {
    read("comparison.md");
}

/// Its statements are about a database that has a history, and a table of leases as if there had been a pooler.
#[test]
fn the_history_table() {
    read_after("history.md", |desk| {
        desk.write("migrations/1_customers.sql", "CREATE TABLE customers ();");
        desk.command("before", "cargo xtask migrate run", "");
        let lease = include_str!("../../../../migrate-postgres/src/sql/create_lease.sql");
        desk.execute("shop", &lease.replace("{lease}", "schema_migrations_lease"));
    });
}

/// The history that sqlx left for the application that a test of migrate-cli switches for real. Of its tables the
/// chapter needs none, and those of that folder cannot be made on PostgreSQL 17 and later.
#[test]
fn switching_from_sqlx() {
    read_after("from-sqlx.md", |desk| {
        desk.copy(&migrate_real::folder_of("sqlxmq").expect("the package"), "");
        let table = "CREATE TABLE _sqlx_migrations (version bigint PRIMARY KEY, description text NOT NULL, \
            installed_on timestamptz NOT NULL DEFAULT now(), success boolean NOT NULL, \
            checksum bytea NOT NULL, execution_time bigint NOT NULL)";
        desk.execute("shop", table);
        for (version, text) in desk.files(".up.sql") {
            let hash = format!("sha384(convert_to($text_of_file${text}$text_of_file$, 'UTF8'))");
            let row = format!("({version}, '', now(), true, {hash}, 1)");
            desk.execute("shop", &format!("INSERT INTO _sqlx_migrations VALUES {row}"));
        }
        desk.copy(&root().join("tests/switch/later"), "20261101090000_");
    });
}

/// A diff of what that application was into what it became.
pub fn is_the_switch(diff: &str) -> bool {
    let of =
        |name: &str| std::fs::read_to_string(root().join("tests/switch").join(name)).expect(name);
    let (before, after) = (of("before/src/main.rs"), of("after/src/main.rs"));
    diff.lines().all(|line| match line.split_at_checked(1) {
        Some(("-", line)) => before.contains(line) && !after.contains(line),
        Some(("+", line)) => after.contains(line) && !before.contains(line),
        _ => line.trim().is_empty(),
    })
}

/// The newcomer has this repository beside the new project, and compiles with the crates that are here already.
#[test]
fn the_quick_start_and_the_tests_behind_it_by_hand() {
    let folder = empty_folder();
    symlink(root(), folder.join("migrate")).expect("a link");
    let target = root().join("target/book").display().to_string();
    let variables = vec![
        ("CARGO_TARGET_DIR", target),
        ("CARGO_NET_OFFLINE", "true".to_owned()),
        ("CARGO_TERM_COLOR", "never".to_owned()),
        ("CARGO_INCREMENTAL", "0".to_owned()),
        ("CARGO_PROFILE_DEV_DEBUG", "0".to_owned()),
    ];
    let mut desk = Desk::at(&folder, &tools(&folder), variables);
    for chapter in DONE_BY_HAND {
        desk.read(&Page::read(chapter));
    }
}

/// Always the same: cargo would take another folder for other crates, and compile them again.
fn empty_folder() -> PathBuf {
    let folder = std::env::temp_dir().join(format!("migrate-book-{}", user_and_checkout()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn user_and_checkout() -> String {
    root()
        .display()
        .to_string()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { '-' })
        .collect()
}

/// A cargo that resolves a new project to the versions of this repository, which are downloaded.
fn tools(folder: &Path) -> PathBuf {
    let tools = folder.join(".tools");
    std::fs::create_dir(&tools).expect("a folder");
    let lock = root().join("Cargo.lock");
    let real = env!("CARGO");
    let script = format!(
        "#!/bin/sh\n[ -f Cargo.toml ] && [ ! -f Cargo.lock ] && cp {:?} Cargo.lock\nexec {real:?} \"$@\"\n",
        lock.display().to_string(),
    );
    let cargo = tools.join("cargo");
    std::fs::write(&cargo, script).expect("a script");
    std::fs::set_permissions(&cargo, std::fs::Permissions::from_mode(0o755)).expect("a script");
    tools
}
