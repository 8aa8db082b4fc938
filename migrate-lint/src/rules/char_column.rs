//! Columns that are filled up with spaces.

use super::varchar_column::text_up_to;
use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Type;

pub(super) static RULE: Rule = Rule {
    name: "char_column",
    level: Level::Off,
    finds: "a char(n) column",
    why: "PostgreSQL fills short values with spaces, which comparisons ignore and other things do not",
    instead: "Use text, with a CHECK where the length matters.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, code char(2));"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, code text CHECK (length(code) = 2));"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_it = |ty: &Type| ty.name.schema.is_none() && &*ty.name.name == "bpchar";
    let found = at.new_columns().into_iter().filter_map(|(table, column)| Some((table, column, column.ty.as_ref().filter(|ty| is_it(ty))?)));
    found
        .map(|(table, column, ty)| {
            let message = format!("the column `{}` of `{table}` is of type {ty}", Quoted(&column.name));
            let remedy = at.retyped_in_new_table(&column.name, |length| match length {
                "" => text_up_to(&column.name, "1"),
                length => text_up_to(&column.name, length),
            });
            Hit::new(&column.name, message, "Use text, with a CHECK where the length matters.").at(&column.name).or(remedy)
        })
        .collect()
}
