//! `init`: a new project compiles and passes on the spot, and one that has things keeps them.
//!
//! Cargo really builds the projects, offline and with the target folder of this workspace, so that what they
//! share with it is compiled once.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{Database, Outcome, Project};

const LOCK: &str = include_str!("../../../Cargo.lock");

fn init(project: &Project, words: &[&str]) -> Outcome {
    let mut migrate = Command::new(env!("CARGO_BIN_EXE_migrate"));
    migrate.arg("init").args(words).current_dir(project.path());
    Outcome::of(migrate.env("CARGO_MANIFEST_DIR", env!("CARGO_MANIFEST_DIR")))
}

/// Two at once would wait for each other anyway.
fn cargo(folder: &Path, words: &[&str]) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(words).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    cargo.env("CARGO_TARGET_DIR", target()).env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only");
    cargo.env_remove("DATABASE_URL").env("CARGO_TERM_COLOR", "never");
    cargo
}

fn target() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_migrate"));
    program.ancestors().nth(2).expect("a target folder").to_owned()
}

/// A package as `cargo init` makes it; what is downloaded for ours will do for it.
fn package(words: &[&str]) -> Project {
    let project = Project::empty();
    let made = [&["init", "--quiet", "--vcs", "none", "--name", "newcomer"], words].concat();
    Outcome::of(&mut cargo(project.path(), &made)).ends(0);
    project.write("Cargo.lock", LOCK);
    project
}

#[test]
fn a_new_project_compiles_passes_and_migrates_on_the_spot() {
    let (project, database) = (package(&[]), Database::fresh());
    init(&project, &[]).ends(0).says("wrote    src/migrations.rs").says("next: ");
    let in_it = |words: &[&str]| {
        Outcome::of(cargo(project.path(), words).env("DATABASE_URL", database.url()))
    };
    let test = Outcome::of(&mut cargo(project.path(), &["test", "--quiet"])).ends(0);
    assert!(test.says("1 passed").stderr.is_empty(), "a warning");
    let xtask = |command: &str| in_it(&["xtask", "migrate", command]).ends(0);
    xtask("plan").says("CREATE TABLE customers");
    in_it(&["run", "--quiet"]).ends(0).says("create_customers");
    xtask("status").says("1 applied");
    xtask("init").says("everything is there");
    let again = init(&project, &[]).ends(0).says("everything is there");
    assert!(!again.stdout.contains("wrote") && !again.stdout.contains("added"), "{again:#?}");
}

#[test]
fn a_project_that_has_things_keeps_them_and_gets_what_it_lacks() {
    let project = Project::empty();
    let workspace = "[workspace]\nresolver = \"3\"\nmembers = [\n    \"app\",\n    \"xtask\",\n]\n";
    project.write("Cargo.toml", workspace);
    project.write("Cargo.lock", LOCK);
    let manifest = "[package]\nname = \"oldtimer\"\nedition = \"2024\"\n\n[dependencies] # few\n\
        tokio = { version = \"1\", features = [\"rt\"] }\n";
    project.write("app/Cargo.toml", manifest);
    let library = "//! What it does.\n\n/// Two.\npub fn two() -> u8 {\n    2\n}\n";
    project.write("app/src/lib.rs", library);
    project.write("app/build.rs", "fn main() {\n    println!(\"cargo::rerun-if-changed=x\");\n}\n");
    project.write("app/migrations/1_users.sql", "CREATE TABLE users (id bigint);\n");
    let chores = "[package]\nname = \"xtask\"\nedition = \"2024\"\n";
    project.write("xtask/Cargo.toml", chores);
    project.write("xtask/src/main.rs", "fn main() {}\n");
    project.write(".cargo/config.toml", "[alias]\nx = \"xtask\"\n\n[build]\njobs = 2\n");

    let done = init(&project, &["app"]).ends(0);
    let done = done.says("exists   app/migrations").says("to add   xtask/src/main.rs\n");
    let done = done.says("migrate_cli::folder(\"app/migrations\").main()");
    done.says("to add   xtask/Cargo.toml").says("add by hand what is named above");
    assert_eq!(project.read("Cargo.toml"), workspace);
    assert_eq!(project.read("xtask/src/main.rs"), "fn main() {}\n");
    assert_eq!(project.read("xtask/Cargo.toml"), chores);
    assert_eq!(
        project.read("app/src/lib.rs"),
        library.replacen("\n\n", "\n\npub mod migrations;\n\n", 1)
    );
    let script = project.read("app/build.rs");
    assert!(script.contains("=x\");") && script.contains("=migrations\");"), "{script}");
    let config = project.read(".cargo/config.toml");
    assert!(config.contains("x = \"xtask\"") && config.contains("xtask = \"run "), "{config}");
    // It has no way back, and the compiler must not refuse what ran long ago.
    assert!(!project.read("app/src/migrations.rs").contains("require"));
    assert_eq!(project.files("app/migrations"), ["1_users.sql"]);

    let test = ["test", "--quiet", "--package", "oldtimer", "--lib"];
    Outcome::of(&mut cargo(project.path(), &test)).ends(0).says("1 passed");
    let again = init(&project, &["app"]).ends(0);
    assert!(!again.stdout.contains("wrote") && !again.stdout.contains("added"), "{again:#?}");
}

#[test]
fn what_init_cannot_know_it_asks_for() {
    let project = Project::empty();
    init(&project, &[]).ends(2).complains("there is no Cargo.toml").complains("`cargo init`");
    project.write("Cargo.toml", "[workspace]\n");
    init(&project, &[])
        .ends(2)
        .complains("is a workspace without one")
        .complains("Name the member");
    let project = package(&[]);
    init(&project, &["--path", "src"]).ends(2).complains("failed to find the crates of migrate");
    let git = init(&project, &["--git", "https://git.example.org/migrate"]).ends(0);
    git.says("migrate-postgres = { git = \"https://git.example.org/migrate\" }");
    let older = package(&[]);
    older.write("Cargo.toml", &(older.read("Cargo.toml") + "sqlx = \"0.8\"\n"));
    init(&older, &[]).ends(0).says("to add   Cargo.toml").says("sqlx = { version = \"0.9\"");
}
