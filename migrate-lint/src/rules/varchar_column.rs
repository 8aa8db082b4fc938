//! Columns whose length is part of their type.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Type;

pub(super) static RULE: Rule = Rule {
    name: "varchar_column",
    level: Level::Off,
    finds: "a varchar(n) column",
    why: "to allow less, the whole table is written anew; a CHECK is as fast, and can be added and dropped while everybody works",
    instead: "Use text with a CHECK.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name varchar(50));"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text CHECK (length(name) <= 50));"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_it = |ty: &Type| ty.name.schema.is_none() && &*ty.name.name == "varchar" && !ty.modifiers.is_empty();
    let found = at.new_columns().into_iter().filter_map(|(table, column)| Some((table, column, column.ty.as_ref().filter(|ty| is_it(ty))?)));
    found
        .map(|(table, column, ty)| {
            let message = format!("the column `{}` of `{table}` is of type {ty}", Quoted(&column.name));
            let remedy = at.retyped_in_new_table(&column.name, |length| text_up_to(&column.name, length));
            Hit::new(&column.name, message, "Use text with a CHECK on its length.").at(&column.name).or(remedy)
        })
        .collect()
}

/// `text` that is no longer than `(50)`.
pub(super) fn text_up_to(column: &str, length: &str) -> String {
    let most = length.trim_matches(['(', ')']).trim();
    format!("text CHECK (length({}) <= {most})", Quoted(column))
}
