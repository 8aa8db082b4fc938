//! Times that nobody knows the zone of.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Type;

pub(super) static RULE: Rule = Rule {
    name: "timestamp_column",
    level: Level::Off,
    finds: "a timestamp column without a time zone",
    why: "what moment it means depends on the settings of whoever writes and reads it",
    instead: "Use timestamptz, which takes as much room.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, at timestamp);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, at timestamptz);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_it = |ty: &Type| ty.name.schema.is_none() && &*ty.name.name == "timestamp";
    let found = at.new_columns().into_iter().filter_map(|(table, column)| Some((table, column, column.ty.as_ref().filter(|ty| is_it(ty))?)));
    found
        .map(|(table, column, ty)| {
            let message = format!("the column `{}` of `{table}` is of type {ty}", Quoted(&column.name));
            let remedy = at.retyped(&column.name, |precision| format!("timestamptz{precision}"));
            Hit::new(&column.name, message, format!("Write `{} timestamptz`.", Quoted(&column.name))).at(&column.name).or(remedy)
        })
        .collect()
}
