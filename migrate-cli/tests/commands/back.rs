//! `revert`.

use crate::harness::{AGE, AGE_DOWN, Database, Project, USERS, USERS_DOWN};

fn applied() -> (Project, Database) {
    let project = Project::of(&[USERS, USERS_DOWN, AGE, AGE_DOWN]);
    let database = Database::fresh();
    project.on(&database, &["run"]).ends(0);
    (project, database)
}

#[test]
fn where_nobody_can_be_asked_a_revert_shows_its_plan_and_wants_yes() {
    let (project, database) = applied();
    project
        .on(&database, &["revert", "--all"])
        .ends(2)
        .says("BEGIN;\nDROP TABLE users;\nCOMMIT;")
        .complains("Revert 2 migrations of ")
        .complains("Pass --yes");
    project.on(&database, &["check"]).ends(0);
}

#[test]
fn a_revert_keeps_the_version_that_was_named() {
    let (project, database) = applied();
    let revert = project.on(&database, &["revert", "--to", "1", "--yes"]).ends(0);
    let revert = revert.says("reverted  2 expand age").says("1 migration reverted in");
    assert!(!revert.stdout.contains("1 expand users"), "{revert:#?}");
    assert!(database.has_table("users"));
    project.on(&database, &["revert", "--all", "--yes"]).ends(0).says("reverted  1 expand users");
    assert!(!database.has_table("users"));
    project.on(&database, &["revert", "--all"]).ends(0).says("nothing to do");
    project.on(&database, &["status"]).ends(0).says("2 reverted");
}

#[test]
fn a_slip_of_the_finger_takes_nothing_back() {
    let (project, database) = applied();
    project
        .on(&database, &["revert", "--to", "0", "--yes"])
        .ends(2)
        .complains("failed to find version 0");
    project.on(&database, &["revert", "--yes"]).ends(2).complains("--to <VERSION>|--all");
    project.on(&database, &["revert", "--all", "--to", "1", "--yes"]).ends(2);
    project.on(&database, &["check"]).ends(0);
}

#[test]
fn what_is_gone_from_the_folder_is_taken_back_with_the_text_in_the_history() {
    let (project, database) = applied();
    project.remove(AGE.0);
    project.remove(AGE_DOWN.0);
    project
        .on(&database, &["revert", "--to", "1", "--yes"])
        .ends(0)
        .says("-- not declared any more: this way back is from the history")
        .says("ALTER TABLE users DROP COLUMN age;")
        .says("reverted  2 expand age");
}

#[test]
fn what_cannot_be_taken_back_is_refused_before_anything_is() {
    let reason = "-- migrate: irreversible because the mail is sent\nSELECT 1;\n";
    let (project, database) = (Project::of(&[USERS, ("2_mail.sql", reason)]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    project
        .on(&database, &["revert", "--all", "--yes"])
        .ends(4)
        .complains("not all of it can be taken back")
        .complains("because the mail is sent")
        .complains("1 expand users: has no way back");
    project.on(&database, &["check"]).ends(0);
}
