//! `contract`: what runs, what is told of what does not.

use crate::harness::{ALONE, DROP_NAME, Database, Project, USERS};

/// With everything applied but contracts.
fn in_use(contracts: &[(&str, &str)]) -> (Project, Database) {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    contracts.iter().for_each(|(name, text)| project.migration(name, text));
    (project, database)
}

#[test]
fn a_closed_gate_is_a_checklist_with_what_would_open_it() {
    let (project, database) = in_use(&[DROP_NAME]);
    project.migration("2_view.sql", "CREATE VIEW names AS SELECT name FROM users;");
    project.on(&database, &["run"]).ends(0);
    let explained = project.on(&database, &["contract", "--explain"]).ends(0);
    let (_, checklist) = explained.stdout.split_once("\n\n").unwrap();
    insta::assert_snapshot!(checklist);
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations WHERE version = 3"), "0");
}

#[test]
fn it_is_data_too() {
    let (project, database) = in_use(&[DROP_NAME]);
    let found = project.on(&database, &["contract", "--explain", "3", "--json"]).ends(0);
    let found: serde_json::Value = serde_json::from_str(&found.stdout).unwrap();
    let gate = &found["gates"][0];
    assert_eq!((&gate["open"], &gate["id"]["version"]), (&false.into(), &3.into()));
    let checks = gate["checks"].as_array().unwrap();
    let fleet = checks.iter().find(|check| check["source"] == "fleet").unwrap();
    assert_eq!(fleet["verdict"], "unknown");
    assert!(fleet["opens"].as_str().is_some_and(|opens| opens.contains("heartbeat")), "{fleet}");
    assert_eq!(gate["evidence"].as_str().map(str::len), Some(64));
}

#[test]
fn what_is_open_runs_and_what_was_named_and_is_not_fails() {
    let soaking = ("4_soaking.contract.sql", "-- migrate: soak 1d\nDROP TABLE IF EXISTS old;\n");
    let (project, database) = in_use(&[DROP_NAME, soaking]);
    project
        .on(&database, &["contract", "3"])
        .ends(1)
        .says("3 contract drop_name: gate closed")
        .says("nothing was run; 1 gate closed");
    project
        .on(&database, &[&["contract"][..], &ALONE].concat())
        .ends(0)
        .says("applied   3 contract drop_name")
        .says("its soak of 1d is not over")
        .says("1 contract applied in");
    project.on(&database, &["contract", "3"]).ends(0).says("3 contract has run already");
    project.on(&database, &["contract", "7"]).ends(1).complains("7 contract: it is not declared");
    let reason = "SELECT reason FROM schema_migrations WHERE version = 3";
    assert_eq!(database.value(reason), "fleet waived: it is a test");
}

#[test]
fn a_waiver_has_a_name_and_a_reason() {
    let (project, database) = in_use(&[DROP_NAME]);
    let refused = |waiver| project.on(&database, &["contract", "3", "--waive", waiver]).ends(2);
    refused("flet=x").complains("did you mean `fleet`?");
    refused("fleet").complains("a waiver has a reason");
}

#[test]
fn an_approval_is_asked_for_given_and_kept() {
    let asks =
        ("3_drop_name.contract.sql", "-- migrate: approval\nALTER TABLE users DROP COLUMN name;\n");
    let (project, database) = in_use(&[asks]);
    let with = |words: &[&'static str]| project.on(&database, &[words, &ALONE].concat());
    with(&["contract", "3"]).ends(1).says("folder contract 3 --approve REASON");
    let approve = ["contract", "3", "--approve", "errors are at zero"];
    project.on(&database, &approve).ends(1).complains("fleet keeps its gate closed");
    with(&approve).ends(0).says("gate open").says("as long as this evidence (");
    with(&["contract", "3"]).ends(0).says("applied   3 contract drop_name");
    let reason = "SELECT reason LIKE '%; approved by % UTC: errors are at zero' FROM schema_migrations WHERE version = 3";
    assert_eq!(database.value(reason), "true");
}
