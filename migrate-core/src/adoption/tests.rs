//! Rows of sqlx, a folder and a history in; what becomes of each out.

use sha2::{Digest, Sha384};

use super::*;
use crate::testing::{id, migration};
use crate::{Direction, Record, State};

fn row(version: i64) -> SqlxRow {
    SqlxRow {
        version: Version::new(version),
        description: format!("m{version}"),
        at: "2026-11-21T08:30:00.5Z".to_owned(),
        success: true,
        checksum: Sha384::digest(format!("select '{version}'")).to_vec(),
    }
}

fn table(rows: Vec<SqlxRow>) -> SqlxTable {
    SqlxTable { rows, ..SqlxTable::default() }
}

fn set(ids: &[&str]) -> Set {
    Set::new(ids.iter().map(|id| migration(id))).unwrap()
}

fn record(text: &str, kind: Kind, state: State) -> Record {
    Record {
        seq: 1,
        id: id(text),
        name: "m".into(),
        kind,
        direction: Direction::Up,
        state,
        unit: (state == State::Started).then_some(1),
        checksum: migration(text).checksum(),
        has_up: kind != Kind::Code,
        has_down: false,
        compatible: false,
        at: "2026-11-21T09:00:00Z".to_owned(),
    }
}

/// What is adopted, else what stands in the way.
fn told(declared: &Set, history: &History, table: &SqlxTable, accepted: Accepted) -> Vec<String> {
    match Adoption::new(declared, history, table, accepted) {
        Ok(adoption) => {
            adoption.adopted.iter().map(|a| format!("{} {:?}", a.id, a.proof)).collect()
        }
        Err(found) => found.iter().map(|o| format!("{}: {:?}", o.version, o.kind)).collect(),
    }
}

fn changed(version: i64) -> SqlxRow {
    SqlxRow { checksum: vec![0; 48], ..row(version) }
}

#[test]
fn everything_that_stands_in_the_way_is_told_at_once() {
    let failed = SqlxRow { success: false, ..row(3) };
    let table = table(vec![changed(1), row(2), failed, row(4)]);
    let found = told(&set(&["1", "2", "3"]), &History::default(), &table, Accepted::default());
    assert_eq!(found, ["1: Changed", "4: Missing", "3: Failed"]);
    let all = Accepted { changed: true, missing: true, reverted: true };
    let found = told(&set(&["1", "2", "3"]), &History::default(), &table, all);
    assert_eq!(found, ["3: Failed"], "nothing makes a failed one a good one");
}

#[test]
fn each_thing_is_accepted_by_its_own_word() {
    let (declared, table) = (set(&["1", "2"]), table(vec![changed(1), row(2), row(3)]));
    let of = |accepted| told(&declared, &History::default(), &table, accepted);
    assert_eq!(of(Accepted { changed: true, ..Accepted::default() }), ["3: Missing"]);
    assert_eq!(of(Accepted { missing: true, ..Accepted::default() }), ["1: Changed"]);
    let both = Accepted { changed: true, missing: true, reverted: false };
    assert_eq!(of(both), ["1 expand Changed", "2 expand Verified"]);
    let adoption = Adoption::new(&declared, &History::default(), &table, both).unwrap();
    assert_eq!(adoption.left_out, [(Version::new(3), "m3".to_owned())]);
    assert_eq!(adoption.verified(), 1);
}

#[test]
fn a_second_time_there_is_only_what_is_new() {
    let history = History::new([
        record("1", Kind::Adopted, State::Done),
        record("2", Kind::Transaction, State::Done),
        record("3", Kind::Transaction, State::Failed),
    ]);
    let table = table(vec![changed(1), row(2), row(3)]);
    let declared = set(&["1", "2", "3", "4"]);
    let adoption = Adoption::new(&declared, &history, &table, Accepted::default()).unwrap();
    assert_eq!(adoption.known, 2, "an accepted change is not asked about again");
    assert_eq!(adoption.adopted.len(), 1, "what failed here left nothing");
    assert_eq!(adoption.pending.len(), 1);
    assert_eq!(adoption.released, Some(Version::new(3)));
}

#[test]
fn where_the_histories_disagree_nobody_guesses() {
    let of = |records: Vec<Record>, table: &SqlxTable, accepted| {
        told(&set(&["1", "2"]), &History::new(records), table, accepted)
    };
    let one = || table(vec![row(1)]);
    let reverted = || vec![record("1", Kind::Transaction, State::Reverted)];
    let here = of(reverted(), &one(), Accepted::default());
    assert_eq!(here, [r#"1: RevertedHere { at: "2026-11-21T09:00:00Z" }"#]);
    let again = table(vec![SqlxRow { at: "2026-11-21T09:00:01.5Z".into(), ..row(1) }]);
    assert_eq!(of(reverted(), &again, Accepted::default()), ["1 expand Verified"]);
    let mirrored = SqlxTable { mirrored: true, ..one() };
    assert_eq!(of(reverted(), &mirrored, Accepted::default()), ["1 expand Verified"]);
    let started = vec![record("1", Kind::Standalone, State::Started)];
    assert_eq!(of(started, &one(), Accepted::default()), ["1: CutShort"]);
}

#[test]
fn a_row_that_sqlx_lost_is_not_called_applied_without_a_word() {
    let (declared, accept) = (set(&["1", "2"]), Accepted { reverted: true, ..Accepted::default() });
    let history = |kind| History::new([record("2", kind, State::Done)]);
    let of = |kind, mirrored, accepted| {
        let table = SqlxTable { mirrored, ..table(vec![row(1)]) };
        Adoption::new(&declared, &history(kind), &table, accepted)
    };
    let ours = of(Kind::Transaction, false, Accepted::default()).unwrap();
    assert_eq!(ours.only_ours, [id("2")], "it was never written there");
    for (kind, mirrored) in [(Kind::Adopted, false), (Kind::Transaction, true)] {
        let found = of(kind, mirrored, Accepted::default()).unwrap_err();
        assert_eq!(found.iter().next().unwrap().kind, ObjectionKind::RevertedThere);
        let adoption = of(kind, mirrored, accept).unwrap();
        assert_eq!(adoption.reverted, [(id("2"), "m".to_owned())]);
        assert_eq!(adoption.pending[0].id, id("2"));
        assert_eq!(adoption.released, Some(Version::new(1)));
    }
    assert!(of(Kind::Code, true, Accepted::default()).unwrap().only_ours.is_empty());
}

#[test]
fn a_phase_is_told_by_its_text() {
    let migrate = SqlxRow { checksum: Sha384::digest("select '1 migrate'").to_vec(), ..row(1) };
    let declared = set(&["1 expand", "1 migrate", "1 contract"]);
    let found = told(&declared, &History::default(), &table(vec![migrate]), Accepted::default());
    assert_eq!(found, ["1 migrate Verified"]);
}

#[test]
fn what_sqlx_would_run_out_of_order_is_called_late() {
    let table = table(vec![row(1), row(3)]);
    let declared = set(&["1", "2", "3", "4"]);
    let adoption =
        Adoption::new(&declared, &History::default(), &table, Accepted::default()).unwrap();
    let late: Vec<_> = adoption.pending.iter().map(|p| (p.id.version.get(), p.late)).collect();
    assert_eq!(late, [(2, true), (4, false)]);
}

#[test]
fn a_table_of_another_application_is_told_by_names_and_texts() {
    let strange = SqlxRow { description: "theirs".into(), ..changed(1) };
    let (same_name, same_text) = (changed(1), SqlxRow { description: "theirs".into(), ..row(1) });
    let one = migration("1");
    let of = |row: SqlxRow| applied_by_sqlx([&one], &History::default(), &[row]).len();
    assert_eq!((of(strange), of(same_name), of(same_text)), (0, 1, 1));
    assert_eq!(of(row(2)), 0);
    let contract = migration("1 contract");
    let expanded = History::new([record("1", Kind::Transaction, State::Done)]);
    assert_eq!(applied_by_sqlx([&contract], &expanded, &[row(1)]), [], "a mirror of its expand");
}
