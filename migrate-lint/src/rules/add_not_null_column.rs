//! New columns that no row can have.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::{Change, Column};

pub(super) static RULE: Rule = Rule {
    name: "add_not_null_column",
    level: Level::Error,
    finds: "a new NOT NULL column without a default on a table in use",
    why: "it fails as soon as the table has a row, and the code that still runs inserts rows without it",
    instead: "Give it a default, or add it without NOT NULL.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_name.sql", "ALTER TABLE users ADD COLUMN name text NOT NULL;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_name.sql", "ALTER TABLE users ADD COLUMN name text NOT NULL DEFAULT '';"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.changes().filter_map(|(alter, table, change)| match change {
        Change::AddColumn { column, .. } if !table.has(&column.name) && fails(column) => {
            Some((alter, column))
        }
        _ => None,
    });
    added
        .map(|(alter, column)| {
            let (table, name) = (&alter.name, Quoted(&column.name));
            let ty = column.ty.as_ref().map(ToString::to_string).unwrap_or_default();
            let message = format!("the rows of `{table}` have no value for `{name}`");
            let instead = format!(
                "Give it a default, which costs nothing however many rows there are:\n    \
                 ALTER TABLE {table} ADD COLUMN {name} {ty} NOT NULL DEFAULT …;\nor add it without NOT NULL, fill it, and \
                 demand it later."
            );
            Hit::new(&column.name, message, instead).at(&column.name)
        })
        .collect()
}

fn fails(column: &Column) -> bool {
    let has_value = column.generated.is_some() || column.ty.as_ref().is_some_and(crate::statement::Type::is_serial);
    let is_key = column.constraints.iter().any(|c| matches!(c.kind, crate::statement::ConstraintKind::PrimaryKey { .. }));
    (column.not_null || is_key) && !has_value && column.default.as_ref().is_none_or(|default| default.is_null)
}
