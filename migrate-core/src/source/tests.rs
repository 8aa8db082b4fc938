//! Folders as tables: file names and texts in, migrations or complaints out.

use super::*;
use crate::Step;

fn folder(files: &[(&str, &str)], way_back: WayBack) -> Contents {
    let files: Vec<_> =
        files.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    read("m", &files, way_back)
}

fn complaints(files: &[(&str, &str)]) -> Vec<String> {
    let problems = folder(files, WayBack::Ignore).problems;
    problems.iter().map(|p| p.to_string().lines().next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_folder_of_phases() {
    let contents = folder(
        &[
            ("m/2_id.migrate.sql", "update t set x = 1;"),
            ("m/1_users.sql", "create table t();"),
            ("m/2_id.expand.sql", "alter table t add x int;"),
            ("m/2_id.contract.sql", "-- migrate: irreversible because gone\nalter table t drop y;"),
            ("m/2_id.down.sql", "alter table t drop x;"),
            ("m/README.md", "hello"),
        ],
        WayBack::Warn,
    );
    let found: Vec<_> =
        contents.migrations.iter().map(|m| format!("{} {:?}", m.id, m.down)).collect();
    assert!(found[0].starts_with("1 expand Missing"), "{found:?}");
    assert!(found[1].starts_with("2 expand Step"), "{found:?}");
    assert!(found[2].starts_with("2 migrate With(Expand)"), "{found:?}");
    assert!(found[3].starts_with("2 contract Irreversible(\"gone\")"), "{found:?}");
    let told: Vec<_> = contents.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(told, ["m/1_users.sql has no way back"]);
    assert!(!contents.has_errors());
}

#[test]
fn a_folder_of_sqlx() {
    let contents = folder(
        &[
            ("m/1_a.up.sql", "create table t();"),
            ("m/1_a.down.sql", "drop table t;"),
            ("m/2_b.sql", "-- no-transaction\ncreate index concurrently i on t (x);"),
        ],
        WayBack::Ignore,
    );
    assert_eq!(contents.problems, []);
    assert!(matches!(contents.migrations[1].up, Step::Standalone(_)));
}

#[test]
fn everything_wrong_is_told_at_once() {
    let told = complaints(&[
        ("m/1_a.sql", "select 1"),
        ("m/1_a.up.sql", "select 1"),
        ("m/2_b.down.sql", "select 1"),
        ("m/3_c.contract.down.sql", "select 1"),
        ("m/3_c.sql", "-- migrate: no-tx\nselect 'x"),
        ("m/4_d.sql", " -- nothing\n;"),
        ("m/5_e.sql", "begin;\nselect 1;\ncommit"),
        ("m/6_f.sql", "select 1;\nvacuum t;"),
        ("m/7_g.sql", "\\connect x\n"),
        ("m/8_h.sql", "-- migrate: after 9 contract\nselect 1"),
        ("m/9_i.expand.sql", "select 1"),
        ("m/9_j.migrate.sql", "select 1"),
        ("m/note.sql", "select 1"),
    ]);
    let expected = [
        "m/1_a.up.sql: two files are version 1, phase expand: the other is m/1_a.sql",
        "m/3_c.sql:1:1: unknown directive `no-tx`",
        "m/3_c.sql:2:8: unterminated string",
        "m/4_d.sql: the file holds no statement",
        "m/5_e.sql:1:1: BEGIN in a migration",
        "m/5_e.sql:3:1: COMMIT in a migration",
        "m/6_f.sql:2:1: VACUUM cannot run inside a transaction",
        "m/7_g.sql:1:1: ",
        "m/9_j.migrate.sql: one version has two names",
        "m/note.sql: the name is not that of a migration",
        "m/2_b.down.sql: a way back without the migration",
        "m/3_c.contract.down.sql: a way back without",
        "m/8_h.sql: is to run after 9 contract, which does not exist",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
}

#[test]
fn bytes_that_are_not_text_are_named_by_line() {
    let file = File { path: "m/1_a.sql", bytes: b"select 1;\nselect '\xff';" };
    let contents = read("m", &[file], WayBack::Ignore);
    assert_eq!((contents.problems.len(), contents.has_errors()), (1, true));
    assert!(contents.problems[0].to_string().starts_with("m/1_a.sql:2:9: the text is not UTF-8"));
}

#[test]
fn a_way_back_may_be_required() {
    let files =
        [("m/1_a.sql", "select 1"), ("m/2_b.sql", "-- migrate: irreversible because x\nselect 1")];
    let required = folder(&files, WayBack::Require);
    assert_eq!(required.problems.len(), 1);
    assert!(required.has_errors());
    assert_eq!(folder(&[], WayBack::Ignore).problems.len(), 1);
}

#[test]
fn a_way_back_that_sqlx_wrote_and_nobody_filled_in() {
    let files = [
        ("m/1_a.up.sql", "create table t();"),
        ("m/1_a.down.sql", "-- Add down migration script here\n"),
        ("m/2_b.up.sql", "create table u();"),
        ("m/2_b.down.sql", ""),
    ];
    let contents = folder(&files, WayBack::Warn);
    assert!(!contents.has_errors(), "{:#?}", contents.problems);
    assert!(contents.migrations.iter().all(|m| matches!(m.down, SqlDown::Steps(_))));
    let told: Vec<_> = contents.problems.iter().map(|p| p.message.as_str()).collect();
    assert_eq!(
        told,
        ["m/1_a.down.sql and 1 more hold no statement: to revert them changes nothing"]
    );
    assert_eq!(folder(&files, WayBack::Ignore).problems, []);
    let required = folder(&files, WayBack::Require);
    assert_eq!((required.problems.len(), required.has_errors()), (2, true));
}

#[test]
fn a_way_back_by_another_name_is_only_worth_a_look() {
    let contents = folder(
        &[("m/1_a.down.sql", "drop table t;"), ("m/1_b.up.sql", "create table t();")],
        WayBack::Warn,
    );
    assert!(!contents.has_errors());
    assert_eq!(contents.migrations[0].name, "b");
    assert!(matches!(contents.migrations[0].down, SqlDown::Steps(_)));
    let told: Vec<_> = contents.problems.iter().map(|p| p.to_string()).collect();
    assert_eq!(
        told,
        [
            "m/1_a.down.sql: the way back is called `a`, what it undoes `b`\nhelp: Give both files the same name."
        ]
    );
}

#[test]
fn a_file_without_a_transaction_may_open_its_own() {
    let text = "-- no-transaction\nvacuum;\nbegin;\nselect 1;\ncommit;\nvacuum;";
    let contents = folder(&[("m/1_a.sql", text)], WayBack::Ignore);
    assert_eq!(contents.problems, []);
    assert_eq!(crate::units(std::slice::from_ref(&contents.migrations[0].up)).len(), 3);
    let told = complaints(&[
        ("m/1_a.sql", "-- no-transaction\nbegin;\nvacuum;\ncommit"),
        ("m/2_b.sql", "-- no-transaction\nbegin;\nselect 1"),
        ("m/3_c.sql", "-- no-transaction\nbegin;\nselect 1;\nrollback;\ncommit"),
    ]);
    let expected = [
        "m/1_a.sql:3:1: VACUUM cannot run inside a transaction",
        "m/2_b.sql:2:1: BEGIN without its other half",
        "m/3_c.sql:2:1: BEGIN without its other half",
        "m/3_c.sql:4:1: ROLLBACK without its other half",
        "m/3_c.sql:5:1: COMMIT without its other half",
    ];
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
}

#[test]
fn data_that_nobody_takes_is_refused() {
    let told = complaints(&[
        ("m/1_a.sql", "select 1;\ncopy (select 1) to stdout;"),
        ("m/2_b.sql", "-- no-transaction\ncopy t to stdout with csv;"),
        ("m/3_c.sql", "copy t to '/tmp/t';"),
    ]);
    assert_eq!(told.len(), 2, "{told:#?}");
    assert!(told[0].starts_with("m/1_a.sql:2:1: `COPY … TO STDOUT`"), "{told:#?}");
    assert!(told[1].starts_with("m/2_b.sql:2:1: `COPY … TO STDOUT`"), "{told:#?}");
}

#[test]
fn the_past_has_no_ways_back_to_be_written() {
    let files = [
        ("m/1_a.sql", "select 1"),
        ("m/2_b.up.sql", "select 1"),
        ("m/2_b.down.sql", "-- nothing"),
        ("m/3_c.sql", "select 1"),
    ];
    let told = |settings: &str| {
        let all = [files.as_slice(), &[("m/migrate.toml", settings)]].concat();
        let contents = folder(&all, WayBack::Require);
        contents.problems.into_iter().map(|p| p.file).collect::<Vec<_>>()
    };
    assert_eq!(told(""), ["m/1_a.sql", "m/3_c.sql", "m/2_b.down.sql"]);
    assert_eq!(told("released = \"2\""), ["m/3_c.sql"]);
    let released = Some(Version::new(3));
    let all = files.map(|(path, text)| File { path, bytes: text.as_bytes() });
    let said_elsewhere = read("m", &all, Judgement { way_back: WayBack::Require, released });
    assert_eq!(said_elsewhere.problems, []);
}

#[test]
fn a_backfill_is_declared_by_its_head() {
    let text = "-- migrate: backfill users by id batch 5000\nupdate users set x = 1 where :batch";
    let contents = folder(&[("m/1_a.migrate.sql", text)], WayBack::Ignore);
    assert_eq!(contents.problems, []);
    let Step::Backfill(backfill) = &contents.migrations[0].up else { panic!("no backfill") };
    let batches = backfill.header().backfill.unwrap();
    assert_eq!(batches.to_string(), "users by id batch 5000");
}

#[test]
fn a_backfill_that_cannot_run_in_batches_is_refused() {
    let told = |head: &str, statement: &str| {
        let text = format!("{head}\n{statement}");
        let contents = folder(&[("m/1_a.migrate.sql", &text)], WayBack::Ignore);
        contents.problems.iter().map(|problem| problem.message.clone()).collect::<Vec<_>>()
    };
    let head = "-- migrate: backfill users by id";
    assert_eq!(
        told(head, "update users set x = 1"),
        ["the backfill's statement does not name its batch"]
    );
    assert_eq!(
        told(head, "update users set x = 1 where :batch; select 1"),
        ["a backfill has more than one statement"]
    );
    let both = "-- migrate: no-transaction\n-- migrate: backfill users by id";
    assert_eq!(
        told(both, "update users set x = 1 where :batch"),
        ["a backfill is told to run outside a transaction"]
    );
    let verify = "-- migrate: verify (select count(*) from users where x is null) = 0";
    for alone in [verify, "-- migrate: reindex"] {
        assert_eq!(
            told(alone, "update users set x = 1"),
            ["`verify`, `prove` or `reindex` stands in a file without `backfill`"]
        );
    }
    let open = "-- migrate: backfill users by id\n-- migrate: verify 1) = (1";
    assert_eq!(
        told(open, "update users set x = 1 where :batch"),
        ["cannot read the directive `verify 1) = (1`"]
    );
}

#[test]
fn what_opens_a_gate_is_said_by_a_contract_alone() {
    for directive in ["soak 1d", "needs email", "approval", "compatible because it is"] {
        let text = format!("-- migrate: {directive}\nselect 1;");
        let told = |name| {
            complaints(&[(name, text.as_str())]).iter().any(|said| said.contains("is no contract"))
        };
        assert!(!told("1_a.contract.sql"), "{directive}");
        assert!(["1_a.sql", "1_a.migrate.sql", "1_a.down.sql"].iter().all(|name| told(name)));
    }
}
