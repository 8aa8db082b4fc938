//! Types whose values can only become more.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Action, TypeKind};

pub(super) static RULE: Rule = Rule {
    name: "enum_type",
    level: Level::Off,
    finds: "CREATE TYPE … AS ENUM",
    why: "a value can be added and renamed, but never removed or moved without writing every table that has one anew",
    instead: "Use text with a CHECK, or a table of the values.",
    bad: &[
        ("1_users.sql", "CREATE TYPE mood AS ENUM ('glad', 'sad');"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, mood text CHECK (mood IN ('glad', 'sad')));"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateType(create) = at.action() else { return Vec::new() };
    if !matches!(create.kind, TypeKind::Enum(_)) {
        return Vec::new();
    }
    let message = format!("no value of `{}` can ever be removed", create.name);
    let instead = "Use text with a CHECK, which can be replaced while everybody works, or a table of the values.";
    vec![Hit::new(&create.name.name, message, instead).at(&create.name.name)]
}
