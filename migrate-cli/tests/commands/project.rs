//! `new`: what it writes.

use crate::harness::{Database, Project};

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
