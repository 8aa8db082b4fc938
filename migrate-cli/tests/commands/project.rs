//! `init` and `new`: what they write and what they leave alone.

use crate::harness::{Database, Project};

#[test]
fn init_writes_what_is_missing_and_nothing_twice() {
    let project = Project::empty();
    project.write("Cargo.toml", "[package]\nname = \"app\"\n");
    project
        .run(&["init"])
        .ends(0)
        .says("wrote  build.rs")
        .says("add to Cargo.toml:\n    [workspace]");
    assert!(project.read("build.rs").contains("println!(\"cargo::rerun-if-changed=migrations\");"));
    assert!(
        project.read(".cargo/config.toml").contains("xtask = \"run --quiet --package xtask --\"")
    );
    assert!(project.read("xtask/Cargo.toml").contains("migrate-cli = "));
    assert!(
        project.read("xtask/src/main.rs").contains("migrate_cli::folder(\"migrations\").main()")
    );
    assert_eq!(project.files("migrations"), [""; 0]);
    let again = project.run(&["init"]).ends(0).says("down = \"require\"");
    assert!(!again.stdout.contains("wrote"), "{again:#?}");
}

#[test]
fn init_leaves_what_exists_and_says_what_to_add() {
    let project = Project::empty();
    project.write("Cargo.toml", "[package]\nname = \"app\"\n[workspace]\nmembers = [\"xtask\"]\n");
    project.write("build.rs", "fn main() {}\n");
    project.write("xtask/src/main.rs", "fn main() {}\n");
    project.write(".cargo/config.toml", "[build]\njobs = 2\n");
    let init = project.run(&["init"]).ends(0);
    let init = init
        .says("add to build.rs:\n    println!(\"cargo::rerun-if-changed=migrations\");")
        .says("add to xtask/src/main.rs:\n    migrate_cli::folder(\"migrations\").main()")
        .says("add to .cargo/config.toml:\n    [alias]");
    assert!(!init.stdout.contains("add to Cargo.toml"), "{init:#?}");
    assert_eq!(project.read("build.rs"), "fn main() {}\n");
    assert_eq!(project.read("xtask/src/main.rs"), "fn main() {}\n");
    assert_eq!(project.read(".cargo/config.toml"), "[build]\njobs = 2\n");
}

#[test]
fn a_new_migration_has_a_way_back_and_comes_last() {
    let project = Project::of(&[("29990101000000_far.sql", "SELECT 1;")]);
    project
        .run(&["new", "Create", "users"])
        .ends(0)
        .says("migrations/29990101000001_create_users.sql");
    let files = [
        "29990101000000_far.sql",
        "29990101000001_create_users.down.sql",
        "29990101000001_create_users.sql",
    ];
    assert_eq!(project.files("migrations"), files);
    project.run(&["new", "!"]).ends(2).complains("is no name");
}

#[test]
fn a_new_version_is_the_time_in_utc() {
    let project = Project::of(&[]);
    std::fs::create_dir(project.path().join("migrations")).unwrap();
    let database = Database::fresh();
    let now = "SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDDHH24MISS')";
    let before = database.value(now);
    project.run(&["new", "a"]).ends(0);
    let after = database.value(now);
    let version = project.files("migrations")[0].split('_').next().unwrap().to_owned();
    assert!(before <= version && version <= after, "{before} {version} {after}");
}

#[test]
fn each_phase_gets_its_file() {
    let project = Project::of(&[("1_a.sql", "SELECT 1;")]);
    project.run(&["new", "b", "--phases", "--no-transaction"]).ends(0);
    let files = project.files("migrations").split_off(1);
    let endings: Vec<_> = files.iter().map(|name| name.split_once('.').unwrap().1).collect();
    assert_eq!(
        endings,
        ["contract.down.sql", "contract.sql", "down.sql", "expand.sql", "migrate.sql"]
    );
    for (file, outside) in files.iter().zip([false, false, false, false, true]) {
        let text = project.read(&format!("migrations/{file}"));
        assert_eq!(text.starts_with("-- migrate: no-transaction\n"), outside, "{file}");
    }
}

#[test]
fn what_new_wrote_is_refused_until_it_is_filled_in() {
    let (project, database) = (Project::of(&[("1_a.sql", "SELECT 1;")]), Database::fresh());
    project.run(&["new", "b"]).ends(0);
    let refused = project.on(&database, &["run"]).ends(2);
    assert!(refused.stderr.contains("_b.sql: the file holds no statement"), "{refused:#?}");
    for file in project.files("migrations") {
        project.migration(&file, "SELECT 1;");
    }
    project.on(&database, &["run"]).ends(0).says("2 migrations applied");
}
