//! `lint` and `explain`, without a database.

use std::process::Command;

use serde_json::json;

use crate::harness::{Outcome, Project, USERS};

const INDEX: (&str, &str) = ("2_email.sql", "CREATE INDEX users_name ON users (name);\n");
const COLUMN_GONE: (&str, &str) =
    ("3_gone.sql", "-- a reason\n\n  ALTER TABLE users DROP COLUMN name;\n");
const INDEX_GONE: (&str, &str) = ("3_index_gone.sql", "DROP INDEX users_name;\n");

fn git(project: &Project, words: &[&str]) {
    let mut git = Command::new("git");
    git.args([
        "-c",
        "user.name=me",
        "-c",
        "user.email=me@example.org",
        "-c",
        "init.defaultBranch=main",
    ]);
    Outcome::of(git.args(words).current_dir(project.path())).ends(0);
}

#[test]
fn a_finding_reads_as_the_compiler_would_write_it() {
    let project = Project::of(&[USERS, INDEX, INDEX_GONE]);
    let lint = project.run(&["lint"]).ends(5);
    insta::assert_snapshot!(lint.stdout);
    assert_eq!(lint.stderr, "");
}

#[test]
fn nothing_is_found_in_a_folder_that_is_fine() {
    let lint = Project::of(&[USERS]).run(&["lint"]).ends(0);
    assert_eq!(lint.stdout, "nothing found in 1 migration\n");
}

#[test]
fn warnings_fail_only_where_they_are_denied() {
    let allowed = format!("-- migrate: allow(create_index) because it is small\n{}", INDEX.1);
    let project = Project::of(&[USERS, (INDEX.0, &allowed), INDEX_GONE]);
    project
        .run(&["lint"])
        .ends(0)
        .says("warning[drop_index]")
        .says("1 warning in 3 migrations; --fix has a safe form for 1\n");
    project.run(&["lint", "--deny", "warnings"]).ends(5);
    project.run(&["lint", "-D", "warnings"]).ends(5);
    project.run(&["lint", "-D", "notes"]).ends(2);
}

#[test]
fn the_folder_is_named_in_any_of_the_usual_ways() {
    let project = Project::of(&[USERS, INDEX]);
    project.write("other/1_a.sql", "CREATE TABLE a (n int);");
    project.run(&["lint", "other"]).ends(0).says("nothing found in 1 migration");
    project.run(&["lint", "--folder", "other"]).ends(0).says("1 migration");
    project.run(&["lint", "migrations"]).ends(5).says("--> migrations/2_email.sql:1:1");
    // A program whose migrations are part of it judges the folder that they are from.
    let mut embedded = project.command("embedded", &["lint"]);
    Outcome::of(&mut embedded).ends(5).says("--> migrations/2_email.sql:1:1");
    project.run(&["lint", "nowhere"]).ends(2).complains("there is no folder nowhere");
}

/// The folder alone: no package, no lock file, no database.
#[test]
fn a_folder_of_sqlx_is_judged_without_the_application() {
    let files = [
        ("20240101000000_a.up.sql", "CREATE TABLE a (id bigint PRIMARY KEY, n int);"),
        ("20240101000000_a.down.sql", "DROP TABLE a;"),
        ("20240102000000_b.up.sql", "-- no-transaction\nCREATE INDEX CONCURRENTLY i ON a (n);"),
        ("20240102000000_b.down.sql", "DROP INDX i;"),
    ];
    let lint = Project::of(&files).run(&["lint"]).ends(5);
    lint.says("error[syntax_error]: syntax error at `INDX`")
        .says("_b.down.sql:1:6")
        .says("1 error in 2 migrations");
}

#[test]
fn what_is_wrong_with_a_file_is_told_beside_what_is_wrong_with_the_sql_of_others() {
    let project = Project::of(&[
        USERS,
        INDEX,
        ("3_torn.sql", "CREATE TABLE torn (n int); SELECT 'x;\n"),
        ("4_uses.sql", "ALTER TABLE torn ADD COLUMN m int;"),
        ("nothing.sql", "SELECT 1;"),
        ("5_down.sql", "-- migrate: no-transactoin\nSELECT 1;"),
    ]);
    let lint = project.run(&["lint"]).ends(5);
    insta::assert_snapshot!(lint.stdout);
}

#[test]
fn what_is_released_is_counted_and_not_judged() {
    let project = Project::of(&[USERS, INDEX, COLUMN_GONE]);
    project.migration("migrate.toml", "released = 2\n[lint]\ndrop_column = \"warn\"\n");
    let lint = project.run(&["lint"]).ends(0).says("warning[drop_column]");
    assert!(
        lint.stdout.ends_with("1 warning in 3 migrations; 2 were released and not judged\n"),
        "{lint:#?}"
    );
    project.migration("migrate.toml", "[lint]\ndrop_colum = \"warn\"\n");
    project
        .run(&["lint"])
        .ends(5)
        .says("--> migrations/migrate.toml:2:1")
        .says("Did you mean `drop_column`?");
}

#[test]
fn the_history_is_known_by_the_name_that_it_has() {
    let touch = ("2_x.sql", "ALTER TABLE ops.applied ADD COLUMN n int;");
    let project = Project::of(&[USERS, touch]);
    project.run(&["lint"]).ends(0);
    project
        .run(&["lint", "--schema", "ops", "--table", "applied"])
        .ends(5)
        .says("error[runner_table]");
}

#[test]
fn programs_and_code_hosts_get_their_formats() {
    let project = Project::of(&[USERS, INDEX, ("nothing.sql", "SELECT 1;")]);
    let lint = project.run(&["lint", "--format", "json"]).ends(5);
    let told = lint.json();
    assert_eq!(lint.stdout, project.run(&["lint", "--json"]).ends(5).stdout);
    assert_eq!(
        (&told["errors"], &told["warnings"], &told["migrations"]),
        (&json!(2), &json!(0), &json!(2))
    );
    assert_eq!(
        (&told["findings"][0]["file"], &told["findings"][0]["rule"]),
        (&json!("migrations/nothing.sql"), &json!(null))
    );
    let finding = &told["findings"][1];
    assert_eq!(
        (&finding["rule"], &finding["version"], &finding["line"]),
        (&json!("create_index"), &json!(2), &json!(1))
    );
    let sarif = project.run(&["lint", "--format", "sarif"]).ends(5).json();
    assert_eq!(sarif["runs"][0]["results"][1]["ruleId"], "create_index");
    let github = project.run(&["lint", "--format", "github"]).ends(5);
    github
        .says("::error file=migrations/nothing.sql,title=folder::")
        .says("\n::error file=migrations/2_email.sql,line=1,col=");
    project
        .run(&["lint", "--json", "--format", "sarif"])
        .ends(2)
        .complains("Leave one of them out.");
    project.run(&["lint", "--format", "xml"]).ends(2);
    assert_eq!(
        project.run(&["lint", "nowhere", "--format", "json"]).ends(2).json()["error"]["exit_code"],
        2
    );
}

#[test]
fn only_what_has_changed_since_a_commit_is_told() {
    let project = Project::of(&[USERS, INDEX]);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "first"]);
    let since = ["lint", "--since", "HEAD"];
    let lint = project.run(&since).ends(0);
    assert_eq!(
        lint.stdout,
        "nothing found in 2 migrations; 2 were the same at HEAD and not judged\n"
    );
    // One that git does not know yet, one that is staged, and the text of the past once more.
    project.migration("3_é.sql", "ALTER TABLE users DROP COLUMN name;");
    let lint = project.run(&since).ends(5).says("error[drop_column]").says("3_é.sql:1:31");
    assert!(!lint.stdout.contains("create_index"), "{lint:#?}");
    git(&project, &["add", "."]);
    project.run(&since).ends(5).says("1 error in 3 migrations; 2 were the same");
    git(&project, &["commit", "--quiet", "--message", "second"]);
    project.run(&since).ends(0).says("3 were the same");
    project.run(&["lint", "--since", "HEAD~1"]).ends(5).says("error[drop_column]");
    project.migration(INDEX.0, &format!("-- edited\n{}", INDEX.1));
    project.run(&since).ends(5).says("error[create_index]");
    project.remove("3_é.sql");
    project.run(&["lint", "--since", "HEAD~1", "migrations"]).ends(5).says("error[create_index]");
}

#[test]
fn a_repository_or_a_commit_that_is_not_there_is_told_of() {
    let project = Project::of(&[USERS]);
    let mut lint = project.command("folder", &["lint", "--since", "main"]);
    // A repository around the folder of temporary files is none of the project's.
    lint.env("GIT_CEILING_DIRECTORIES", project.path().parent().unwrap());
    let outside = Outcome::of(&mut lint).ends(2);
    outside.complains("failed to ask git what has changed since main: not a git repository");
    git(&project, &["init", "--quiet"]);
    project.run(&["lint", "--since", "nowhere"]).ends(2).complains("it knows no commit `nowhere`");
    project.run(&["lint", "--since=--all"]).ends(2).complains("it knows no commit `--all`");
    let mut lint = project.command("folder", &["lint", "--since", "main"]);
    Outcome::of(lint.env("PATH", "")).ends(2).complains("failed to start git");
}

#[test]
fn a_rule_is_explained() {
    let project = Project::empty();
    insta::assert_snapshot!(project.run(&["explain", "create_index"]).ends(0).stdout);
    let reading = project.run(&["explain", "syntax_error"]).ends(0);
    assert!(!reading.stdout.contains("to allow it"), "{reading:#?}");
    let told = project.run(&["explain", "create_index", "--json"]).ends(0).json();
    assert_eq!((&told["name"], &told["level"]), (&json!("create_index"), &json!("error")));
    assert_eq!(told["bad"][0]["file"], "1_users.sql");
    project
        .run(&["explain", "create_indx"])
        .ends(2)
        .complains("next: Did you mean `create_index`?");
    project.run(&["explain", "teleport_everything"]).ends(2).complains("explain` lists all");
}

#[test]
fn every_rule_is_in_the_list_and_every_rule_can_be_explained() {
    let project = Project::empty();
    let list = project.run(&["explain"]).ends(0).stdout;
    let rules = project.run(&["explain", "--json"]).ends(0).json()["rules"].clone();
    let rules = rules.as_array().unwrap();
    assert!(rules.len() > 50, "{}", rules.len());
    assert_eq!(list.lines().count(), rules.len() + 2, "{list}");
    for rule in rules.iter().step_by(7) {
        let name = rule["name"].as_str().unwrap();
        assert!(list.contains(name) && list.contains(rule["finds"].as_str().unwrap()), "{name}");
        project.run(&["explain", name]).ends(0).says(rule["why"].as_str().unwrap());
    }
}

#[test]
fn a_fix_is_written_told_and_done_once() {
    let both = (
        "3_both.sql",
        "CREATE TABLE c (n int);\nCREATE INDEX i ON users (id);\nALTER TABLE users DROP COLUMN name;\n",
    );
    let check = (
        "4_check.sql",
        "-- migrate: no-transaction\nBEGIN;\nCREATE INDEX j ON users (id);\nCOMMIT;\n",
    );
    let tied = ("5_tied.sql", "CREATE INDEX k ON users (id);\nDROP INDEX k;\nSELECT 1;\n");
    let project = Project::of(&[USERS, INDEX, both, check, tied]);
    let json = Project::of(&[USERS, INDEX, both, check, tied]);
    let lint = project.run(&["lint", "--fix"]).ends(5);
    insta::assert_snapshot!(lint.stdout);
    assert_eq!(
        project.read("migrations/2_email.sql"),
        format!("-- migrate: no-transaction\n{}", INDEX.1.replace("INDEX", "INDEX CONCURRENTLY"))
    );
    assert_eq!(
        project.read("migrations/3_both.migrate.sql"),
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON users (id);\n"
    );
    assert!(!project.read("migrations/3_both.sql").contains("INDEX"));
    assert_eq!(project.read("migrations/5_tied.sql"), tied.1);
    let files = project.files("migrations");
    let again = project.run(&["lint", "--fix"]).ends(5);
    assert!(!again.stdout.contains("fixed  ") && !again.stdout.contains("wrote  "), "{again:#?}");
    assert_eq!(project.files("migrations"), files);
    let told = json.run(&["lint", "--fix", "--json"]).ends(5).json();
    assert_eq!(
        (&told["fixed"][0]["rule"], &told["written"][0]),
        (&json!("create_index"), &json!("migrations/3_both.migrate.sql"))
    );
    assert_eq!(
        (&told["left"][0]["rule"], &told["left"][0]["file"]),
        (&json!("create_index"), &json!("migrations/5_tied.sql"))
    );
}

#[test]
fn only_what_is_told_is_fixed() {
    let project = Project::of(&[USERS, INDEX]);
    git(&project, &["init", "--quiet"]);
    git(&project, &["add", "."]);
    git(&project, &["commit", "--quiet", "--message", "first"]);
    project.migration("3_more.sql", "CREATE INDEX more ON users (id);");
    project.run(&["lint", "--since", "HEAD", "--fix"]).ends(0).says("fixed  migrations/3_more.sql");
    assert_eq!(project.read("migrations/2_email.sql"), INDEX.1);
    project.migration("migrate.toml", "released = 2");
    project.run(&["lint", "--fix"]).ends(0);
    assert_eq!(project.read("migrations/2_email.sql"), INDEX.1);
}

#[test]
fn a_folder_with_a_past_learns_how_to_say_so() {
    let project = Project::of(&[USERS]);
    (2..9).for_each(|n| {
        project.migration(&format!("{n}_x.sql"), &format!("CREATE INDEX i{n} ON users (name);"));
    });
    let past = "warning: 7 migrations have findings, and none is called released";
    let lint = project.run(&["lint"]).ends(5).says(past);
    lint.says("--> migrations/migrate.toml\n").says("write `released = \"8\"`");
    project.migration("migrate.toml", "released = \"8\"");
    assert!(!project.run(&["lint"]).ends(0).stdout.contains(past));
}
