//! `backfill`, and what `run`, `status` and `plan` say of one.

use std::process::{Command, Stdio};

use crate::harness::{Database, Project};

const TABLE: (&str, &str) = (
    "1_users.sql",
    "CREATE TABLE users (id bigint PRIMARY KEY, name text, slug text, n int NOT NULL DEFAULT 0);\n",
);
const FILL: &str = "-- migrate: backfill users by id batch 100
-- migrate: verify (SELECT count(*) FROM users WHERE slug IS NULL) = 0
UPDATE users SET slug = lower(name), n = n + 1 WHERE :batch AND slug IS DISTINCT FROM lower(name);
";

/// A project whose table has so many rows, and a backfill that has not begun.
fn project(rows: u32) -> (Project, Database) {
    let (project, database) = (Project::of(&[TABLE]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    database.execute(&format!(
        "INSERT INTO users SELECT g, 'Name ' || g FROM generate_series(1, {rows}) g; ANALYZE users"
    ));
    project.migration("2_slugs.migrate.sql", FILL);
    (project, database)
}

/// One that was begun and left by a run.
fn begun(rows: u32) -> (Project, Database) {
    let (project, database) = project(rows);
    project.on(&database, &["run", "--budget", "0s"]).ends(0);
    (project, database)
}

fn is_filled_once(project: &Project, database: &Database) {
    project.on(database, &["check"]).ends(0);
    assert_eq!(database.value("SELECT count(*) FROM users WHERE n <> 1"), "0");
}

#[test]
fn a_backfill_is_filled_verified_and_then_there_is_nothing_to_fill() {
    let (project, database) = project(1_000);
    let filled = project.on(&database, &["backfill"]).ends(0);
    let lines: Vec<_> = filled.stdout.lines().collect();
    assert!(lines[0].starts_with("filled    2 migrate slugs  "), "{filled:#?}");
    assert!(lines[0].ends_with(", 1,000 rows changed"), "{filled:#?}");
    assert!(lines[1].starts_with("verified  2 migrate: 1000 rows changed; pass 2"), "{filled:#?}");
    assert!(lines[1].ends_with("; 1 condition holds"), "{filled:#?}");
    assert!(lines[2].starts_with("1 backfill done in "), "{filled:#?}");
    is_filled_once(&project, &database);
    let again = project.on(&database, &["backfill"]).ends(0);
    assert_eq!(again.stdout, "nothing to fill\n");
    let json = project.on(&database, &["backfill", "--json"]).ends(0).json();
    assert_eq!((json["done"].as_array().map(Vec::len), json["left"][0].is_null()), (Some(0), true));
}

#[test]
fn several_workers_of_one_program_share_a_table_and_say_it_once() {
    let (project, database) = project(5_000);
    let filled = project.on(&database, &["backfill", "--ranges", "3"]).ends(0);
    let many = |word: &str| filled.stdout.lines().filter(|line| line.starts_with(word)).count();
    assert_eq!((many("filled "), many("verified "), many("1 backfill done")), (1, 1, 1));
    filled.says("1 condition holds");
    let ranges = "SELECT count(*) FROM schema_migrations_range WHERE batches > 0";
    assert_eq!(database.value(ranges), "3");
    is_filled_once(&project, &database);
}

#[test]
fn a_run_names_what_it_leaves_and_the_command_that_goes_on() {
    let (project, database) = project(1_000);
    let run = project.on(&database, &["run", "--budget", "0s"]).ends(0);
    run.says(
        "left      2 migrate slugs: the time that a run takes for backfills was over; go on: folder backfill\n",
    )
    .says("nothing applied; 1 waits");
    let json = project.on(&database, &["run", "--budget", "0s", "--json"]).ends(0).json();
    assert_eq!(json["left"][0]["name"], "slugs");
    project
        .on(&database, &["status"])
        .ends(0)
        .says("2  migrate  begun")
        .says("begun 2 migrate slugs\n")
        .says("  nobody works at it; it ")
        .says("  next: `folder backfill` or the next run goes on\n")
        .says("1 applied, 1 begun");
    let json = project.on(&database, &["status", "--json"]).ends(0).json();
    assert_eq!(json["backfills"][0]["expected"], 1_000);
    project.on(&database, &["run"]).ends(0).says("filled    2 migrate slugs  ");
    is_filled_once(&project, &database);
}

/// Somebody who did not write it reads why, what stays and what to type.
#[test]
fn a_paused_and_a_cancelled_backfill_explain_themselves() {
    let (project, database) = begun(1_000);
    let pause = ["backfill", "pause", "2", "--because", "the sale is on"];
    project.on(&database, &pause).ends(0).says("2 migrate slugs waits before its next batch\n");
    project
        .on(&database, &["status"])
        .ends(0)
        .says("paused 2 migrate slugs: the sale is on\n")
        .says("  next: `folder backfill resume 2` lets it go on\n");
    let left = project.on(&database, &["backfill"]).ends(1);
    left.says(
        "left      2 migrate: it is paused: the sale is on; go on: folder backfill resume 2\n",
    );
    let run = project.on(&database, &["run"]).ends(0);
    run.says("it is paused: the sale is on; go on: folder backfill resume 2\n");
    let cancel = ["backfill", "cancel", "2", "--because", "not like this"];
    project.on(&database, &cancel).ends(0).says("ends before its next batch\n");
    project
        .on(&database, &["status"])
        .ends(0)
        .says("cancelled 2 migrate slugs: not like this\n")
        .says("  what was changed stays so, the other rows are as they were; nobody goes on\n")
        .says("  next: `folder backfill resume 2`, if it is to be done after all\n");
    project.on(&database, &["backfill", "resume", "2"]).ends(0).says("2 migrate slugs may go on\n");
    project.on(&database, &["backfill"]).ends(0);
    is_filled_once(&project, &database);
    let late = project.on(&database, &pause).ends(1);
    late.complains("failed to find backfill 2 migrate: it was never begun, or it is done");
    project
        .on(&database, &["backfill", "resume", "7"])
        .ends(2)
        .complains("failed to find version 7");
}

#[test]
fn limits_are_merged_by_name_and_a_wrong_one_changes_none() {
    let (project, database) = begun(10);
    let limits = || database.value("SELECT limits FROM schema_migrations_backfill");
    let limit = |limits: &[&str]| {
        project.on(&database, &[&["backfill", "limit", "2"][..], limits].concat())
    };
    limit(&["batch_time=50ms"]).ends(0).says("keeps to batch_time=50ms from its next batch on\n");
    limit(&["batch_time=70ms", "batch_tiem=1s"]).ends(1).complains("batch_tiem");
    limit(&["batch_time=soon"]).ends(1).complains("now: nothing was changed");
    assert_eq!(limits(), "batch_time=50ms");
    project.on(&database, &["status"]).ends(0).says("  limits of its own: batch_time=50ms\n");
    limit(&["batch_time=70ms"]).ends(0);
    assert_eq!(limits(), "batch_time=70ms");
    limit(&["batch_time="]).ends(0).says("has no limits of its own any more\n");
    assert_eq!(limits(), "");
}

/// The tables of backfills are younger than the right to read the history.
#[test]
fn whoever_may_not_read_the_tables_of_backfills_gets_a_status_all_the_same() {
    let (project, database) = begun(10);
    let role = format!("reader_{}", database.name());
    database.execute(&format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT ON schema_migrations, schema_migrations_settled TO {role}"
    ));
    project
        .on(&database, &["status", "--role", &role])
        .ends(0)
        .says("2  migrate  pending")
        .says("note: how far backfills are is not known: this role may not read public.schema_migrations_backfill");
    let json = project.on(&database, &["status", "--role", &role, "--json"]).ends(0).json();
    assert!(json["backfills"].is_null());
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_backfill_waits_for_the_migrations_before_it() {
    let (project, database) = (Project::of(&[TABLE]), Database::fresh());
    database.execute("CREATE TABLE before (a int)");
    project.migration("2_slugs.migrate.sql", FILL);
    project
        .on(&database, &["backfill"])
        .ends(1)
        .says("waits     2 migrate slugs: migrations before it have not run; first: folder run\n")
        .says("\n1 backfill is not done\n");
    project.on(&database, &["run"]).ends(0);
}

#[test]
fn one_that_is_ended_from_the_keyboard_says_what_stays_and_goes_on_later() {
    let (project, database) = project(1_000);
    let slow = FILL.replace("AND slug", "AND pg_sleep(0.001) IS NOT NULL AND slug");
    project.migration("2_slugs.migrate.sql", &slow);
    let mut command = project.command("folder", &["backfill"]);
    command.env("DATABASE_URL", database.url()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let filling = command.spawn().unwrap();
    database.wait_until("SELECT count(*) > 0 FROM users WHERE n > 0");
    let interrupt = Command::new("kill").args(["-INT", &filling.id().to_string()]).status();
    assert!(interrupt.unwrap().success());
    let output = filling.wait_with_output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("failed to finish: it was interrupted"), "{told}");
    assert!(told.contains("next: `folder backfill` or the next run goes on"), "{told}");
    project.on(&database, &["backfill"]).ends(0);
    is_filled_once(&project, &database);
}

#[test]
fn a_plan_says_what_a_backfill_goes_through_and_what_must_hold() {
    let (project, database) = project(10);
    let plan = project.on(&database, &["plan"]).ends(0);
    let expected = "\
-- 2 migrate slugs
-- from migrations/2_slugs.migrate.sql
-- in batches: through users by (id), 100 rows at first, a transaction each, until a pass finds none left
-- then must hold: (SELECT count(*) FROM users WHERE slug IS NULL) = 0
-- what is not done within the budget of a run is left to `backfill`
-- migrate: backfill users by id batch 100
";
    assert!(plan.stdout.contains(expected), "{plan:#?}");
}
