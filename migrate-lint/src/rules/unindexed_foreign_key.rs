//! Foreign keys without an index on their own side.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::{Object, Table};
use crate::statement::{Action, AlterTable, Change, Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "unindexed_foreign_key",
    level: Level::Warn,
    finds: "a foreign key on a table in use whose columns have no index",
    why: "from now on whoever deletes a row of the other table, or changes its key, reads all of this one, and locks it in the meantime",
    instead: "Build the index first, CONCURRENTLY, in a migration before.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint);"),
        ("2_author.sql", "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users NOT VALID;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TABLE posts (author bigint);"),
        ("2_author.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY posts_by_author ON posts (author);"),
        ("3_author.sql", "ALTER TABLE posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES users NOT VALID;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.known_changes().filter_map(|(alter, table, change)| {
        let mut constraints = match change {
            Change::AddConstraint(constraint) => std::slice::from_ref(&**constraint).iter(),
            Change::AddColumn { column, .. } if table.column(&column.name).is_none() => column.constraints.iter(),
            _ => return None,
        };
        let (columns, other) = constraints.find_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { columns, table: other, .. } => Some((columns, other)),
            _ => None,
        })?;
        let first = columns.first()?;
        (!is_indexed(at, alter, table, first)).then_some((alter, other, columns, first))
    });
    added
        .map(|(alter, other, columns, first)| {
            let table = &alter.name;
            let list: Vec<String> = columns.iter().map(|column| Quoted(column).to_string()).collect();
            let message = format!("every DELETE in `{other}` reads all of `{table}`, which has no index on `{}`", list.join(", "));
            let index = format!("{}_{}_idx", table.name, columns.join("_"));
            let instead = format!(
                "Before the foreign key, in a migration of its own (of a partitioned table, for each part):\n    \
                 -- migrate: no-transaction\n    CREATE INDEX CONCURRENTLY {} ON {table} ({});",
                Quoted(&index),
                list.join(", ")
            );
            Hit::new(first, message, instead)
        })
        .collect()
}

/// Is there an index that begins with the column, or does the file make one?
fn is_indexed(at: &Situation<'_>, alter: &AlterTable, table: &Table, column: &str) -> bool {
    let begins = |keys: &[Option<Box<str>>]| keys.first().is_some_and(|key| key.as_deref() == Some(column));
    let has = table.indexes.iter().filter_map(|id| at.schema.entry(*id)).any(|entry| match &entry.object {
        Object::Index(index) => begins(&index.keys) && !index.partial,
        _ => false,
    });
    let comes = at.later.iter().any(|later| match &later.action {
        Action::CreateIndex(index) => index.table == alter.name && begins(&index.keys),
        _ => false,
    });
    has || comes || is_key(alter, column)
}

/// Does the statement make a key that begins with the column?
fn is_key(alter: &AlterTable, column: &str) -> bool {
    let begins = |constraint: &Constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, .. } | ConstraintKind::Unique { columns, .. } => {
            columns.first().is_some_and(|first| **first == *column)
        }
        _ => false,
    };
    alter.changes.iter().any(|change| match change {
        Change::AddConstraint(constraint) => begins(constraint),
        Change::AddColumn { column, .. } => column.constraints.iter().any(begins),
        _ => false,
    })
}
