//! `lint --db`: what a server adds, and that nothing is run there.

use serde_json::json;

use crate::harness::{Database, PASSWORD, Project, USERS};

const INDEX: (&str, &str) = ("2_name.sql", "CREATE INDEX users_name ON users (name);\n");

fn with_rows(rows: u32) -> Database {
    let database = Database::fresh();
    database.execute(USERS.1);
    database.execute(&format!(
        "INSERT INTO users SELECT n, 'name' FROM generate_series(1, {rows}) AS n; ANALYZE users"
    ));
    database
}

#[test]
fn a_hazard_on_a_small_table_fails_nothing() {
    let (project, database) = (Project::of(&[USERS, INDEX]), with_rows(120));
    let lint = project.on(&database, &["lint", "--db", "-D", "warnings"]).ends(0);
    let lint = lint.says("note[create_index]: writers of `users` wait while the index is built; but `users` is small: 120 rows, ");
    let version = database.value("split_part(current_setting('server_version'), ' ', 1)");
    let lint = lint
        .says("1 note in 2 migrations")
        .says(&format!("those of PostgreSQL {version}: {} at ", database.name()));
    lint.complains(&format!("database: {} at ", database.name()));
    let told = project.on(&database, &["lint", "--db", "--json"]).ends(0).json();
    assert_eq!(
        (&told["findings"][0]["level"], &told["notes"], &told["server"]),
        (&json!("note"), &json!(1), &json!(version))
    );
}

#[test]
fn a_hazard_on_a_large_one_says_how_large() {
    let (project, database) = (Project::of(&[USERS, INDEX]), with_rows(20_000));
    let lint = project.on(&database, &["lint", "--db"]).ends(5).says("error[create_index]");
    lint.says("; `users` has 20 thousand rows, 1.")
        .says("less than a second to read at 200 MB/s (assumed, not measured)");
}

#[test]
fn a_table_is_as_large_as_its_parts() {
    let logs = (
        "1_logs.sql",
        "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day); CREATE TABLE logs_1 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');",
    );
    let index = ("2_n.sql", "CREATE INDEX logs_n ON logs (n);");
    let (project, database) = (Project::of(&[logs, index]), Database::fresh());
    database.execute(logs.1);
    let lint = || project.on(&database, &["lint", "--db"]);
    lint().ends(0).says("`logs` is small: 0 rows, ");
    database.execute(
        "INSERT INTO logs SELECT '2024-05-05', n FROM generate_series(1, 20000) AS n; ANALYZE logs",
    );
    lint().ends(5).says("`logs` has 20 thousand rows, ");
}

#[test]
fn the_servers_own_grammar_is_the_one_that_counts() {
    let wrong =
        ("2_b.sql", "-- migrate: no-transaction\nBEGIN;\nSELECT 'é', 1 FORM users;\nCOMMIT;\n");
    let down = ("2_b.down.sql", "DROP INDX i;");
    let (project, database) = (Project::of(&[USERS, wrong, down]), Database::fresh());
    let lint = project.on(&database, &["lint", "--db"]).ends(5);
    let version = database.value("split_part(current_setting('server_version'), ' ', 1)");
    let lint = lint.says(&format!(
        "error[syntax_error]: syntax error at or near \"users\" on PostgreSQL {version}"
    ));
    let lint = lint
        .says("migrations/2_b.sql:3:20")
        .says("3 | SELECT 'é', 1 FORM users;\n  |                    ^");
    let lint = lint.says("migrations/2_b.down.sql:1:6").says("2 errors in 2 migrations");
    assert_eq!(lint.stdout.matches("[syntax_error]").count(), 2, "{lint:#?}");
}

/// A role without any right, and a folder that would do damage if it ran.
#[test]
fn nothing_is_run_and_nothing_needs_to_be_permitted() {
    let files = [
        (
            "1_a.sql",
            "CREATE TABLE made (n int); SELECT pg_sleep(60); DROP TABLE IF EXISTS precious;",
        ),
        (
            "2_b.sql",
            "-- migrate: no-transaction\nBEGIN; DELETE FROM precious; COMMIT; VACUUM;\nSELECT nextval('counted');",
        ),
        ("2_b.down.sql", "TRUNCATE precious;"),
    ];
    let (project, database) = (Project::of(&files), Database::fresh());
    let reader = format!("{}_reader", database.name());
    database.execute(
        "CREATE TABLE precious (n int); INSERT INTO precious VALUES (1); CREATE SEQUENCE counted",
    );
    database.execute(&format!("CREATE ROLE {reader}; REVOKE ALL ON SCHEMA public FROM PUBLIC"));
    let lint = project.on(&database, &["lint", "--db", "--role", &reader]);
    database.execute(&format!("DROP ROLE {reader}"));
    assert!(
        !lint.stdout.contains("syntax_error") && lint.stdout.contains("PostgreSQL"),
        "{lint:#?}"
    );
    assert!(database.has_table("precious") && !database.has_table("made"));
    assert_eq!(database.value("SELECT count(*) FROM precious"), "1");
    assert_eq!(database.value("SELECT is_called FROM counted"), "false");
}

#[test]
fn a_table_that_somebody_has_closed_stops_only_us() {
    let (project, database) = (Project::of(&[USERS, INDEX]), with_rows(1));
    let held = database.hold("LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    let lint = project.on(&database, &["lint", "--db"]).ends(1);
    lint.complains("failed to ask how large the tables are: canceling statement due to lock timeout (SQLSTATE 55P03)");
    let told = project.on(&database, &["lint", "--db", "--json"]).ends(1).json();
    assert_eq!(told["error"]["sqlstate"], "55P03");
    drop(held);
    project.on(&database, &["lint", "--db"]).ends(0);
}

#[test]
fn a_database_that_is_not_there_is_named_without_its_password() {
    let project = Project::of(&[USERS]);
    let url = format!("postgres://me:{PASSWORD}@127.0.0.1:1/d");
    let lint = project.run(&["lint", "--db", "--database-url", &url]).ends(1);
    lint.complains("failed to connect: ").complains("database: d at 127.0.0.1:1 as me");
    project.run(&["lint", "--db"]).ends(2).complains("failed to find the database");
    project.run(&["lint", "--db", "--fix"]).ends(2);
    let role = ["lint", "--db", "--role", "no such role"];
    project.on(&Database::fresh(), &role).ends(1).complains("failed to take the role");
}
