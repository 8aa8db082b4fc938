//! What people tell the history: `baseline`, `mark-applied`, `repair`, `resolve`.

use crate::harness::{AGE, DROP_NAME, Database, Project, USERS, sleeping};

#[test]
fn a_baseline_records_without_running() {
    let (project, database) = (Project::of(&[USERS, AGE]), Database::fresh());
    database.execute("CREATE TABLE users (id bigint PRIMARY KEY, name text)");
    project.on(&database, &["baseline", "5"]).ends(2).complains("failed to find version 5");
    project.on(&database, &["baseline", "1"]).ends(0).says("1 expand\nrecorded as applied");
    project.on(&database, &["run"]).ends(0).says("1 migration applied");
    project.on(&database, &["baseline", "1"]).ends(1).complains("is in the history already");
}

#[test]
fn one_migration_is_marked_as_applied_with_the_reason() {
    let (project, database) = (Project::of(&[USERS, DROP_NAME]), Database::fresh());
    project.on(&database, &["run", "--to", "1"]).ends(0);
    project.on(&database, &["mark-applied", "3"]).ends(2).complains("--reason");
    let contract = ["mark-applied", "3", "--phase", "contract", "--reason", "done by hand"];
    project.on(&database, &contract).ends(0).says("3 contract\nrecorded as applied");
    let reason = "SELECT reason FROM schema_migrations WHERE version = 3";
    assert_eq!(database.value(reason), "done by hand");
    project.on(&database, &["check", "--contract"]).ends(0);
    project.on(&database, &contract).ends(1).complains("in the history already");
}

#[test]
fn a_repair_shows_the_difference_and_wants_yes() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    project.on(&database, &["repair"]).ends(0).says("nothing to repair");
    project.migration(USERS.0, "CREATE TABLE users (id int PRIMARY KEY, name text);\n");
    project
        .on(&database, &["repair"])
        .ends(2)
        .says("- CREATE TABLE users (id bigint PRIMARY KEY, name text);")
        .says("+ CREATE TABLE users (id int PRIMARY KEY, name text);")
        .complains("Pass --yes");
    project.on(&database, &["check"]).ends(4);
    project.on(&database, &["repair", "--yes"]).ends(0).says("1 migration recorded");
    project.on(&database, &["check"]).ends(0);
}

const CUT_SHORT: (&str, &str) = (
    "2_slow.sql",
    "-- migrate: no-transaction\nDO $$ BEGIN PERFORM pg_sleep(600); COMMIT; END $$;\nVACUUM users;\n",
);

/// A run that was killed in the first statement of a migration outside transactions.
fn cut_short(project: &Project, database: &Database) {
    let mut run = project.start(database, &["run"]);
    let sleeps = sleeping();
    database.wait_until(&format!("EXISTS (SELECT {sleeps})"));
    run.kill().unwrap();
    run.wait().unwrap();
    database.value(&format!("SELECT count(pg_terminate_backend(pid)) {sleeps}"));
    database.wait_until(&format!("NOT EXISTS (SELECT {sleeps})"));
}

#[test]
fn a_statement_that_was_cut_short_is_resolved() {
    let (project, database) = (Project::of(&[USERS, CUT_SHORT]), Database::fresh());
    cut_short(&project, &database);
    project.on(&database, &["status"]).ends(0).says("cut short");
    project.on(&database, &["plan"]).ends(0).says("begun by a run before, which was cut short");
    project.on(&database, &["run"]).ends(1).complains("resolve");
    project
        .on(&database, &["resolve", "2", "--phase", "expand"])
        .ends(2)
        .complains("--done|--redo");
    project.on(&database, &["resolve", "1", "--phase", "expand", "--done"]).ends(1);
    let done = ["resolve", "2", "--phase", "expand", "--done"];
    project.on(&database, &done).ends(0).says("took effect; `run` goes on behind it");
    project.on(&database, &["plan"]).ends(0).says("done by a run before\n");
    project.on(&database, &["run"]).ends(0).says("applied   2 expand slow");
}
