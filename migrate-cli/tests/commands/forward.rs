//! `run`, `plan`, `status` and `check`.

use crate::harness::{
    AGE, AGE_DOWN, ALONE, DROP_NAME, Database, Project, USERS, USERS_DOWN, sleeping,
};

#[test]
fn run_says_on_stdout_what_it_did_and_then_that_there_is_nothing_to_do() {
    let (project, database) = (Project::of(&[USERS, AGE]), Database::fresh());
    let run = project.on(&database, &["run"]).ends(0);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(lines[0].starts_with("applied   1 expand users  "), "{run:#?}");
    assert!(lines[1].starts_with("applied   2 expand age  "), "{run:#?}");
    assert!(lines[2].starts_with("2 migrations applied in "), "{run:#?}");
    assert_eq!(lines.len(), 3);
    let again = project.on(&database, &["run"]).ends(0);
    assert_eq!(again.stdout, "nothing to do\n");
}

#[test]
fn the_database_is_named_before_it_is_changed() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    let run = project.on(&database, &["run"]).ends(0);
    assert!(run.stderr.starts_with(&format!("database: {} at ", database.name())), "{run:#?}");
}

#[test]
fn check_tells_by_its_exit_code_and_changes_nothing() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["check"]).ends(3).says("pending   1 expand users\n").says("1 pending");
    assert!(!database.has_table("schema_migrations"));
    project.on(&database, &["run"]).ends(0);
    project.on(&database, &["check"]).ends(0).says("is up to date");
}

#[test]
fn a_failed_migration_is_shown_with_what_was_applied_before_it() {
    let wrong = ("2_wrong.sql", "SELECT 1;\nSELECT nothing FROM users;\n");
    let (project, database) = (Project::of(&[USERS, wrong]), Database::fresh());
    database.execute("CREATE TABLE before (a int)");
    project
        .on(&database, &["run"])
        .ends(1)
        .says("applied   1 expand users")
        .complains("error: failed to apply 2 expand wrong")
        .complains("migrations/2_wrong.sql:2:8")
        .complains("SQLSTATE 42703")
        .complains("applied before it: 1 expand");
    project.on(&database, &["status"]).ends(0).says("failed").says("the next run tries it again");
}

#[test]
fn run_stops_at_the_version_that_was_asked_for() {
    let (project, database) = (Project::of(&[USERS, AGE]), Database::fresh());
    project.on(&database, &["run", "--to", "7"]).ends(2).complains("failed to find version 7");
    project.on(&database, &["plan", "--to", "1"]).ends(0).says("1 migration to apply, 1 waits");
    project
        .on(&database, &["run", "--to", "1"])
        .ends(0)
        .says("waits     2 expand age: it comes after");
    project.on(&database, &["check"]).ends(3).says("pending   2 expand age");
}

#[test]
fn a_contract_waits_until_it_is_asked_for() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    project.migration(DROP_NAME.0, DROP_NAME.1);
    let waits = "3 contract drop_name: a contract runs only when asked for (--contract)";
    project.on(&database, &["run"]).ends(0).says(waits).says("nothing to do; 1 waits");
    project.on(&database, &["check"]).ends(0).says(waits);
    let closed = "its gate is closed (`contract --explain 3` says why)";
    project.on(&database, &["check", "--contract"]).ends(0).says(closed);
    let alone = |words: &[&'static str]| [words, &ALONE].concat();
    project.on(&database, &alone(&["check", "--contract"])).ends(3);
    project
        .on(&database, &["status"])
        .ends(0)
        .says("note: 3 contract drop_name: gate closed: fleet; see folder contract --explain 3");
    project
        .on(&database, &alone(&["status"]))
        .ends(0)
        .says("note: 3 contract drop_name: gate open; run it with folder contract 3");
    project.on(&database, &["run", "--phases", "expand"]).ends(0).says("1 waits");
    project.on(&database, &["run", "--contract"]).ends(0).says(closed).says("nothing to do");
    let applied = "applied   3 contract drop_name";
    project.on(&database, &alone(&["run", "--contract"])).ends(0).says(applied);
}

#[test]
fn a_late_migration_runs_only_when_that_is_allowed() {
    let (project, database) = (Project::of(&[AGE]), Database::fresh());
    database.execute("CREATE TABLE users (id bigint)");
    project.on(&database, &["run"]).ends(0);
    project.migration("1_late.sql", "CREATE TABLE late (a int);");
    project.on(&database, &["run"]).ends(4).complains("1 expand late: is older than 2 expand");
    assert!(!database.has_table("late"));
    project.on(&database, &["run", "--allow-late"]).ends(0).says("applied   1 expand late");
}

#[test]
fn an_edited_migration_stops_everything_and_shows_what_was_edited() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    project.migration(USERS.0, "CREATE TABLE users (id int PRIMARY KEY, name text);\n");
    for command in ["run", "check", "plan"] {
        project
            .on(&database, &[command])
            .ends(4)
            .complains("1 expand users: was changed after it had been applied")
            .complains("+ CREATE TABLE users (id int PRIMARY KEY, name text);");
    }
    project
        .on(&database, &["status"])
        .ends(4)
        .says("edited")
        .says("no run is possible: the database");
}

#[test]
fn a_plan_shows_the_sql_and_the_ends_of_its_transactions() {
    let index = (
        "2_index.sql",
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY a ON users (name);\nANALYZE users",
    );
    let (project, database) = (Project::of(&[USERS, index, DROP_NAME]), Database::fresh());
    project.on(&database, &["run", "--to", "1"]).ends(0);
    project.migration("4_unended.sql", "SELECT 1;\nSELECT 2 -- the last");
    let plan = project.on(&database, &["plan"]).ends(0);
    let (head, rest) = plan.stdout.split_once('\n').unwrap();
    assert!(head.ends_with(": 2 migrations to apply, 1 waits"), "{head}");
    let expected = "\
-- each transaction also sets its timeouts and writes its row of the history

-- 2 expand index
-- from migrations/2_index.sql
-- statement 1 of 2, by itself, outside a transaction
CREATE INDEX CONCURRENTLY a ON users (name);
-- statement 2 of 2, in a transaction of its own
ANALYZE users;

-- 4 expand unended
-- from migrations/4_unended.sql
BEGIN;
SELECT 1;
SELECT 2 -- the last
;
COMMIT;

-- waits: 3 contract drop_name
--   a contract runs only when asked for (--contract)
";
    assert_eq!(rest, expected);
}

#[test]
fn a_plan_for_a_fresh_database_shows_what_shares_a_transaction() {
    let (project, database) = (Project::of(&[USERS, USERS_DOWN, AGE, AGE_DOWN]), Database::fresh());
    let plan = project.on(&database, &["plan"]).ends(0);
    let (_, rest) = plan.stdout.split_once("\n\n").unwrap();
    let expected = "\
-- grouped: 2 migrations in one transaction
BEGIN;

-- 1 expand users
CREATE TABLE users (id bigint PRIMARY KEY, name text);

-- 2 expand age
ALTER TABLE users ADD COLUMN age int;

COMMIT;
";
    assert_eq!(rest, expected);
    project.on(&database, &["plan"]).says("-- the database is fresh");
}

#[test]
fn status_fits_eighty_columns() {
    let long = ("20261121093000_a_name_of_25_characters_.expand.sql", "SELECT 1;");
    let contract = ("20261121093000_a_name_of_25_characters_.contract.sql", "SELECT 1;");
    let (project, database) = (Project::of(&[long, contract]), Database::fresh());
    database.execute("CREATE TABLE before (a int)");
    project.on(&database, &["run"]).ends(0);
    let status = project.on(&database, &["status"]).ends(0);
    let rows: Vec<_> = status.stdout.lines().filter(|line| line.starts_with("2026")).collect();
    assert_eq!(rows.len(), 2, "{status:#?}");
    assert!(rows.iter().all(|row| row.chars().count() <= 80), "{status:#?}");
    assert!(rows[0].contains("expand    applied  20"), "{status:#?}");
    assert!(rows[1].contains("contract  waits    - "), "{status:#?}");
    assert!(status.stdout.contains("\n1 applied, 1 waits\n"), "{status:#?}");
}

#[test]
fn a_run_gives_up_on_a_lock_when_it_was_told_to() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    project.migration(AGE.0, AGE.1);
    let held = database.hold("LOCK TABLE users");
    project
        .on(&database, &["run", "--lock-timeout", "10ms", "--lock-deadline", "50ms"])
        .ends(1)
        .complains("55P03");
    drop(held);
    project.on(&database, &["run"]).ends(0).says("applied   2 expand age");
}

#[test]
fn a_run_ends_a_forgotten_transaction_only_when_it_was_told_to() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    project.on(&database, &["run"]).ends(0);
    project.migration(AGE.0, AGE.1);
    let held = database.hold("LOCK TABLE users");
    let give_up = ["run", "--lock-deadline", "1500ms"];
    project
        .on(&database, &give_up)
        .ends(1)
        .complains("in the way: an idle transaction")
        .complains("SELECT pg_terminate_backend(");
    let end = ["run", "--end-idle-in-transaction", "10ms"];
    project.on(&database, &end).ends(0).complains("an idle transaction");
    drop(held);
}

#[test]
fn a_run_does_not_wait_for_another_longer_than_it_was_told_to() {
    let slow = ("2_slow.sql", "SELECT pg_sleep(600);");
    let (project, database) = (Project::of(&[USERS, slow]), Database::fresh());
    let mut first = project.start(&database, &["run"]);
    database.wait_until(&format!("EXISTS (SELECT {})", sleeping()));
    project
        .on(&database, &["run", "--wait", "10ms"])
        .ends(1)
        .complains(&format!(":{} (pid ", first.id()))
        .complains("waiting for migrate default on ")
        .complains("failed to get the lock");
    first.kill().unwrap();
    first.wait().unwrap();
    database.value(&format!("SELECT count(pg_terminate_backend(pid)) {}", sleeping()));
}

#[test]
fn the_history_stands_where_it_was_told_to() {
    let (project, database) = (Project::of(&[USERS]), Database::fresh());
    database.execute(&format!("CREATE ROLE {}_owner", database.name()));
    database.execute(&format!("GRANT ALL ON SCHEMA public TO {}_owner", database.name()));
    database.execute(&format!("GRANT CREATE ON DATABASE {0} TO {0}_owner", database.name()));
    let role = format!("{}_owner", database.name());
    let place = ["--set", "billing", "--schema", "ops", "--table", "log", "--role", &role];
    project.on(&database, &[&["run"], &place[..]].concat()).ends(0);
    assert_eq!(database.value("SELECT set_name FROM ops.log"), "billing");
    let owner = "SELECT tableowner FROM pg_tables WHERE tablename = 'users'";
    assert_eq!(database.value(owner), role);
    project.on(&database, &[&["check"], &place[..]].concat()).ends(0);
    project.on(&database, &["check"]).ends(3);
    database.execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}
