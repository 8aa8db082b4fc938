//! What holds for every rule.

use migrate_core::source::{File, WayBack, read};

use super::{Example, all, find};
use crate::{Facts, Finding, Level, judge};

/// What all rules find that a project has by default, and the one in question.
fn findings(example: Example, asked: &str) -> Vec<Finding> {
    let files: Vec<File<'_>> =
        example.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let contents = read("migrations", &files, WayBack::Ignore);
    assert!(!contents.has_errors(), "{:?}", contents.problems);
    let by_default = find(asked).map_or(Level::Warn, |rule| rule.level);
    let level = by_default.max(Level::Warn);
    let facts = Facts { levels: [(asked.to_owned(), level)].into(), ..Facts::default() };
    judge(&contents.migrations, &facts).findings
}

#[test]
fn the_bad_example_of_a_rule_is_found_by_it_alone_and_the_good_one_by_none() {
    let mut wrong = Vec::new();
    for rule in all() {
        let bad: Vec<_> = findings(rule.bad, rule.name).iter().map(|found| found.rule).collect();
        if bad != [rule.name] {
            wrong.push(format!("in the bad example of {}: {bad:?}", rule.name));
        }
        let good = findings(rule.good, rule.name);
        wrong.extend(
            good.iter().map(|found| format!("in the good example of {}: {found}", rule.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique_and_words_are_fit_to_be_read() {
    let mut names: Vec<_> = all().iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().len());
    for rule in all() {
        assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", rule.name);
        assert!(rule.instead.ends_with('.'), "{}", rule.instead);
        for fragment in [rule.finds, rule.why] {
            assert!(!fragment.ends_with('.'), "{fragment}");
        }
    }
}

/// Which rules speak of a migration, where tables are in use.
fn rules_of(text: &str) -> Vec<&'static str> {
    rules_since(Facts::default().postgres, text)
}

/// The same where that is the oldest PostgreSQL.
fn rules_since(postgres: u32, text: &str) -> Vec<&'static str> {
    let tables = "CREATE TABLE a (id bigint PRIMARY KEY, n int, m int NOT NULL DEFAULT 0, UNIQUE (n, m)); CREATE TABLE b (id bigint PRIMARY KEY, a bigint);
CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE moods (mood mood); CREATE INDEX b_a ON b (a); CREATE TABLE parts (n int) PARTITION BY RANGE (n);
CREATE INDEX parts_n ON parts (n); CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE c (id bigint PRIMARY KEY REFERENCES a, n bigint GENERATED ALWAYS AS IDENTITY);
CREATE TABLE one (lock char(1) NOT NULL DEFAULT 'X' UNIQUE, n int, CHECK (lock = 'X'));";
    let files = [("1_a.sql", tables), ("2_b.sql", text)];
    let files: Vec<File<'_>> =
        files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let contents = read("migrations", &files, WayBack::Ignore);
    assert!(!contents.has_errors(), "{:?}", contents.problems);
    let facts = Facts { postgres, ..Facts::default() };
    let found = judge(&contents.migrations, &facts).findings;
    found.into_iter().map(|finding| finding.rule).collect()
}

#[test]
fn what_looks_like_a_hazard_and_is_none_is_left_alone() {
    for text in [
        "DROP INDEX parts_n;",
        "CREATE INDEX parts_m ON ONLY parts (n); DROP INDEX parts_m;",
        "DROP FUNCTION touch();",
        "ALTER TABLE b ADD CONSTRAINT b_a FOREIGN KEY (a) REFERENCES a NOT VALID; ALTER TABLE b DROP CONSTRAINT b_a;",
        "ALTER TYPE mood ADD VALUE 'sad'; INSERT INTO b SELECT 1, length('sad');",
        "-- migrate: no-transaction\nALTER TABLE a ADD COLUMN o int;\nUPDATE a SET o = 1 WHERE id < 100;",
        "ALTER TABLE a ADD COLUMN o int; INSERT INTO moods VALUES ('glad');",
        "CREATE TABLE d AS SELECT 1 AS n; UPDATE d SET n = 2; DELETE FROM d; TRUNCATE d; DROP TABLE d;",
        "ALTER TABLE a ALTER m DROP DEFAULT; ALTER TABLE a ALTER m SET DEFAULT 1;",
        "SET LOCAL lock_timeout = '2s'; RESET statement_timeout;",
        "CREATE TABLE d (a bigint REFERENCES a, b bigint REFERENCES b);",
        "CREATE DOMAIN age AS int; ALTER DOMAIN age ADD CHECK (VALUE > 0);",
        "LOCK TABLE a; ANALYZE b;",
        "ALTER TABLE a DISABLE TRIGGER USER; UPDATE a SET n = 1 WHERE id = 5; ALTER TABLE a ENABLE TRIGGER USER;",
        "CREATE TABLE d (a bigint REFERENCES a, n int CHECK (n > 0));",
        "INSERT INTO a (id, n) SELECT 1, 1;",
        "UPDATE one SET n = 1; ALTER TABLE one ALTER n SET NOT NULL;",
        "ALTER TABLE a ADD COLUMN o int; INSERT INTO one (n) SELECT max(id) FROM b;",
        "CREATE INDEX IF NOT EXISTS b_a ON b (a);",
        "ALTER TABLE a ADD o int DEFAULT 0; ALTER TABLE a ALTER o DROP DEFAULT;",
        "ALTER TABLE b ADD COLUMN o int; DROP INDEX b_a;",
        "UPDATE a SET n = 1 WHERE id = 5; DROP INDEX IF EXISTS hidden.perhaps;",
    ] {
        assert_eq!(rules_of(text), [""; 0], "{text}");
    }
}

#[test]
fn a_hazard_is_found_however_it_is_written() {
    for (text, expected) in [
        ("CLUSTER a USING a_pkey;", "vacuum_full"),
        ("REINDEX INDEX b_a;", "reindex"),
        ("TRUNCATE a CASCADE;", "truncate"),
        ("WITH gone AS (DELETE FROM a RETURNING id) SELECT count(*) FROM gone;", "bulk_write"),
        ("UPDATE a SET n = 1 WHERE id = 1; ALTER TABLE a ADD COLUMN o int;", "schema_and_data"),
        ("ALTER TABLE a ADD COLUMN o int; CREATE TABLE d AS SELECT * FROM b;", "work_under_lock"),
        ("LOCK TABLE a; CREATE MATERIALIZED VIEW d AS SELECT * FROM a;", "work_under_lock"),
        ("DROP TABLE c; CREATE TABLE c (id bigint PRIMARY KEY);", "drop_table"),
        (
            "ALTER TYPE mood ADD VALUE 'sad'; ALTER TABLE moods ALTER mood SET DEFAULT 'sad';",
            "enum_value_in_use",
        ),
        (
            "CREATE TYPE tone AS ENUM ('low'); ALTER TYPE tone ADD VALUE 'high'; CREATE TABLE d (id bigint PRIMARY KEY, tone tone DEFAULT 'high');",
            "enum_value_in_use",
        ),
        ("ALTER TYPE mood RENAME VALUE 'glad' TO 'happy';", "rename"),
        (
            "ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a NOT VALID, ADD FOREIGN KEY (id) REFERENCES c NOT VALID;",
            "several_foreign_keys",
        ),
        ("SET lock_timeout = '0s';", "unbounded_wait"),
        ("DROP TABLE schema_migrations_settled;", "runner_table"),
        (
            "ALTER TABLE a ADD CONSTRAINT p CHECK (n > 0) NOT VALID, VALIDATE CONSTRAINT p;",
            "validate_at_once",
        ),
        ("DROP TYPE mood CASCADE;", "drop_object"),
        ("ALTER TABLE c ALTER n DROP IDENTITY;", "drop_default"),
        ("ALTER TABLE b RENAME TO d; ALTER TABLE d RENAME COLUMN a TO n;", "rename"),
        ("ALTER TABLE b RENAME TO d; DROP TABLE d;", "rename"),
        (
            "ALTER TABLE a ADD o int NOT NULL DEFAULT 0; ALTER TABLE a ALTER o DROP DEFAULT;",
            "drop_default",
        ),
        ("DROP TABLE moods; UPDATE a SET n = 1 WHERE id = 5;", "drop_table"),
        ("ALTER TABLE a ADD COLUMN o int CHECK (o > 0);", "add_check"),
        ("ALTER TABLE b ADD COLUMN o bigint DEFAULT 1 REFERENCES a;", "add_foreign_key"),
        ("ALTER TABLE b ADD COLUMN o bigint REFERENCES a;", "unindexed_foreign_key"),
        ("ALTER TABLE a ADD CONSTRAINT n_given NOT NULL n;", "set_not_null"),
        ("ALTER TABLE moods ALTER mood TYPE text;", "change_type"),
        ("UPDATE a SET n = m WHERE n IS NULL;", "bulk_write"),
        ("UPDATE a SET n = 1 FROM b WHERE b.a = a.id;", "bulk_write"),
        ("ALTER TABLE a DISABLE TRIGGER USER;", "disable_trigger"),
        ("RESET ALL;", "session_reset"),
        ("DO $$ BEGIN PERFORM pg_advisory_unlock_all(); END $$;", "session_reset"),
        ("INSERT INTO a (id, id) VALUES (1, 2);", "duplicate_column"),
        ("UPDATE a SET n = 1, n = 2 WHERE id = 1;", "duplicate_column"),
        ("ALTER TABLE a DROP CONSTRAINT a_n_m_key;", "drop_constraint"),
    ] {
        let found: Vec<_> =
            rules_of(text).into_iter().filter(|rule| *rule != "missing_object").collect();
        assert_eq!(found, [expected], "{text}");
    }
}

#[test]
fn a_value_of_an_enum_that_is_new_as_well_can_be_used_since_17() {
    let text = "CREATE TYPE tone AS ENUM ('low'); ALTER TYPE tone ADD VALUE 'high'; CREATE TABLE d (id bigint PRIMARY KEY, tone tone DEFAULT 'high');";
    assert_eq!(rules_since(16, text), ["enum_value_in_use"]);
    assert_eq!(rules_since(17, text), [""; 0]);
}

#[test]
fn what_is_in_doubt_is_there_where_a_statement_takes_it_for_granted() {
    let hide = "DO $$ BEGIN EXECUTE 'select 1'; END $$;";
    for (text, expected) in [
        ("CREATE INDEX ON a (n);", vec!["create_index"]),
        ("ALTER TABLE a ADD CHECK (n > 0);", vec!["add_check"]),
        ("ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a;", vec!["add_foreign_key"]),
        ("ALTER TABLE a DROP COLUMN n;", vec!["drop_column"]),
        ("ALTER TABLE a ADD COLUMN o uuid DEFAULT gen_random_uuid();", vec!["add_column_rewrites"]),
        ("DROP TABLE a;", vec!["drop_table"]),
        ("UPDATE a SET n = 1;", vec!["bulk_write"]),
        ("CREATE INDEX ON strange.a (n);", vec!["create_index"]),
        // What these do depends on what is hidden.
        ("ALTER TABLE a ALTER n SET NOT NULL;", vec![]),
        ("ALTER TABLE a ALTER n TYPE bigint;", vec![]),
        ("ALTER TABLE a ALTER m DROP DEFAULT;", vec![]),
        ("ALTER TABLE a DROP CONSTRAINT a_n_m_key;", vec![]),
        // This may be what the statement before has made.
        ("CREATE INDEX ON new (n);", vec![]),
        ("DROP TABLE IF EXISTS perhaps; ALTER TABLE IF EXISTS perhaps DROP COLUMN n;", vec![]),
    ] {
        assert_eq!(rules_of(&format!("{hide} {text}")), expected, "{text}");
    }
}
