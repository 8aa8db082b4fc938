//! Statements that take the runner's lock and settings away.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Action, Setting};

pub(super) static RULE: Rule = Rule {
    name: "session_reset",
    level: Level::Error,
    finds: "DISCARD ALL, RESET ALL, or what releases all advisory locks",
    why: "the session is the runner's: its lock goes, so that another may migrate at the same time, or its timeouts, so that waiting for a lock has no end",
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
        Action::Setting(Setting { name, values: None, .. }) if &**name == "all" => ("RESET ALL resets the timeouts of the runner", "RESET"),
        Action::Data(_) if calls() => ("it releases the lock of the runner", "pg_advisory_unlock_all"),
        Action::Do { words, .. } if words.iter().any(|word| &**word == "pg_advisory_unlock_all") => {
            ("it releases the lock of the runner", "pg_advisory_unlock_all")
        }
        _ => return Vec::new(),
    };
    let instead = "Remove it: every migration begins with a clean session. A lock of your own goes by itself if it is taken by \
                   pg_advisory_xact_lock.";
    vec![Hit::new("", message, instead).at(word)]
}
