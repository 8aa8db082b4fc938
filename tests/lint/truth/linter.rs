//! What the linter says that a statement locks, in the schema of `setup.sql`.

use migrate_core::Version;
use migrate_core::source::{File, WayBack, read};
use migrate_lint::{Facts, Name, judge};

use crate::case::Case;
use crate::lab::setup;
use crate::seen::Claims;

/// What it says for the servers of one version.
pub fn claims(case: &Case, major: u32) -> Claims {
    let head = if case.behind.is_some() { "-- migrate: no-transaction\n" } else { "" };
    let settings =
        if case.settings.is_empty() { String::new() } else { format!("{};\n", case.settings) };
    let before = format!("{head}{settings}");
    let (setup, text) = (setup(major), format!("{before}{};", case.statement));
    let files = [
        File { path: "m/1_setup.sql", bytes: setup.as_bytes() },
        File { path: "m/2_case.sql", bytes: text.as_bytes() },
    ];
    let contents = read("m", &files, WayBack::Ignore);
    assert!(!contents.has_errors(), "{text}: {:?}", contents.problems);
    let facts = Facts { released: Some(Version::new(1)), postgres: major, ..Facts::default() };
    let judgement = judge(&contents.migrations, &facts);
    let here = judgement.targets.into_iter().filter(|targets| {
        targets.migration.version == Version::new(2) && targets.offset == before.len()
    });
    here.flat_map(|targets| targets.locks)
        .map(|lock| (shown(&lock.relation), (lock.mode, lock.work)))
        .collect()
}

/// Without the schema where it is `public`.
fn shown(name: &Name) -> String {
    match name.schema.as_deref() {
        Some("public") => Name::bare(&name.name).to_string(),
        _ => name.to_string(),
    }
}
