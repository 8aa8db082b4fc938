//! Triggers that are switched off while others write.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::statement::{Action, Change, Statement};

pub(super) static RULE: Rule = Rule {
    name: "disable_trigger",
    level: Level::Warn,
    finds: "DISABLE TRIGGER on a table in use that stays when the transaction ends",
    why: "from the commit on everybody writes without it, not this session alone; with DISABLE TRIGGER ALL the foreign keys are not checked either, and nothing ever looks at those rows again",
    instead: "Enable it again in the same transaction, or set `session_replication_role` for this transaction alone.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_off.sql", "ALTER TABLE users DISABLE TRIGGER ALL;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_off.sql", "ALTER TABLE users DISABLE TRIGGER USER; DELETE FROM users WHERE id = 7; ALTER TABLE users ENABLE TRIGGER USER;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let off = at.changes_in_use().filter_map(|(alter, _, change)| match change {
        Change::SwitchTrigger { on: false } if !comes_back(at, &alter.name) => Some(&alter.name),
        _ => None,
    });
    off.map(|table| {
        let message = format!("from the commit on everybody writes `{table}` without the trigger");
        let instead = format!(
            "Enable it again behind what it is in the way of, in the same transaction:\n    \
             ALTER TABLE {table} ENABLE TRIGGER …;"
        );
        Hit::new(&table.name, message, instead).at("TRIGGER")
    })
    .collect()
}

/// In the transaction that keeps all other writers out.
fn comes_back(at: &Situation<'_>, table: &Name) -> bool {
    let enables = |later: &&Statement| match &later.action {
        Action::AlterTable(alter) => {
            alter.name == *table && alter.changes.iter().any(|change| matches!(change, Change::SwitchTrigger { on: true }))
        }
        _ => false,
    };
    at.in_transaction && at.later.iter().any(enables)
}
