//! Migrations in Rust: run by the application's own program, known to the folder beside it.

use crate::harness::{Database, Outcome, Project};

fn embedded(project: &Project, database: &Database, words: &[&str]) -> Outcome {
    Outcome::of(project.command("embedded", words).env("DATABASE_URL", database.url()))
}

const USERS: (&str, &str) =
    ("1_create_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n");

#[test]
fn a_program_runs_its_own_migrations_in_rust() {
    let (project, database) = (Project::empty(), Database::fresh());
    embedded(&project, &database, &["plan"]).ends(0).says(
        "-- 2 expand fill_names\n-- Rust code of the application, revision 1, in a transaction",
    );
    embedded(&project, &database, &["run"]).ends(0).says("applied   2 expand fill_names");
    assert_eq!(database.value("SELECT name FROM users"), "first");
    embedded(&project, &database, &["check"]).ends(0);
}

#[test]
fn a_folder_does_not_miss_what_is_rust_code_and_says_so() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    embedded(&project, &database, &["run"]).ends(0);
    let note = "2 expand fill_names is Rust code of the application and not part of this folder";
    project.on(&database, &["status"]).ends(0).says(note).says("2 applied");
    project.on(&database, &["plan"]).ends(0).says(note);
    project.on(&database, &["check"]).ends(0);
    project.on(&database, &["run"]).ends(0).says(note);
    project.remove(USERS.0);
    project.migration("3_more.sql", "SELECT 1;");
    project
        .on(&database, &["check"])
        .ends(4)
        .complains("1 expand create_users: was applied and is not declared");
}

#[test]
fn an_embedded_folder_cannot_be_exchanged() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    embedded(&project, &database, &["run", "--folder", "migrations"])
        .ends(2)
        .complains("part of it");
}
