//! Columns that number rows the old way.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Type;

pub(super) static RULE: Rule = Rule {
    name: "serial_column",
    level: Level::Off,
    finds: "a serial column",
    why: "its sequence has rights and an owner of its own, and anybody may write another number",
    instead: "Use GENERATED ALWAYS AS IDENTITY.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, n bigserial);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, n bigint GENERATED ALWAYS AS IDENTITY);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_it = |ty: &Type| ty.is_serial();
    let found = at.new_columns().into_iter().filter_map(|(table, column)| Some((table, column, column.ty.as_ref().filter(|ty| is_it(ty))?)));
    found
        .map(|(table, column, ty)| {
            let message = format!("the column `{}` of `{table}` is of type {ty}", Quoted(&column.name));
            Hit::new(&column.name, message, format!("Write `{} {} GENERATED ALWAYS AS IDENTITY`.", Quoted(&column.name), ty.without_sequence())).at(&column.name)
        })
        .collect()
}
