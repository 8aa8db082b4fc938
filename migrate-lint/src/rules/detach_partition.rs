//! Parts that are taken off while everybody waits.

use super::situation::Subject;
use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Patch, Remedy, Words};
use crate::statement::{Change, Detach};

pub(super) static RULE: Rule = Rule {
    name: "detach_partition",
    level: Level::Warn,
    finds: "a part of a table in use that is detached without CONCURRENTLY",
    why: "it needs ACCESS EXCLUSIVE on the whole table: while it waits for the queries that run, all others wait behind it",
    instead: "Detach it CONCURRENTLY (since PostgreSQL 14), in a migration of its own that runs outside a transaction.",
    bad: &[
        ("1_logs.sql", "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day); CREATE TABLE logs_2024 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"),
        ("2_old.sql", "ALTER TABLE logs DETACH PARTITION logs_2024;"),
    ],
    good: &[
        ("1_logs.sql", "CREATE TABLE logs (day date, n int) PARTITION BY RANGE (day); CREATE TABLE logs_2024 PARTITION OF logs FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');"),
        ("2_old.sql", "-- migrate: no-transaction
ALTER TABLE logs DETACH PARTITION logs_2024 CONCURRENTLY;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let detached = at.changes().filter_map(|(alter, table, change)| match change {
        Change::DetachPartition { partition, how: Detach::Plain } => Some((alter, table, partition)),
        _ => None,
    });
    detached
        .map(|(alter, subject, part)| {
            let table = &alter.name;
            let message = format!("the whole of `{table}` is closed, once its queries have ended, to detach `{part}`");
            let since = if at.facts.postgres < 14 { ", where all servers are of PostgreSQL 14 or newer" } else { "" };
            let instead = format!(
                "In a migration of its own{since}:\n    -- migrate: no-transaction\n    \
                 ALTER TABLE {table} DETACH PARTITION {part} CONCURRENTLY;\n\
                 A table with a default part does not allow that."
            );
            let may = at.facts.postgres >= 14 && alter.changes.len() == 1 && has_no_default_part(subject);
            let end = Patch::insert(Words::of(at.text).last(), " CONCURRENTLY");
            let remedy = may.then(|| Remedy::Alone(vec![end.applied(at.text)]));
            Hit::new(&part.name, message, instead).at(&part.name).or(remedy)
        })
        .collect()
}

/// A table with one takes no CONCURRENTLY.
fn has_no_default_part(subject: Subject<'_>) -> bool {
    subject.known().is_some_and(|table| table.default_part.is_none())
}
