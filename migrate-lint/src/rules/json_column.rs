//! Columns of a type that cannot be compared.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::{Name, Quoted};
use crate::statement::{Change, Type};

pub(super) static RULE: Rule = Rule {
    name: "json_column",
    level: Level::Warn,
    finds: "a json column on a table in use",
    why: "json has no equality: queries over the table with DISTINCT, UNION or GROUP BY of all columns fail from now on",
    instead: "Use jsonb.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_data.sql", "ALTER TABLE users ADD COLUMN data json;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_data.sql", "ALTER TABLE users ADD COLUMN data jsonb;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_json = |ty: &Type| ty.name == Name::bare("json") && !ty.array;
    let added = at.changes_in_use().filter_map(|(alter, _, change)| match change {
        Change::AddColumn { column, .. } if column.ty.as_ref().is_some_and(is_json) => Some((alter, &column.name)),
        _ => None,
    });
    added
        .map(|(alter, column)| {
            let (table, name) = (&alter.name, Quoted(column));
            let message = format!("queries that compare all columns of `{table}` fail on `{name}`, which is json");
            let instead = format!("Use jsonb:\n    ALTER TABLE {table} ADD COLUMN {name} jsonb;");
            let remedy = at.retyped(column, |_| "jsonb".to_owned());
            Hit::new(column, message, instead).at(column).or(remedy)
        })
        .collect()
}
