//! What programs and people get: JSON, help, and everything that is wrong at once. That no output in a pipe
//! holds an escape code is looked at by the harness, whatever is run.

use serde_json::json;

use crate::harness::{AGE, AGE_DOWN, DROP_NAME, Database, Outcome, Project, USERS, USERS_DOWN};

#[test]
fn every_command_has_its_result_as_one_object() {
    let project = Project::of(&[USERS, USERS_DOWN, AGE, AGE_DOWN]);
    let database = Database::fresh();
    let json = |words: &[&str], code| {
        project.on(&database, &[words, &["--json"]].concat()).ends(code).json()
    };
    let one = json!({ "version": 1, "phase": "expand" });
    let plan = json(&["plan"], 0);
    assert_eq!(plan["actions"][0]["id"], one);
    assert_eq!(plan["actions"][0]["sql"], USERS.1);
    assert_eq!(plan["actions"][0]["file"], "migrations/1_users.sql");
    assert_eq!(plan["actions"][0]["group"], plan["actions"][1]["group"]);
    let check = json(&["check"], 3);
    assert_eq!(
        (&check["up_to_date"], &check["actions"][1]["name"]),
        (&json!(false), &json!("age"))
    );
    let run = json(&["run", "--to", "1"], 0);
    assert_eq!(run["applied"][0]["id"], one);
    assert!(run["applied"][0]["took_ms"].as_f64().unwrap() > 0.0);
    assert_eq!(run["deferred"][0]["reason"], "beyond-target");
    let mark = json(&["mark-applied", "2", "--reason", "by hand"], 0);
    assert_eq!(mark["recorded"], json!([{ "version": 2, "phase": "expand" }]));
    let status = json(&["status"], 0);
    assert_eq!(status["migrations"][1]["standing"], "applied");
    assert_eq!(status["migrations"][1]["kind"], "marked");
    assert_eq!(status["divergence"], json!(null));
    project.migration(AGE.0, "SELECT 1;");
    assert!(json(&["status"], 4)["divergence"].as_str().unwrap().contains("2 expand age"));
    let repair = json(&["repair", "--yes"], 0);
    assert_eq!(
        (&repair["repaired"], &repair["differences"][0]["comparison"]),
        (&json!(true), &json!("changed"))
    );
    database.execute("ALTER TABLE users ADD COLUMN age int");
    let revert = json(&["revert", "--all", "--yes"], 0);
    assert_eq!(revert["applied"][1]["id"], one);
    assert_eq!(json(&["baseline", "1"], 0)["recorded"], json!([one]));
    assert_eq!(
        json(&["new", "c", "--folder", "migrations"], 0)["files"].as_array().unwrap().len(),
        2
    );
    project.write("Cargo.toml", "[package]\nname = \"app\"\nedition = \"2024\"\n");
    project.write("src/lib.rs", "");
    assert_eq!(json(&["init"], 0)["kept"][0], "migrations");
}

#[test]
fn a_failure_is_an_object_too() {
    let wrong = ("2_wrong.sql", "SELECT nothing FROM users;");
    let (project, database) = (Project::of(&[USERS, wrong]), Database::fresh());
    database.execute("CREATE TABLE before (a int)");
    let error = &project.on(&database, &["run", "--json"]).ends(1).json()["error"];
    assert_eq!(error["sqlstate"], "42703");
    assert_eq!(error["place"], json!({ "file": "migrations/2_wrong.sql", "line": 1, "column": 8 }));
    assert_eq!(error["applied"], json!([{ "version": 1, "phase": "expand" }]));
    assert_eq!(error["exit_code"], 1);
    let error = &project
        .on(&database, &["resolve", "1", "--phase", "expand", "--redo", "--json"])
        .ends(1)
        .json()["error"];
    assert!(error["message"].as_str().unwrap().contains("was not cut short"));
    let error = &project.on(&database, &["run", "--to", "9", "--json"]).ends(2).json()["error"];
    assert_eq!(error["exit_code"], 2);
}

#[test]
fn the_help_documents_the_exit_codes() {
    let project = Project::empty();
    let help = project.run(&["--help"]).ends(0).says("Usage: folder [OPTIONS] <COMMAND>");
    for code in ["  0  done", "  1  failed", "  2  usage", "  3  check only", "  4  diverged"] {
        assert!(help.stdout.contains(code), "{help:#?}");
    }
    project.run(&["migrate", "run", "--help"]).ends(0).says("Usage: folder migrate run");
    project.run(&[]).ends(2).complains("Commands:");
    project.run(&["rum"]).ends(2).complains("run");
}

#[test]
fn everything_that_is_wrong_with_a_folder_is_told_at_once() {
    let files = [("1_a.sql", "SELECT 'x;"), ("1_b.sql", "SELECT 1;"), ("c.sql", "SELECT 1;")];
    let (project, database) = (Project::of(&files), Database::fresh());
    project
        .on(&database, &["run"])
        .ends(2)
        .complains("migrations/1_a.sql:1:8")
        .complains("migrations/1_b.sql")
        .complains("migrations/c.sql");
    project
        .on(&database, &["run", "--folder", "nowhere"])
        .ends(2)
        .complains("there is no folder nowhere\n  next: Name it with --folder");
}

#[test]
fn a_reader_that_has_seen_enough_does_not_break_a_run() {
    let (project, database) = (Project::of(&[USERS, DROP_NAME]), Database::fresh());
    let mut run = project.command("folder", &["run"]);
    run.env("DATABASE_URL", database.url()).stdout(closed_pipe());
    Outcome::of(&mut run).ends(0);
    project.on(&database, &["check"]).ends(0);
}

/// The writing end of a pipe that nobody reads.
fn closed_pipe() -> std::process::Stdio {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    writer.into()
}
