//! What the linter says that a statement locks, in the schema of `setup.sql`.

use migrate_core::source::{File, WayBack, read};
use migrate_core::{SqlMigration, Version};
use migrate_lint::{Facts, judge_each};

use crate::case::Case;
use crate::lab::setup;
use crate::seen::Claims;

/// What it says of each, on the servers of one version.
pub fn claims(cases: &[Case], major: u32) -> Vec<Claims> {
    let setup = read_one("m/1_setup.sql", &setup(major));
    let heads: Vec<String> = cases.iter().map(head).collect();
    let texts = cases.iter().zip(&heads);
    let texts = texts.map(|(case, head)| format!("{head}{};", case.statement));
    let next: Vec<SqlMigration> = texts.map(|text| read_one("m/2_case.sql", &text)).collect();
    let facts = Facts { released: Some(Version::new(1)), postgres: major, ..Facts::default() };
    let judgements = judge_each(&[setup], &next, &facts);
    let each = judgements.into_iter().zip(&heads);
    each.map(|(judgement, head)| {
        let here =
            judgement.targets.into_iter().filter(|targets| targets.offset as usize == head.len());
        let locks = here.flat_map(|targets| targets.locks.into_owned());
        locks.map(|lock| (shown(&lock.relation), (lock.mode, lock.work))).collect()
    })
    .collect()
}

/// What stands before the statement in its file.
fn head(case: &Case) -> String {
    let alone = if case.behind.is_some() { "-- migrate: no-transaction\n" } else { "" };
    match case.settings {
        "" => alone.to_owned(),
        settings => format!("{alone}{settings};\n"),
    }
}

fn read_one(path: &str, text: &str) -> SqlMigration {
    let contents = read("m", &[File { path, bytes: text.as_bytes() }], WayBack::Ignore);
    assert!(!contents.has_errors(), "{text}: {:?}", contents.problems);
    contents.migrations.into_iter().next().expect("a migration")
}

/// Without the schema where it is `public`.
fn shown(relation: &str) -> String {
    relation.strip_prefix("public.").unwrap_or(relation).to_owned()
}
