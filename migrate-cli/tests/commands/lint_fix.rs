//! `lint --fix` on real servers: what it writes runs, and leads to the same catalog as what was there.

use migrate_lint::rules;

use crate::harness::{Database, Project};

/// Everything that the fixed migrations may get wrong: columns, constraints, indexes, parts.
const CATALOG: &str = "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT format('column %s.%s %s %s %s %s', a.attrelid::regclass, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
        a.attidentity, pg_get_expr(d.adbin, d.adrelid)) AS line
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT format('constraint %s %s %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated)
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('index %s %s', pg_get_indexdef(i.indexrelid), i.indisvalid)
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relnamespace = 'public'::regnamespace
    UNION ALL
    SELECT format('part %s %s', inhparent::regclass, inhrelid::regclass) FROM pg_inherits
) AS lines";

/// Changes that are meant to lead elsewhere.
const OTHER_TYPE: [&str; 6] = [
    "json_column",
    "varchar_column",
    "char_column",
    "timestamp_column",
    "serial_column",
    "int_key",
];

/// Runs a folder to its end, and says what there is.
#[track_caller]
fn catalog(project: &Project) -> String {
    let database = Database::fresh();
    project.on(&database, &["run", "--contract"]).ends(0);
    database.value(CATALOG)
}

/// Fixes a folder whole, and holds what it makes against what it made.
#[track_caller]
fn fixed(files: &[(&str, &str)], settings: &str, rule: &str) -> Option<Project> {
    let original = Project::of(files);
    let project = Project::of(files);
    project.migration("migrate.toml", settings);
    let fixed = project.run(&["lint", "--fix", "-D", "warnings"]);
    if !fixed.stdout.contains("fixed  ") {
        return None;
    }
    fixed.ends(0).says("nothing found");
    let (before, after) = (catalog(&original), catalog(&project));
    match rule {
        rule if OTHER_TYPE.contains(&rule) => assert_ne!(before, after, "{rule}"),
        // PostgreSQL leaves what it has looked at the part by: a CHECK for as long as that is not dropped.
        "detach_partition" => {
            let left =
                |line: &&str| line.starts_with("constraint logs_2024 logs_2024_day_check CHECK");
            let rest: Vec<_> = after.lines().filter(|line| !left(line)).collect();
            assert_eq!(before.lines().collect::<Vec<_>>(), rest);
        }
        _ => assert_eq!(before, after, "{rule}"),
    }
    Some(project)
}

fn server_version() -> u32 {
    migrate_testing::Server::shared().expect("a server").version()
}

fn settings(rule: &str) -> String {
    // The rules know no newer PostgreSQL than there is.
    let major = server_version() / 10_000;
    format!("postgres = {major}\n[lint]\n{rule} = \"warn\"\n")
}

#[test]
fn the_bad_example_of_a_rule_that_can_be_fixed_runs_as_it_did() {
    let mut done = Vec::new();
    for rule in rules::all() {
        done.extend(fixed(rule.bad, &settings(rule.name), rule.name).map(|_| rule.name));
    }
    let may = |rule: &&&str| **rule != "detach_partition" || server_version() >= 140_000;
    let expected = [
        "json_column",
        "set_not_null",
        "add_foreign_key",
        "add_check",
        "add_unique",
        "create_index",
        "drop_index",
        "reindex",
        "refresh_view",
        "detach_partition",
        "int_key",
        "serial_column",
        "char_column",
        "varchar_column",
        "timestamp_column",
        "unused_allow",
    ];
    assert_eq!(done, expected.iter().filter(may).copied().collect::<Vec<_>>());
}

const TABLES: (&str, &str) = (
    "1_tables.sql",
    "CREATE TABLE a (id bigint PRIMARY KEY, n int, m int, \"Odd name\" text);
     CREATE TABLE b (id bigint PRIMARY KEY, a bigint, c bigint); CREATE INDEX ON b (a); CREATE INDEX ON b (c);
     CREATE TABLE c (id bigint PRIMARY KEY); INSERT INTO a SELECT n, n, n, n FROM generate_series(1, 100) AS n;",
);

/// Several in one file, in one statement, without names, in files that are there.
#[test]
fn what_is_fixed_in_any_surroundings_runs_as_it_did() {
    let cases: [&[(&str, &str)]; 7] = [
        &[(
            "2_b.sql",
            "CREATE TABLE d (n int);\nCREATE INDEX i ON a (n);\nCREATE UNIQUE INDEX ON a (n, m);\nDROP INDEX b_c_idx;\nINSERT INTO d VALUES (1);",
        )],
        &[(
            "2_b.sql",
            "ALTER TABLE a ADD CHECK (n > 0), ADD CHECK (n < m + 1), ADD CHECK (\"Odd name\" <> ''), ADD o int;",
        )],
        &[(
            "2_b.sql",
            "ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE DEFERRABLE;",
        )],
        &[(
            "2_b.sql",
            "ALTER TABLE a ALTER n SET NOT NULL, ALTER COLUMN \"Odd name\" SET NOT NULL;\nCOMMENT ON TABLE a IS 'x';",
        )],
        &[(
            "2_b.sql",
            "-- migrate: no-transaction\nALTER TABLE a ALTER n SET NOT NULL;\nCREATE INDEX ON a (m);\nALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c",
        )],
        &[("2_b.sql", "ALTER TABLE a ADD UNIQUE (n, \"Odd name\");\nCREATE TABLE d (n int);")],
        &[
            ("2_b.up.sql", "ALTER TABLE a ADD CONSTRAINT \"N\" CHECK (n > 0);"),
            ("2_b.migrate.sql", "UPDATE a SET m = 1 WHERE id = 1;\n"),
            ("2_b.down.sql", "ALTER TABLE a DROP CONSTRAINT IF EXISTS \"N\";"),
        ],
    ];
    for files in cases {
        let files = [&[TABLES], files].concat();
        let project =
            fixed(&files, "", "").unwrap_or_else(|| panic!("nothing is fixed: {files:?}"));
        // And back, where there is a way.
        if files.len() > 3 {
            let database = Database::fresh();
            project.on(&database, &["run", "--contract"]).ends(0);
            project.on(&database, &["revert", "--to", "1", "--yes"]).ends(0);
            assert_eq!(
                database.value("SELECT count(*) FROM pg_constraint WHERE conname = 'N'"),
                "0"
            );
        }
    }
}
