//! `rehearse`: what is told of pending migrations, and what the exit code makes of it.

use crate::harness::{Database, Project, USERS};

const INDEX: (&str, &str) = (
    "2_name.sql",
    "-- migrate: allow(create_index) because it is small\nCREATE INDEX users_name ON users (name);\n",
);

fn with_rows() -> (Project, Database) {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    database.execute(
        "INSERT INTO users SELECT n, 'name ' || n FROM generate_series(1, 20000) AS n; ANALYZE users",
    );
    (project, database)
}

#[test]
fn each_step_is_told_with_its_locks_and_what_the_numbers_are_made_of() {
    let (project, database) = with_rows();
    project.migration(INDEX.0, INDEX.1);
    let told = project.on(&database, &["rehearse", "--sample", "1000"]).ends(0);
    let told = told
        .says("2 expand name")
        .says("CREATE INDEX users_name ON users (name)")
        .says("SHARE on public.users for ")
        .says(" rows of public.users, extrapolated by rows")
        .says("1 step: ");
    told.complains(&format!("database: {} at ", database.name()));
    project.on(&database, &["rehearse"]).ends(0).says("run on all rows and rolled back");
    project.on(&database, &["rehearse", "--copy"]).ends(0).says("rehearsed on a copy in ");
    assert_eq!(database.value("(SELECT count(*) FROM pg_class WHERE relname = 'users_name')"), "0");
    project.on(&database, &["run"]).ends(0);
    project.on(&database, &["rehearse"]).ends(0).says("nothing is pending");
}

#[test]
fn a_step_that_takes_too_long_is_a_warning_or_an_error() {
    let (project, database) = with_rows();
    project.migration("2_wait.sql", "SELECT pg_sleep(0.1);");
    let on = |words: &[&str]| project.on(&database, &[&["rehearse"], words].concat());
    let warned = on(&["--warn-above", "50ms"]).ends(0);
    warned.says("warning: it takes longer than 50 ms");
    let failed = on(&["--warn-above", "20ms", "--fail-above", "50ms"]).ends(5);
    failed.says("error: it takes longer than 50 ms");
    assert!(!on(&["--warn-above", "1h"]).ends(0).stdout.contains("warning"));
    let told = on(&["--json", "--fail-above", "50ms"]).ends(5).json();
    assert_eq!(told["steps"][0]["verdict"], "error");
    assert!(told["steps"][0]["time_ms"].as_f64().is_some_and(|time| time >= 100.0), "{told}");
}

#[test]
fn a_step_that_fails_is_an_error() {
    let (project, database) = with_rows();
    project.migration("2_check.sql", "ALTER TABLE users ADD CONSTRAINT few CHECK (id < 100);");
    let failed = project.on(&database, &["rehearse"]).ends(5);
    failed.says(
        "error: it fails: check constraint \"few\" of relation \"users\" is violated by some row",
    );
}

#[test]
fn a_pull_request_gets_a_table() {
    let (project, database) = with_rows();
    project.migration("2_name.sql", "ALTER TABLE users ADD COLUMN a_b text DEFAULT 'x|y';");
    let told = project.on(&database, &["rehearse", "--markdown"]).ends(0);
    let told = told
        .says("| migration | step | time | log | locks | based on |\n|---|---|--:|--:|---|---|\n")
        .says("| 2 expand name | `ALTER TABLE users ADD COLUMN a_b text DEFAULT ?` | ");
    let rows = told.stdout.lines().filter(|line| line.starts_with('|'));
    assert!(rows.clone().all(|row| row.matches('|').count() == 7), "{}", told.stdout);
    assert_eq!(rows.count(), 3);
    let error = project.on(&database, &["rehearse", "--markdown", "--json"]).ends(2);
    error.complains("cannot be used with");
}
