//! Amounts that depend on a setting.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Type;

pub(super) static RULE: Rule = Rule {
    name: "money_column",
    level: Level::Off,
    finds: "a money column",
    why: "how many decimals it has, and what it looks like, depends on lc_monetary of the server",
    instead: "Use numeric.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, price money);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, price numeric(12, 2));"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_it = |ty: &Type| ty.name.schema.is_none() && &*ty.name.name == "money";
    let found = at.new_columns().into_iter().filter_map(|(table, column)| Some((table, column, column.ty.as_ref().filter(|ty| is_it(ty))?)));
    found
        .map(|(table, column, ty)| {
            let message = format!("the column `{}` of `{table}` is of type {ty}", Quoted(&column.name));
            Hit::new(&column.name, message, format!("Write `{} numeric(…)`.", Quoted(&column.name))).at(&column.name)
        })
        .collect()
}
