//! Indexes and constraints that go with a column.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::{Entry, Object, Table};
use crate::statement::{AlterTable, Change};

pub(super) static RULE: Rule = Rule {
    name: "drop_column_takes_along",
    level: Level::Warn,
    finds: "a column whose index or constraint over several columns goes with it",
    why: "PostgreSQL drops them without a word, and the queries and rules that lived on the other columns are without them",
    instead: "Put what the other columns need in their place first, and drop the old ones by name.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, team bigint, nick text); CREATE INDEX users_nick ON users (team, nick);"),
        ("2_nick.contract.sql", "ALTER TABLE users DROP COLUMN nick;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, team bigint, nick text); CREATE INDEX users_nick ON users (team, nick);"),
        ("2_nick.expand.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_team ON users (team);"),
        ("2_nick.contract.sql", "ALTER TABLE users DROP COLUMN nick;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let dropped = at.changes_in_use().filter_map(|(alter, subject, change)| match change {
        Change::DropColumn { column, .. } if !at.has_new_column(subject, column) => Some((alter, subject.known()?, column)),
        _ => None,
    });
    dropped
        .filter_map(|(alter, table, column)| {
            let along = along(at, alter, table, column);
            let message = format!("with `{}` go {} of `{}`", Quoted(column), along.join(", "), alter.name);
            let instead = "Put in their place what the other columns need, in a migration before this one, and drop the old ones by name.";
            (!along.is_empty()).then(|| Hit::new(column, message, instead).at(column))
        })
        .collect()
}

/// What speaks of other columns too, and that nothing replaces.
fn along(at: &Situation<'_>, alter: &AlterTable, table: &Table, column: &str) -> Vec<String> {
    let is_gone = |name: &str| alter.changes.iter().any(|change| match change {
        Change::DropColumn { column, .. } => **column == *name,
        Change::DropConstraint { name: constraint, .. } => **constraint == *name,
        _ => false,
    });
    let stays = |columns: &[&str]| columns.iter().any(|other| *other != column && !is_gone(other));
    let indexes: Vec<&Entry> = table.indexes.iter().filter_map(|id| at.schema.entry(*id)).collect();
    let indexes_with = indexes.iter().filter(|entry| {
        let keys = keys(entry);
        keys.contains(&column) && stays(&keys) && !is_gone(&entry.key.name) && !is_replaced(&indexes, &keys, column)
    });
    let checks = table.constraints.iter().filter(|constraint| {
        let columns: Vec<&str> = constraint.kind.columns().iter().map(|name| &**name).collect();
        let has_it = columns.contains(&column);
        !constraint.kind.has_index() && has_it && stays(&columns) && !is_gone(&constraint.name)
    });
    let indexes = indexes_with.map(|entry| format!("the index `{}`", entry.key.name));
    indexes.chain(checks.map(|constraint| format!("the constraint `{}`", constraint.name))).collect()
}

fn keys(index: &Entry) -> Vec<&str> {
    match &index.object {
        Object::Index(index) => index.keys.iter().flatten().map(|key| &**key).collect(),
        _ => Vec::new(),
    }
}

/// Does another index serve the column that it begins with?
fn is_replaced(indexes: &[&Entry], gone: &[&str], column: &str) -> bool {
    let first = gone.iter().find(|key| **key != column);
    indexes.iter().any(|other| {
        let keys = keys(other);
        keys.first() == first && !keys.contains(&column)
    })
}
