//! Changes of all rows at once.

use super::{Check, Hit, Rule, Situation, many};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::{ConstraintKind, Table};
use crate::statement::{Write, WriteKind};

pub(super) static RULE: Rule = Rule {
    name: "bulk_write",
    level: Level::Error,
    finds: "UPDATE or DELETE of a table in use without a condition, or with one that names no value",
    why: "every row is locked until the transaction ends, so that whoever writes one waits; each leaves a dead copy, and the room for all of them is taken at once",
    instead: "Change them in batches, each in a transaction of its own.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "UPDATE users SET email = lower(email);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.migrate.sql", "-- migrate: backfill users by id
UPDATE users SET email = lower(email) WHERE :batch AND email IS DISTINCT FROM lower(email);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.in_batches {
        return Vec::new();
    }
    let is_all = |write: &&Write| {
        matches!(write.kind, WriteKind::Update | WriteKind::Delete) && !write.by_value && !write.limited
    };
    let changed = many(at.statement).filter(is_all).filter_map(|write| Some((write, at.subject(&write.table)?)));
    changed
        .map(|(write, subject)| {
            let table = &write.table;
            let word = if write.kind == WriteKind::Update { "changed" } else { "deleted" };
            let many = if write.filtered { "any number of" } else { "all" };
            let message = format!("{many} rows of `{table}` are {word} in one transaction");
            let key = subject.known().and_then(key).unwrap_or_else(|| "id".into());
            let instead = match write.kind {
                WriteKind::Update => format!(
                    "In batches, in a migration of its own:\n    -- migrate: backfill {table} by {}\n    {}\n    {} :batch AND … IS DISTINCT FROM …;",
                    Quoted(&key),
                    at.text.replace('\n', "\n    "),
                    if write.filtered { "AND" } else { "WHERE" },
                ),
                _ => format!(
                    "In batches, in a migration of its own:\n    -- migrate: backfill {table} by {}\n    {}\n    {} :batch;",
                    Quoted(&key),
                    at.text.replace('\n', "\n    "),
                    if write.filtered { "AND" } else { "WHERE" },
                ),
            };
            Hit::new(&table.name, message, instead).at(&table.name)
        })
        .collect()
}

/// The column that rows are told apart by.
fn key(table: &Table) -> Option<Box<str>> {
    table.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns } => columns.first().cloned(),
        _ => None,
    })
}
