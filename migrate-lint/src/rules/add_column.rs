//! New columns, for clients that count them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Change;

pub(super) static RULE: Rule = Rule {
    name: "add_column",
    level: Level::Off,
    finds: "a new column of a table in use",
    why: "a prepared `SELECT *` fails once with \"cached plan must not change result type\", and an INSERT without a list of columns may fail from now on",
    instead: "Name the columns in all queries, or use a driver that prepares again by itself.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_name.sql", "ALTER TABLE users ADD COLUMN name text;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_name.sql", "CREATE TABLE names (id bigint PRIMARY KEY, name text);"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.changes_in_use().filter_map(|(alter, subject, change)| match change {
        Change::AddColumn { column, .. } if !subject.has(&column.name) => Some((alter, &column.name)),
        _ => None,
    });
    added
        .map(|(alter, column)| {
            let message = format!("a prepared `SELECT * FROM {}` fails once `{}` is there", alter.name, Quoted(column));
            Hit::new(column, message, "Name the columns in all queries of the table.").at(column)
        })
        .collect()
}
