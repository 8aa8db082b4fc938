//! Indexes of many columns.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "wide_index",
    level: Level::Off,
    finds: "an index of more than three columns that is not unique",
    why: "it is large, every write pays for it, and columns behind the third seldom choose among what the first ones have left",
    instead: "Index the columns that choose most, or put those that are only read behind INCLUDE.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, a int, b int, c int, d int); CREATE INDEX users_all ON users (a, b, c, d);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, a int, b int, c int, d int); CREATE INDEX users_all ON users (a, b) INCLUDE (c, d);"),
    ],
    check: Check::Statement(check),
};

/// Beyond this it is wide.
const WIDE: usize = 3;

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateIndex(index) = at.action() else { return Vec::new() };
    if index.unique || index.keys.len() <= WIDE {
        return Vec::new();
    }
    let message = format!("the index of `{}` has {} columns", index.table, index.keys.len());
    let instead = "Index the columns that choose most; put those that are only read behind INCLUDE.";
    vec![Hit::new(&index.table.name, message, instead)]
}
