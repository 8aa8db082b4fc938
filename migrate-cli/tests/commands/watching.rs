//! Those who look on from elsewhere, and those who come later.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::harness::{AGE, Database, PASSWORD, Project, USERS};

const FAILS: (&str, &str) =
    ("3_fails.sql", "INSERT INTO users VALUES (1, 's3cr3t-value'); SELECT 1 / 0;\n");

#[test]
fn a_report_is_written_of_a_run_that_succeeds_and_of_one_that_fails() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project
        .on(&database, &["run", "--report", "run.html"])
        .ends(0)
        .says("applied   1 expand users");
    let page = project.read("run.html");
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("1 migration applied"), "{page}");

    [AGE, FAILS].iter().for_each(|(name, text)| project.migration(name, text));
    project.on(&database, &["run", "--report", "run.html"]).ends(1).complains("division by zero");
    let page = project.read("run.html");
    assert!(page.contains("Why it failed") && page.contains("division by zero"), "{page}");
    assert!(page.contains("3 expand fails ✗ failed"), "{page}");
    assert!(!page.contains("s3cr3t-value") && !page.contains(PASSWORD), "{page}");
    assert!(
        !page.contains("INSERT") && !page.contains("SELECT 1 / 0"),
        "no text of a migration: {page}"
    );
    project.on(&database, &["run", "--report", "run.json"]).ends(1);
    let data: serde_json::Value = serde_json::from_str(&project.read("run.json")).unwrap();
    assert_eq!(data["plan"]["actions"][0]["name"], "fails");
    assert_eq!(data["recording"]["tracks"][0]["outcome"], "failed");
    assert_eq!(data["recording"]["stopped"]["sqlstate"], "22012");
}

#[test]
fn a_report_that_cannot_be_written_is_told_before_anything_is_done() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    let wrong = project.on(&database, &["run", "--report", "run.txt"]).ends(2);
    wrong.complains("Let its name end with .html or .json.");
    let nowhere = project.on(&database, &["run", "--report", "nowhere/run.html"]).ends(1);
    nowhere.complains("failed to make the report nowhere/run.html");
    project.on(&database, &["check"]).ends(3);
}

/// Lines of a program that goes on until the test has seen enough.
fn lines_until(
    project: &Project,
    database: &Database,
    words: &[&str],
    enough: impl Fn(&[String]) -> bool,
) -> Vec<String> {
    let mut command = project.command("folder", words);
    command.env("DATABASE_URL", database.url()).stdout(Stdio::piped());
    let mut program = command.spawn().unwrap();
    let mut lines = Vec::new();
    for line in BufReader::new(program.stdout.take().unwrap()).lines() {
        lines.push(line.unwrap());
        if enough(&lines) {
            break;
        }
    }
    program.kill().unwrap();
    program.wait().unwrap();
    lines
}

#[test]
fn a_watched_status_is_an_object_a_look_for_programs() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    let lines = lines_until(&project, &database, &["status", "--watch=50ms", "--json"], |lines| {
        lines.len() == 3
    });
    for line in lines {
        let look: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(look["migrations"][0]["name"], "users");
        assert_eq!(look["activity"]["migrator"], serde_json::Value::Null);
    }
}

#[test]
fn in_a_pipe_a_watched_status_is_told_again_when_it_has_changed() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    let run = || project.on(&database, &["run"]).ends(0);
    let mut has_run = std::cell::Cell::new(false);
    let lines = lines_until(&project, &database, &["status", "--watch=50ms"], |lines| {
        let seen = lines.last().is_some_and(|line| line == "nobody migrates at this moment");
        if seen && !has_run.replace(true) {
            run();
            return false;
        }
        seen && lines.iter().any(|line| line == "1 applied")
    });
    assert!(*has_run.get_mut());
    let summaries: Vec<_> = lines.iter().filter(|line| line.starts_with("1 ")).collect();
    assert_eq!(summaries.first().unwrap().as_str(), "1 pending");
    // What was in between may or may not have been seen.
    assert!(summaries.len() <= 4, "the same is not told again: {lines:#?}");
    assert_eq!(summaries.last().unwrap().as_str(), "1 applied");
}
