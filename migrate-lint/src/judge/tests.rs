//! What silences a rule, and what does not; ways back; targets.

use migrate_core::Version;
use migrate_core::source::{File, WayBack, read};

use super::{Judgement, judge, judge_each};
use crate::{Facts, Level};

const TABLE: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id bigint PRIMARY KEY, n text);");

fn judged(files: &[(&str, &str)], facts: &Facts) -> Judgement {
    let files: Vec<File<'_>> =
        files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let contents = read("m", &files, WayBack::Ignore);
    assert!(!contents.has_errors(), "{:?}", contents.problems);
    judge(&contents.migrations, facts)
}

fn rules_with(files: &[(&str, &str)], facts: &Facts) -> Vec<&'static str> {
    judged(files, facts).findings.iter().map(|finding| finding.rule).collect()
}

fn rules(files: &[(&str, &str)]) -> Vec<&'static str> {
    rules_with(files, &Facts::default())
}

#[test]
fn what_is_made_in_the_same_version_is_nobodys_yet() {
    assert_eq!(rules(&[("1_a.sql", "CREATE TABLE a (n text); CREATE INDEX ON a (n);")]), [""; 0]);
    assert_eq!(
        rules(&[("1_a.expand.sql", TABLE.1), ("1_a.migrate.sql", "CREATE INDEX ON a (n);")]),
        [""; 0]
    );
    assert_eq!(
        rules(&[TABLE, ("2_b.sql", "ALTER TABLE a ADD b int; ALTER TABLE a DROP b;")]),
        [""; 0]
    );
    let copy = "CREATE TABLE c AS SELECT 1 AS n; CREATE INDEX ON c (n); CREATE MATERIALIZED VIEW v AS SELECT 1 AS n; \
                CREATE INDEX ON v (n); CREATE TEMP TABLE d (n int); CREATE INDEX ON d (n);";
    assert_eq!(rules(&[TABLE, ("2_b.sql", copy)]), [""; 0]);
}

#[test]
fn what_is_released_is_not_judged_and_what_is_newer_is_nobodys_yet() {
    let files = [
        TABLE,
        ("2_b.sql", "CREATE INDEX i ON a (n); CREATE TABLE b (n text);"),
        ("3_c.sql", "CREATE INDEX j ON b (n);"),
    ];
    let released = |version| Facts { released: Some(Version::new(version)), ..Facts::default() };
    assert_eq!(rules(&files), ["create_index", "create_index"]);
    assert_eq!(rules_with(&files, &released(1)), ["create_index"]);
    assert_eq!(rules_with(&files, &released(2)), ["create_index"]);
    assert_eq!(rules_with(&files, &released(3)), [""; 0]);
    assert_eq!(rules_with(&files, &released(0)), [""; 0]);
}

#[test]
fn the_project_knows_what_is_small_or_made_elsewhere_and_how_bad_it_is() {
    let files = [TABLE, ("2_b.sql", "CREATE INDEX ON a (n);")];
    let small = Facts { small_tables: vec!["public.A".to_owned()], ..Facts::default() };
    assert_eq!(rules_with(&files, &small), [""; 0]);
    let off =
        Facts { levels: [("create_index".to_owned(), Level::Off)].into(), ..Facts::default() };
    assert_eq!(rules_with(&files, &off), [""; 0]);
    let warn =
        Facts { levels: [("create_index".to_owned(), Level::Warn)].into(), ..Facts::default() };
    assert_eq!(judged(&files, &warn).findings[0].level, Level::Warn);
    let strange = [("1_a.sql", "ALTER TABLE legacy ADD b int;")];
    assert_eq!(rules(&strange), ["missing_object"]);
    let known = Facts { existing: vec!["legacy".to_owned()], ..Facts::default() };
    assert_eq!(rules_with(&strange, &known), [""; 0]);
}

#[test]
fn what_something_else_has_made_before_is_in_use() {
    let index = ("2_b.sql", "CREATE INDEX ON legacy (n);");
    let known = Facts { existing: vec!["legacy".to_owned()], ..Facts::default() };
    assert_eq!(rules_with(&[TABLE, index], &known), ["create_index"]);
    let small = Facts { small_tables: vec!["legacy".to_owned()], ..known };
    assert_eq!(rules_with(&[TABLE, index], &small), [""; 0]);
    let hidden = ("1_a.sql", "DO $$ BEGIN EXECUTE 'create table legacy (n int)'; END $$;");
    assert_eq!(rules(&[hidden, index]), ["create_index"]);
    let in_one = format!("{} {}", hidden.1, index.1);
    assert_eq!(rules(&[("1_a.sql", &in_one)]), [""; 0]);
    let unreleased = Facts { released: Some(Version::new(0)), ..Facts::default() };
    assert_eq!(rules_with(&[hidden, index], &unreleased), [""; 0]);
}

#[test]
fn a_rule_that_is_off_keeps_no_other_silent() {
    let files =
        [TABLE, ("2_b.sql", "ALTER TABLE a ADD COLUMN o int; CREATE TABLE d AS SELECT * FROM a;")];
    let off =
        Facts { levels: [("work_under_lock".to_owned(), Level::Off)].into(), ..Facts::default() };
    assert_eq!(rules(&files), ["work_under_lock"]);
    assert_eq!(rules_with(&files, &off), [""; 0]);
    let asked =
        Facts { levels: [("contract_alone".to_owned(), Level::Warn)].into(), ..Facts::default() };
    let alone = [TABLE, ("2_b.contract.sql", "ALTER TABLE a DROP n;")];
    assert_eq!(rules(&alone), [""; 0]);
    assert_eq!(rules_with(&alone, &asked), ["contract_alone"]);
}

#[test]
fn a_transaction_of_a_file_begins_and_ends_where_it_says() {
    let with =
        |text: &str| rules(&[TABLE, ("2_b.sql", &format!("-- migrate: no-transaction\n{text}"))]);
    let (add, copy) = ("ALTER TABLE a ADD COLUMN o int;", "CREATE TABLE d AS SELECT * FROM a;");
    assert_eq!(with(&format!("{add} {copy}")), [""; 0]);
    assert_eq!(with(&format!("BEGIN; {add} {copy} COMMIT;")), ["work_under_lock"]);
    assert_eq!(with(&format!("BEGIN; {add} COMMIT; BEGIN; {copy} COMMIT;")), [""; 0]);
}

#[test]
fn a_reason_silences_a_rule_for_a_file_or_a_statement() {
    let with = |text: &str| rules(&[TABLE, ("2_b.sql", text)]);
    let index = "CREATE INDEX i ON a (n);";
    assert_eq!(
        with(&format!("-- migrate: allow(create_index) because small\n{index}{index}")),
        ["existing_object"]
    );
    let both = "SELECT 1;\n-- migrate: allow(create_index) because small\nCREATE INDEX i ON a (n);\nCREATE INDEX j ON a (n);";
    assert_eq!(with(both), ["create_index"]);
    let unused = "-- migrate: allow(drop_table) because small\nSELECT 1;";
    assert_eq!(with(unused), ["unused_allow"]);
    let without_reason = "SELECT 1;\n-- migrate: allow(create_index)\nCREATE INDEX i ON a (n);";
    assert_eq!(with(without_reason), ["create_index", "bad_allow"]);
    let last = "SELECT 1;\n-- migrate: allow(create_index) because of nothing\n";
    assert_eq!(with(last), ["unused_allow"]);
}

#[test]
fn one_hazard_is_told_once() {
    let with = |text: &str| rules(&[TABLE, ("2_b.sql", text)]);
    assert_eq!(with("ALTER TABLE a ADD t bigserial UNIQUE NOT NULL;"), ["add_column_rewrites"]);
    let twice = judged(
        &[TABLE, ("2_b.sql", "ALTER TABLE a ADD CHECK (n > 'a'), ADD CHECK (n > 'b');")],
        &Facts::default(),
    );
    let messages: Vec<_> = twice.findings.iter().map(|finding| &*finding.message).collect();
    assert_eq!(
        messages,
        ["`a` is closed while all of its rows are checked (and once more in this statement)"]
    );
}

#[test]
fn a_proof_counts_for_its_own_column_only() {
    let with = |check: &str, text: &str| {
        let check = format!("ALTER TABLE a ADD CONSTRAINT c CHECK ({check}) NOT VALID;");
        rules(&[
            TABLE,
            ("2_b.sql", &check),
            ("3_c.sql", "ALTER TABLE a VALIDATE CONSTRAINT c;"),
            ("4_d.sql", text),
        ])
    };
    let set = "ALTER TABLE a ALTER n SET NOT NULL;";
    assert_eq!(with("n IS NOT NULL", set), [""; 0]);
    assert_eq!(with("id IS NOT NULL", set), ["set_not_null"]);
    assert_eq!(with("n IS NOT NULL OR id > 0", set), ["set_not_null"]);
    assert_eq!(
        with("n IS NOT NULL", "ALTER TABLE a ALTER n SET NOT NULL, DROP CONSTRAINT c;"),
        ["set_not_null"]
    );
}

#[test]
fn a_time_zone_tells_whether_rows_are_rewritten() {
    let table = ("1_a.sql", "CREATE TABLE a (t timestamp);");
    let change = "ALTER TABLE a ALTER t TYPE timestamptz;";
    assert_eq!(rules(&[table, ("2_b.sql", change)]), ["change_type"]);
    assert_eq!(rules(&[table, ("2_b.sql", &format!("SET timezone = 'UTC'; {change}"))]), [""; 0]);
    assert_eq!(
        rules(&[table, ("2_b.sql", "SET timezone = 'UTC';"), ("3_c.sql", change)]),
        ["change_type"]
    );
}

#[test]
fn a_contract_may_take_away() {
    let drop = "ALTER TABLE a DROP n; DROP TABLE a;";
    assert_eq!(rules(&[TABLE, ("2_b.contract.sql", drop)]), [""; 0]);
    let found = judged(&[TABLE, ("2_b.up.sql", "DROP TABLE a;")], &Facts::default()).findings;
    assert!(found[0].instead.contains("`2_b.contract.sql`"), "{}", found[0].instead);
    let renewed = "DROP VIEW v; CREATE VIEW v AS SELECT 2;";
    assert_eq!(rules(&[("1_a.sql", "CREATE VIEW v AS SELECT 1;"), ("2_b.sql", renewed)]), [""; 0]);
}

fn back(up: &str, down: &str) -> Vec<String> {
    let found =
        judged(&[TABLE, ("2_b.up.sql", up), ("2_b.down.sql", down)], &Facts::default()).findings;
    found.into_iter().map(|finding| format!("{}: {}", finding.rule, finding.message)).collect()
}

#[test]
fn a_way_back_leads_back() {
    for (up, down) in [
        ("ALTER TABLE a ADD b int;", "ALTER TABLE a DROP b;"),
        ("CREATE TABLE b (id serial PRIMARY KEY);", "DROP TABLE b;"),
        (
            "ALTER TABLE a ADD CONSTRAINT c CHECK (id > 0) NOT VALID;",
            "ALTER TABLE a DROP CONSTRAINT c;",
        ),
        ("CREATE EXTENSION IF NOT EXISTS pgcrypto;", "SELECT 1;"),
        (
            "CREATE SEQUENCE s; CREATE TABLE b (n int DEFAULT nextval('s')); ALTER SEQUENCE s OWNED BY b.n;",
            "DROP TABLE b;",
        ),
        ("DO $$ BEGIN EXECUTE 'create table x ()'; END $$;", "SELECT 1;"),
        ("CREATE TYPE m AS ENUM ('x'); CREATE TABLE b (m m);", "DROP TABLE b; DROP TYPE m;"),
    ] {
        assert_eq!(back(up, down), [""; 0], "{up}");
    }
}

#[test]
fn a_way_back_that_does_not_is_told() {
    for (up, down, expected) in [
        (
            "ALTER TABLE a ADD b int, ADD c int;",
            "ALTER TABLE a DROP b;",
            "it leaves the column `c` of `a`",
        ),
        ("CREATE TABLE b ();", "SELECT 1;", "it leaves the table `b`"),
        (
            "ALTER TABLE a ADD b int;",
            "ALTER TABLE a DROP b, DROP n;",
            "it does not bring back the column `n` of `a`",
        ),
    ] {
        let expected =
            format!("down_leaves_traces: the way back does not undo the migration: {expected}");
        assert_eq!(back(up, down), [expected], "{up}");
    }
    assert_eq!(
        back("SELECT 1;", "DROP TABLE b;"),
        ["missing_object: no earlier migration creates the table `b`"]
    );
    assert_eq!(
        back("CREATE TABLE b ();", "DORP TABLE b;"),
        ["syntax_error: syntax error at `DORP`"]
    );
}

#[test]
fn a_way_back_does_not_change_what_comes_after() {
    let files = [
        TABLE,
        ("2_b.up.sql", "CREATE TABLE b (n int);"),
        ("2_b.down.sql", "DROP TABLE b;"),
        ("3_c.sql", "ALTER TABLE b ADD m int;"),
    ];
    assert_eq!(rules(&files), [""; 0]);
}

#[test]
fn phases_of_a_version_are_undone_together() {
    let files = [
        TABLE,
        ("2_b.expand.sql", "ALTER TABLE a ADD b int;"),
        ("2_b.migrate.sql", "ALTER TABLE a ADD c int;"),
        ("2_b.down.sql", "ALTER TABLE a DROP b, DROP c;"),
    ];
    assert_eq!(rules(&files), [""; 0]);
}

#[test]
fn the_runner_learns_what_a_statement_locks() {
    let files = [
        TABLE,
        (
            "2_b.sql",
            "CREATE TABLE b (a bigint REFERENCES a); ALTER TABLE b ADD c int; ALTER TABLE a ADD c int;",
        ),
    ];
    let targets = judged(&files, &Facts::default()).targets;
    let words: Vec<_> = targets
        .iter()
        .map(|t| (t.offset, t.locks[0].relation.to_string(), t.locks[0].mode))
        .collect();
    use migrate_core::LockMode::{AccessExclusive, ShareRowExclusive};
    assert_eq!(
        words,
        [
            (0, "public.a".to_owned(), ShareRowExclusive),
            (65, "public.a".to_owned(), AccessExclusive)
        ]
    );
}

#[test]
fn the_runner_learns_which_schema_is_a_guess() {
    let before = [TABLE, ("2_s.sql", "CREATE SCHEMA s; CREATE TABLE s.b ();")];
    for (text, expected) in [
        ("ALTER TABLE a ADD c int;", "public.a guess"),
        ("ALTER TABLE public.a ADD c int;", "public.a"),
        ("ALTER TABLE s.b ADD c int;", "s.b"),
        ("SET search_path = s; ALTER TABLE b ADD c int;", "s.b"),
        ("SET search_path = '$user', public; ALTER TABLE a ADD c int;", "public.a guess"),
        ("SET search_path = s; RESET search_path; ALTER TABLE a ADD c int;", "public.a guess"),
        ("SET search_path = elsewhere; ALTER TABLE d ADD c int;", "elsewhere.d"),
        ("SET search_path = elsewhere, public; ALTER TABLE d ADD c int;", "d"),
    ] {
        let [table, schema] = before;
        let targets = judged(&[table, schema, ("3_it.sql", text)], &Facts::default()).targets;
        let lock = &targets.last().unwrap().locks[0];
        let shown = format!("{}{}", lock.relation, if lock.is_guess { " guess" } else { "" });
        assert_eq!(shown, expected, "{text}");
    }
}

#[test]
fn the_runner_learns_what_nobody_can_tell() {
    let files = [
        TABLE,
        (
            "2_b.sql",
            "SELECT now(); DO $$ BEGIN EXECUTE 'LOCK TABLE a'; END $$; SELECT app.f(); CREATE TABLE c ();",
        ),
    ];
    let targets = judged(&files, &Facts::default()).targets;
    let opaque: Vec<_> = targets.iter().map(|t| (t.offset, t.opaque, t.locks.len())).collect();
    assert_eq!(opaque, [(14, true, 0), (58, true, 0)]);
}

#[test]
fn several_that_may_come_next_know_nothing_of_each_other() {
    let one = |path, text: &str| {
        let contents = read("m", &[File { path, bytes: text.as_bytes() }], WayBack::Ignore);
        contents.migrations.into_iter().next().unwrap()
    };
    let before = [one("m/1_a.sql", TABLE.1)];
    let next = [
        one(
            "m/2_b.sql",
            "CREATE TABLE b (id bigint PRIMARY KEY); DO $$ BEGIN EXECUTE 'x'; END $$;",
        ),
        one("m/2_b.sql", "CREATE TABLE b (id bigint PRIMARY KEY); ALTER TABLE a DROP COLUMN n;"),
        one("m/2_b.sql", "CREATE INDEX ON a (n);"),
        one("m/2_b.sql", "CREATE INDEX ON b (n);"),
    ];
    let each = judge_each(&before, &next, &Facts::default());
    let rules = each.iter().map(|one| one.findings.iter().map(|f| f.rule).collect::<Vec<_>>());
    let expected = [vec![], vec!["drop_column"], vec!["create_index"], vec!["missing_object"]];
    assert_eq!(rules.collect::<Vec<_>>(), expected);
}

#[test]
fn a_folder_with_a_past_is_told_how_to_say_so() {
    let texts: Vec<(String, String)> =
        (2..8).map(|n| (format!("{n}_b.sql"), format!("CREATE INDEX a_{n} ON a (n);"))).collect();
    let mut files = vec![TABLE];
    files.extend(texts.iter().map(|(path, text)| (path.as_str(), text.as_str())));
    let (none, some) =
        (Facts::default(), Facts { released: Some(Version::new(1)), ..Facts::default() });
    let advice =
        judged(&files, &none).advice(&none, "m/migrate.toml").map(|advice| advice.to_string());
    let expected = "m/migrate.toml: 6 migrations have findings, and none is called released
help: What databases in use have applied is not judged: write `released = \"7\"`, or the newest version that they have, \
into m/migrate.toml.";
    assert_eq!(advice.as_deref(), Some(expected));
    assert_eq!(judged(&files, &some).advice(&some, "m/migrate.toml"), None);
    files.pop();
    assert_eq!(judged(&files, &none).advice(&none, "m/migrate.toml"), None);
}

#[test]
fn a_table_that_goes_closes_those_that_it_refers_to() {
    let tables = "CREATE TABLE b (id bigint PRIMARY KEY); CREATE TABLE c (a bigint REFERENCES a, b bigint REFERENCES b);";
    let before = [TABLE, ("2_c.sql", tables)];
    let gone = |text| rules(&[before[0], before[1], ("3_c.contract.sql", text)]);
    assert_eq!(gone("DROP TABLE c;"), ["several_foreign_keys"]);
    assert_eq!(gone("ALTER TABLE c DROP CONSTRAINT c_a_fkey; DROP TABLE c;"), [""; 0]);
}

#[test]
fn a_way_back_fails_on_what_its_migration_leaves() {
    let up = "CREATE TABLE b (n int); CREATE VIEW v AS SELECT n FROM b;";
    assert_eq!(
        back(up, "DROP TABLE b; DROP VIEW v;"),
        ["needed_object: the table `b` is needed by view `v`"]
    );
    assert_eq!(back(up, "DROP VIEW v; DROP TABLE b;"), [""; 0]);
    assert_eq!(
        back("CREATE TABLE b (n int);", "DROP TABLE b; DROP INDEX b_n;"),
        ["missing_object: no earlier migration creates the index `b_n`"]
    );
}

#[test]
fn what_may_do_nothing_is_not_told_to_fail() {
    let text = "CREATE TABLE IF NOT EXISTS made (LIKE missing INCLUDING ALL);";
    let known = Facts { existing: vec!["made".to_owned()], ..Facts::default() };
    assert_eq!(rules_with(&[("1_a.sql", text)], &known), [""; 0]);
    assert_eq!(rules(&[("1_a.sql", text)]), ["missing_object"]);
}

#[test]
fn a_type_that_changes_in_place_costs_what_hangs_on_the_column() {
    let with = |more: &str| {
        let table = format!("CREATE TABLE t (id int, n varchar(5), m varchar(5)); {more}");
        rules(&[("1_a.sql", &table), ("2_b.sql", "ALTER TABLE t ALTER n TYPE text;")])
    };
    assert_eq!(with("CREATE INDEX ON t (n) WHERE id > 0;"), ["type_recheck"]);
    assert_eq!(with("CREATE INDEX ON t (n, lower(m));"), ["type_recheck"]);
    assert_eq!(with("ALTER TABLE t ADD CHECK (n <> m);"), ["type_recheck"]);
    assert_eq!(with("CREATE INDEX ON t (n); ALTER TABLE t ADD CHECK (m <> '');"), [""; 0]);
    assert_eq!(with("ALTER TABLE t ADD CHECK (n <> m) NOT VALID;"), [""; 0]);
}

/// The statements that the first finding advises, as the next migrations would have them.
fn advice(table: &str, text: &str) -> String {
    let found = judged(&[("1_a.sql", table), ("2_b.sql", text)], &Facts::default()).findings;
    let sql =
        found[0].instead.lines().filter(|line| line.starts_with("    ") && line.contains(';'));
    sql.map(str::trim).collect::<Vec<_>>().join("\n")
}

#[test]
fn advice_can_be_taken() {
    let plain = "CREATE TABLE t (id bigint PRIMARY KEY, n int);";
    assert_eq!(
        advice(plain, "CREATE INDEX ON t (n, lower('x'));"),
        "CREATE INDEX CONCURRENTLY t_n_lower_idx ON t (n, lower('x'));"
    );
    let parts = "CREATE TABLE t (id bigint, n int) PARTITION BY RANGE (id);";
    let unique = "ALTER TABLE t ADD CONSTRAINT k UNIQUE (id);";
    assert!(advice(plain, unique).contains("USING INDEX k"));
    let of_parts = advice(parts, unique);
    assert!(of_parts.starts_with("ALTER TABLE ONLY t ADD CONSTRAINT k UNIQUE (id);"), "{of_parts}");
    let taken = "ALTER TABLE ONLY t ADD CONSTRAINT k UNIQUE (id);";
    assert_eq!(rules(&[("1_a.sql", parts), ("2_b.sql", taken)]), [""; 0]);
    let column = judged(
        &[("1_a.sql", plain), ("2_b.sql", "ALTER TABLE t ADD m int UNIQUE;")],
        &Facts::default(),
    );
    assert!(column.findings[0].instead.starts_with("Add the column without it. Then build"));
}
