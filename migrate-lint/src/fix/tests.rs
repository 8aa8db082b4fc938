//! What becomes of a folder.

use std::collections::BTreeMap;

use migrate_core::Version;
use migrate_core::source::{File, WayBack, read};

use super::{Fixed, fix};
use crate::{Facts, Level, judge, rules};

type Folder = BTreeMap<String, String>;

fn folder(files: &[(&str, &str)]) -> Folder {
    files.iter().map(|(name, text)| (format!("m/{name}"), (*text).to_owned())).collect()
}

fn files(folder: &Folder) -> Vec<File<'_>> {
    folder.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect()
}

/// Which rules find something.
fn found(folder: &Folder, facts: &Facts) -> Vec<&'static str> {
    let contents = read("m", &files(folder), WayBack::Ignore);
    assert!(!contents.has_errors(), "{:?}", contents.problems);
    judge(&contents.migrations, facts).findings.iter().map(|finding| finding.rule).collect()
}

/// Fixes it, and sees to it that nothing is left to do.
fn fixed(folder: &Folder, facts: &Facts) -> (Fixed, Folder) {
    let fixed = fix("m", &files(folder), facts, |_| true);
    let mut after = folder.clone();
    after.extend(fixed.files.clone());
    let again = fix("m", &files(&after), facts, |_| true);
    assert!(again.files.is_empty() && again.done.is_empty(), "not idempotent: {again:?}");
    (fixed, after)
}

fn asked(rule: &str) -> Facts {
    let by_default = rules::find(rule).map_or(Level::Warn, |rule| rule.level);
    let level = by_default.max(Level::Warn);
    Facts { levels: [(rule.to_owned(), level)].into(), ..Facts::default() }
}

/// Those whose bad example has a safe form that nobody has to think about.
const FIXABLE: [&str; 16] = [
    "add_check",
    "add_foreign_key",
    "add_unique",
    "char_column",
    "create_index",
    "detach_partition",
    "drop_index",
    "int_key",
    "json_column",
    "refresh_view",
    "reindex",
    "serial_column",
    "set_not_null",
    "timestamp_column",
    "unused_allow",
    "varchar_column",
];

#[test]
fn the_bad_example_of_each_rule_becomes_one_in_which_nothing_is_found_or_stays_as_it_is() {
    for rule in rules::all() {
        let facts = Facts { postgres: 14, ..asked(rule.name) };
        let before = folder(rule.bad);
        let (fixed, after) = fixed(&before, &facts);
        let done: Vec<_> = fixed.done.iter().map(|finding| finding.rule).collect();
        match FIXABLE.contains(&rule.name) {
            true => {
                assert_eq!(done, [rule.name], "{:?}", fixed.left);
                assert_eq!(found(&after, &facts), [""; 0], "{}: {after:#?}", rule.name);
            }
            false => assert_eq!((done, after), (vec![], before), "{}", rule.name),
        }
    }
}

const TABLES: (&str, &str) = (
    "1_a.sql",
    "CREATE TABLE a (id bigint PRIMARY KEY, n int, m int); CREATE TABLE b (id bigint PRIMARY KEY, a bigint); CREATE INDEX ON b (a);",
);

/// The files that change, with their texts.
fn changes(texts: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut all = vec![TABLES];
    all.extend(texts);
    let (fixed, _) = fixed(&folder(&all), &Facts::default());
    fixed.left.iter().for_each(|(finding, why)| eprintln!("left {}: {why}", finding.rule));
    fixed.files.into_iter().map(|(file, text)| (file.replace("m/", ""), text)).collect()
}

fn is(name: &str, text: &str) -> (String, String) {
    (name.to_owned(), text.to_owned())
}

#[test]
fn what_stands_alone_leaves_the_transaction_with_its_file() {
    let text =
        "\u{feff}-- two of them\r\nCREATE INDEX i ON a (n);\r\nCREATE UNIQUE INDEX ON a (m);\r\n";
    assert_eq!(
        changes(&[("2_b.sql", text)]),
        [is(
            "2_b.sql",
            "\u{feff}-- migrate: no-transaction\r\n-- two of them\r\nCREATE INDEX CONCURRENTLY i ON a (n);\r\nCREATE UNIQUE INDEX CONCURRENTLY a_m_idx ON a (m);\r\n"
        )]
    );
}

#[test]
fn what_others_stand_beside_goes_into_the_migrate_phase() {
    let text = "CREATE TABLE c (n int);\nCREATE INDEX i ON a (n);\nCREATE TABLE d (n int);\nDROP INDEX b_a_idx;\n";
    let made = is(
        "2_b.migrate.sql",
        "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (n);\nDROP INDEX CONCURRENTLY b_a_idx;\n",
    );
    let kept = is("2_b.sql", "CREATE TABLE c (n int);\nCREATE TABLE d (n int);\n");
    assert_eq!(changes(&[("2_b.sql", text)]), [made, kept]);
}

#[test]
fn a_constraint_is_validated_in_the_migrate_phase() {
    let text =
        "CREATE TABLE c (n int);\nALTER TABLE a ADD CHECK (n > 0), ADD COLUMN o int; -- why\n";
    assert_eq!(
        changes(&[
            ("2_b.up.sql", text),
            (
                "2_b.down.sql",
                "ALTER TABLE a DROP COLUMN o, DROP CONSTRAINT a_n_check; DROP TABLE c;"
            )
        ]),
        [
            is("2_b.migrate.sql", "ALTER TABLE a VALIDATE CONSTRAINT a_n_check;\n"),
            is(
                "2_b.up.sql",
                "CREATE TABLE c (n int);\nALTER TABLE a ADD CONSTRAINT a_n_check CHECK (n > 0) NOT VALID, ADD COLUMN o int; -- why\n"
            ),
        ]
    );
    let with = |text: &str| changes(&[("2_b.sql", &format!("-- migrate: no-transaction\n{text}"))]);
    let expected = "ALTER TABLE b ADD CONSTRAINT b_a_fkey FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE NOT VALID;\n\
                    ALTER TABLE b VALIDATE CONSTRAINT b_a_fkey;\nSELECT 1";
    assert_eq!(
        with("ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a ON DELETE CASCADE;\nSELECT 1"),
        [is("2_b.sql", &format!("-- migrate: no-transaction\n{expected}"))]
    );
}

#[test]
fn what_the_migrate_phase_has_already_stays_in_front() {
    let check = ("2_b.sql", "ALTER TABLE a ADD CONSTRAINT c CHECK (n > 0);");
    let migrate = ("2_b.migrate.sql", "UPDATE a SET m = 1 WHERE n = 1;\n\n");
    let both = changes(&[check, migrate]);
    assert_eq!(
        both[0],
        is(migrate.0, "UPDATE a SET m = 1 WHERE n = 1;\nALTER TABLE a VALIDATE CONSTRAINT c;\n")
    );
    // What is outside of a transaction does not fit there, and what has no end cannot be gone on with.
    let index = ("2_b.sql", "SELECT 1; CREATE INDEX i ON a (n);");
    assert_eq!(changes(&[index, migrate]), []);
    assert_eq!(changes(&[check, ("2_b.migrate.sql", "SELECT 1 -- no semicolon")]), []);
}

#[test]
fn a_column_is_proven_not_null_before_it_becomes_so() {
    let both = changes(&[(
        "2_b.sql",
        "-- migrate: irreversible because\u{20}it is better so\nALTER TABLE a ALTER n SET NOT NULL, ALTER COLUMN \"m\" SET NOT NULL;",
    )]);
    let later = "-- migrate: irreversible because it is better so\n\
        ALTER TABLE a VALIDATE CONSTRAINT a_n_proof;\nALTER TABLE a VALIDATE CONSTRAINT a_m_proof;\n\
        ALTER TABLE a ALTER COLUMN n SET NOT NULL;\nALTER TABLE a DROP CONSTRAINT a_n_proof;\n\
        ALTER TABLE a ALTER COLUMN m SET NOT NULL;\nALTER TABLE a DROP CONSTRAINT a_m_proof;\n";
    let here = "ALTER TABLE a ADD CONSTRAINT a_n_proof CHECK (n IS NOT NULL) NOT VALID, ADD CONSTRAINT a_m_proof CHECK (m IS NOT NULL) NOT VALID;";
    assert_eq!(both[0], is("2_b.migrate.sql", later));
    assert!(both[1].1.ends_with(here), "{both:#?}");
    // The same in statements of their own.
    let both = changes(&[(
        "2_b.sql",
        "ALTER TABLE a ALTER n SET NOT NULL;\nALTER TABLE a ALTER m SET NOT NULL;\n",
    )]);
    assert_eq!(both[0], is("2_b.migrate.sql", later.split_once('\n').unwrap().1));
}

#[test]
fn a_key_is_made_of_an_index_that_is_there() {
    assert_eq!(
        changes(&[("2_b.sql", "ALTER TABLE a\n  ADD UNIQUE (n, \"m\");")]),
        [is(
            "2_b.sql",
            "-- migrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY a_n_m_key ON a (n, \"m\");\n\
             ALTER TABLE a ADD CONSTRAINT a_n_m_key UNIQUE USING INDEX a_n_m_key;"
        )]
    );
}

#[test]
fn what_has_no_safe_form_there_is_left_alone_and_told() {
    for text in [
        // The second needs the first.
        "CREATE UNIQUE INDEX i ON a (n); ALTER TABLE a ADD CONSTRAINT i UNIQUE USING INDEX i;",
        "CREATE INDEX i ON a (n); DROP INDEX i; CREATE TABLE c (n int);",
    ] {
        let before = folder(&[TABLES, ("2_b.sql", text)]);
        let (fixed, after) = fixed(&before, &Facts::default());
        assert_eq!(after, before, "{text}");
        assert!(!fixed.left.is_empty(), "{text}: nothing is told");
    }
    for text in [
        "-- migrate: no-transaction\nBEGIN; CREATE INDEX i ON a (n); COMMIT;",
        "DROP INDEX b_a_idx CASCADE;",
        "ALTER TABLE a ADD UNIQUE (n) DEFERRABLE;",
        "ALTER TABLE ONLY a ADD CHECK (n > 0);",
    ] {
        assert_eq!(changes(&[("2_b.sql", text)]), [], "{text}");
    }
    assert_eq!(changes(&[("2_b.contract.sql", "ALTER TABLE a ADD CHECK (n > 0);")]), []);
}

#[test]
fn nothing_that_is_released_or_not_wanted_is_touched() {
    let before = folder(&[
        TABLES,
        ("2_b.sql", "CREATE INDEX i ON a (n);"),
        ("3_c.sql", "CREATE INDEX j ON a (n);"),
    ]);
    let released = Facts { released: Some(Version::new(2)), ..Facts::default() };
    let (done, _) = fixed(&before, &released);
    assert_eq!(done.files.keys().collect::<Vec<_>>(), ["m/3_c.sql"]);
    let wanted =
        fix("m", &files(&before), &Facts::default(), |finding| finding.file == "m/2_b.sql");
    assert_eq!(wanted.files.keys().collect::<Vec<_>>(), ["m/2_b.sql"]);
}

#[test]
fn a_permission_goes_with_its_line_and_nothing_else() {
    let text = "SELECT 1;\n  -- migrate: allow(drop_table) because it was\nSELECT /* x */ 2\n-- migrate: allow(drop_index) because it was\n;";
    assert_eq!(changes(&[("2_b.sql", text)]), [is("2_b.sql", "SELECT 1;\nSELECT /* x */ 2\n;")]);
}

#[test]
fn columns_of_several_types_change_at_once() {
    let facts = Facts {
        levels: ["varchar_column", "timestamp_column", "serial_column", "int_key"]
            .map(|rule| (rule.to_owned(), Level::Warn))
            .into(),
        ..Facts::default()
    };
    let text = "CREATE TABLE c (id serial PRIMARY KEY, a character varying(5) NOT NULL, \"B\" varchar(6), at timestamp(3) without time zone)";
    let (_, after) = fixed(&folder(&[("1_c.sql", text)]), &facts);
    assert_eq!(
        after["m/1_c.sql"],
        "CREATE TABLE c (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a text CHECK (length(a) <= 5) NOT NULL, \
         \"B\" text CHECK (length(\"B\") <= 6), at timestamptz(3))"
    );
}
