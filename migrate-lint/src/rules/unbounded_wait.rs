//! Waiting for a lock without an end.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Action, Setting};

pub(super) static RULE: Rule = Rule {
    name: "unbounded_wait",
    level: Level::Warn,
    finds: "a lock_timeout of zero",
    why: "while a statement waits for its lock, everybody who comes later waits behind it, for as long as the oldest query or a forgotten session takes; the runner gives up in time and tries again",
    instead: "Leave it to the runner, or say `-- migrate: lock-timeout <time>` at the head of the file.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_name.sql", "SET LOCAL lock_timeout = 0; ALTER TABLE users ADD COLUMN name text;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_name.sql", "-- migrate: lock-timeout 2s
ALTER TABLE users ADD COLUMN name text;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Setting(Setting { name, values, .. }) = at.action() else { return Vec::new() };
    let is_zero = |value: &str| value.trim_end_matches(|c: char| c.is_alphabetic() || c == ' ') == "0";
    let has_no_end = match values {
        Some(values) => values.first().is_some_and(|value| is_zero(value)),
        // The server's own default has none.
        None => true,
    };
    if &**name != "lock_timeout" || !has_no_end {
        return Vec::new();
    }
    let message = "the statements after it wait for their locks without an end, and everybody else behind them";
    let instead = "Remove it: the runner sets a timeout and tries again. Another one stands at the head of the file:\n    \
                   -- migrate: lock-timeout 2s";
    vec![Hit::new("", message, instead).at(name)]
}
