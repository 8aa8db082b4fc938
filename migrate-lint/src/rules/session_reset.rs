//! Statements that take the runner's lock and settings away.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "session_reset",
    level: Level::Error,
    finds: "DISCARD ALL, or what releases all advisory locks",
    why: "the session is the runner's: its lock goes, so that another may migrate at the same time, and with DISCARD ALL its timeouts as well",
    instead: "Remove it: every migration begins with a clean session.",
    bad: &[
        ("1_reset.sql", "SELECT pg_advisory_unlock_all();"),
    ],
    good: &[
        ("1_reset.sql", "SELECT pg_advisory_xact_lock(1);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let calls = || at.statement.calls.iter().any(|call| &*call.name == "pg_advisory_unlock_all");
    let (message, word) = match at.action() {
        Action::Discard { all: true } => ("DISCARD ALL releases the lock of the runner and resets its timeouts", "DISCARD"),
        Action::Data(_) if calls() => ("it releases the lock of the runner", "pg_advisory_unlock_all"),
        _ => return Vec::new(),
    };
    let instead = "Remove it: every migration begins with a clean session. A lock of your own goes by itself if it is taken by \
                   pg_advisory_xact_lock.";
    vec![Hit::new("", message, instead).at(word)]
}
