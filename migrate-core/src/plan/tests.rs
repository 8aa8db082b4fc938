//! Plans as a table: what is declared, what was applied, what comes out.

use super::*;
use crate::history::{Record, State};
use crate::testing::{id, migration, migration_after, sql};
use crate::{Checksum, Entry, Phases, Policy, SqlDown, SqlMigration, UnknownCode};

/// `2 expand`, or `2 expand!` for one that was edited since, `2 expand-` for one that was reverted.
fn history(rows: &[&str]) -> History {
    let records = rows.iter().zip(1..).flat_map(|(text, seq)| {
        let name = text.trim_end_matches(['!', '-', '^']);
        let checksum = if text.ends_with('!') { Checksum::of_sql("x") } else { sql(name).checksum };
        let done = Record {
            seq,
            id: id(name),
            name: format!("m{}", id(name).version),
            kind: if text.ends_with('^') { Kind::Code } else { Kind::Transaction },
            direction: Direction::Up,
            state: State::Done,
            unit: None,
            checksum,
            has_up: true,
            has_down: false,
            compatible: false,
            at: String::new(),
        };
        let back = Record { state: State::Reverted, direction: Direction::Down, ..done.clone() };
        [Some(done), text.ends_with('-').then_some(back)].into_iter().flatten()
    });
    History::new(records)
}

fn set(entries: &[&str]) -> Set {
    Set::new(entries.iter().map(|text| match text.split_once(" after ") {
        Some((text, after)) => migration_after(text, after),
        None => migration(text),
    }))
    .unwrap()
}

fn told(plan: Result<Plan, Divergences>) -> String {
    match plan {
        Ok(plan) => {
            let lines = plan.to_string().trim_end().replace(" (transaction)", "");
            let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
            lines.lines().map(words).collect::<Vec<_>>().join("\n")
        }
        Err(found) => found.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
    }
}

fn up(declared: &[&str], applied: &[&str], target: &Target) -> String {
    told(Plan::new(&set(declared), &history(applied), target))
}

fn start_up(declared: &[&str], applied: &[&str]) -> String {
    up(declared, applied, &Target::default())
}

#[test]
fn nothing_to_do_is_an_empty_plan() {
    assert_eq!(start_up(&["1", "2"], &["1", "2"]), "");
}

#[test]
fn pending_ones_run_in_their_order() {
    assert_eq!(start_up(&["10", "9", "1"], &["1"]), "apply 9 expand m9\napply 10 expand m10");
    assert_eq!(start_up(&["1", "2"], &["1", "2-"]), "apply 2 expand m2");
}

#[test]
fn a_contract_waits_until_it_is_asked_for() {
    let declared = ["1 expand", "1 migrate", "1 contract", "2 expand"];
    assert_eq!(
        start_up(&declared, &["1 expand"]),
        "apply 1 migrate m1\napply 2 expand m2\nwaits 1 contract m1: its phase runs only when asked for"
    );
    let all = Target { phases: Phases::ALL, ..Target::default() };
    assert_eq!(up(&declared, &["1 expand", "1 migrate", "2 expand"], &all), "apply 1 contract m1");
}

#[test]
fn a_phase_waits_for_those_before_it() {
    let contract_only = Target { phases: Phases::NONE.with(Phase::Contract), ..Target::default() };
    assert_eq!(
        up(&["1 expand", "1 migrate", "1 contract"], &["1 expand"], &contract_only),
        "waits 1 migrate m1: its phase runs only when asked for\nwaits 1 contract m1: it waits for 1 migrate"
    );
}

#[test]
fn a_fresh_database_gets_everything() {
    let fresh = History::of_fresh_database();
    let plan = Plan::new(&set(&["1", "1 contract", "2"]), &fresh, &Target::default());
    assert_eq!(told(plan), "apply 1 expand m1\napply 1 contract m1\napply 2 expand m2");
}

#[test]
fn a_fresh_database_gets_them_in_bounded_transactions() {
    let fresh = History::of_fresh_database();
    let target = Target { group: 2, ..Target::default() };
    let plan = Plan::new(&set(&["1", "2", "3"]), &fresh, &target).unwrap();
    let groups: Vec<_> = plan.actions.iter().map(|action| action.group).collect();
    assert_eq!(groups, [Some(0), Some(0), Some(1)]);
    let used = Plan::new(&set(&["1", "2", "3"]), &history(&["1"]), &target).unwrap();
    assert!(used.actions.iter().all(|action| action.group.is_none()));
}

#[test]
fn after_stops_the_plan_with_the_reason() {
    assert_eq!(
        start_up(&["1", "1 contract", "2", "3 expand after 1 contract", "4"], &["1"]),
        "apply 2 expand m2\n\
         waits 1 contract m1: its phase runs only when asked for\n\
         waits 3 expand m3: it waits for 1 contract\n\
         waits 4 expand m4: it comes after 3 expand, which waits"
    );
}

#[test]
fn a_target_version_leaves_the_rest() {
    let target = Target { up_to: Some(Version::new(1)), ..Target::default() };
    assert_eq!(
        up(&["1", "2"], &["1-"], &target),
        "apply 1 expand m1\nwaits 2 expand m2: it comes after the version asked for"
    );
}

#[test]
fn late_is_an_expand_older_than_the_newest() {
    assert_eq!(
        start_up(&["1", "2", "3"], &["1", "3"]),
        "2 expand m2: is older than 3 expand, which was applied already"
    );
    assert_eq!(start_up(&["1", "1 migrate", "3"], &["1", "3"]), "apply 1 migrate m1");
    let late = Target { late: Policy::Warn, ..Target::default() };
    assert_eq!(
        up(&["1", "2", "3"], &["1", "3"], &late),
        "apply 2 expand m2\nnote 2 expand m2: it is older than the newest applied migration, and runs all the same"
    );
}

#[test]
fn edited_and_missing_ones_are_told_together() {
    assert_eq!(
        start_up(&["1", "3"], &["1!", "2", "3"]),
        "1 expand m1: was changed after it had been applied\n2 expand m2: was applied and is not declared"
    );
    assert_eq!(start_up(&["1", "3"], &["1", "2-", "3"]), "");
}

#[test]
fn newer_ones_of_a_rolling_deploy_are_tolerated() {
    assert_eq!(
        start_up(&["1"], &["1", "2"]),
        "note 2 expand m2: it was applied by newer code than this"
    );
    assert_eq!(
        start_up(&["1"], &["1", "1 migrate"]),
        "note 1 migrate m1: it was applied by newer code than this"
    );
    assert_eq!(
        start_up(&["1"], &["1", "1 contract"]),
        "1 contract m1: was applied by newer code, and a contract removes what older code needs"
    );
    let strict = Target { unknown_newer: Policy::Error, ..Target::default() };
    assert_eq!(up(&["1"], &["1", "2"], &strict), "2 expand m2: was applied by newer code");
}

#[test]
fn a_folder_does_not_miss_the_code_of_the_application() {
    assert_eq!(
        start_up(&["1", "3"], &["1", "2^", "3"]),
        "2 expand m2: was applied and is not declared"
    );
    let folder = Target { unknown_code: UnknownCode::Elsewhere, ..Target::default() };
    assert_eq!(
        up(&["1", "3"], &["1", "2^", "3"], &folder),
        "note 2 expand m2: it is Rust code of the application and not part of this folder"
    );
}

#[test]
fn the_way_back_runs_backwards() {
    let back = |declared, applied: &[&str], to| {
        told(Plan::revert(&set(declared), &history(applied), Some(Version::new(to))))
    };
    assert_eq!(
        back(&["1", "2", "3"], &["1", "2", "3"], 1),
        "revert 3 expand m3\nrevert 2 expand m2"
    );
    assert_eq!(back(&["1", "2"], &["1", "2"], 2), "");
    assert_eq!(back(&["1", "2"], &["1", "2-"], 0), "revert 1 expand m1");
    assert_eq!(back(&["1"], &["1", "2"], 1), "2 expand m2: has no way back");
}

#[test]
fn one_way_back_undoes_expand_and_migrate() {
    let with = SqlMigration { down: SqlDown::With(Phase::Expand), ..sql("1 migrate") };
    let declared = Set::new([migration("1 expand"), with.into()]).unwrap();
    let plan = Plan::revert(&declared, &history(&["1 expand", "1 migrate"]), None).unwrap();
    assert_eq!(plan.to_string(), "revert   1 expand   m1 (transaction)\n");
    assert_eq!(plan.actions.first().unwrap().covers, [id("1 migrate"), id("1 expand")]);
}

#[test]
fn what_cannot_be_taken_back_is_told_before_anything_is() {
    let kept = |text, down| Entry::from(SqlMigration { down, ..sql(text) });
    let declared = Set::new([
        migration("1"),
        kept("2", SqlDown::Irreversible("the data is gone".into())),
        kept("2 contract", SqlDown::Missing),
        migration("3"),
    ])
    .unwrap();
    let plan = Plan::revert(&declared, &history(&["1", "2", "2 contract", "3"]), None);
    assert_eq!(
        told(plan),
        "2 contract m2: has no way back\n2 expand m2: cannot be taken back, because the data is gone"
    );
}

#[cfg(feature = "serde")]
#[test]
fn a_plan_survives_json() {
    let plan =
        Plan::new(&set(&["1", "1 contract", "2"]), &history(&["1"]), &Target::default()).unwrap();
    let text = serde_json::to_string(&plan).unwrap();
    assert_eq!(serde_json::from_str::<Plan>(&text).unwrap(), plan);
}

/// A contract of newer code stops older code, unless its text says that older code works with it.
#[test]
fn older_code_starts_after_a_contract_that_says_so() {
    let record = |compatible| Record {
        seq: 2,
        id: id("1 contract"),
        name: "m1".to_owned(),
        kind: Kind::Transaction,
        direction: Direction::Up,
        state: State::Done,
        unit: None,
        checksum: Checksum::of_sql("drop"),
        has_up: true,
        has_down: false,
        compatible,
        at: String::new(),
    };
    let start = |compatible, target: &Target| {
        let mut applied = history(&["1 expand"]);
        applied.add(record(compatible));
        told(Plan::new(&set(&["1 expand"]), &applied, target))
    };
    let usual = Target::default();
    assert!(start(false, &usual).contains("a contract removes what older code needs"));
    assert_eq!(start(true, &usual), "note 1 contract m1: it was applied by newer code than this");
    let strict = Target { unknown_newer: Policy::Error, ..Target::default() };
    assert_eq!(start(true, &strict), "1 contract m1: was applied by newer code");
}

/// The way back that two phases share was cut short: it is gone on with, once.
#[test]
fn a_shared_way_back_that_was_cut_short_runs_once() {
    let with = SqlMigration { down: SqlDown::With(Phase::Expand), ..sql("1 migrate") };
    let declared = Set::new([migration("1 expand"), with.into()]).unwrap();
    let mut applied = history(&["1 expand", "1 migrate"]);
    applied.add(Record {
        seq: 3,
        id: id("1 expand"),
        name: "m1".to_owned(),
        kind: Kind::Standalone,
        direction: Direction::Down,
        state: State::Done,
        unit: Some(1),
        checksum: Checksum::of_sql("select 'down'"),
        has_up: true,
        has_down: false,
        compatible: false,
        at: String::new(),
    });
    let plan = Plan::revert(&declared, &applied, None).unwrap();
    let [action] = plan.actions.as_slice() else { panic!("{plan}") };
    assert_eq!((action.done_units, &*action.covers), (1, &[id("1 migrate"), id("1 expand")][..]));
}
