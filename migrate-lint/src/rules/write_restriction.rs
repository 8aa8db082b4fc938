//! New demands on what running code writes or reads.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::schema::Space;
use crate::statement::{Action, Change, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "write_restriction",
    level: Level::Off,
    finds: "a constraint, trigger, policy or REVOKE that may refuse what running code does",
    why: "the code that still runs does not know of it: what it has always written may fail from the commit on, also where the rows that are there are left alone",
    instead: "Release code that satisfies it first.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "ALTER TABLE users ADD CONSTRAINT email_given CHECK (email IS NOT NULL) NOT VALID;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.contract.sql", "ALTER TABLE users ADD CONSTRAINT email_given CHECK (email IS NOT NULL) NOT VALID;"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.is_contract() {
        return Vec::new();
    }
    let (table, word) = match at.action() {
        Action::CreateTrigger(trigger) => (&trigger.table, "a trigger"),
        Action::CreateOnTable { kind: ObjectKind::Policy, table, .. } => (table, "a policy"),
        Action::Privileges { revoke: true, relations } => match relations.first() {
            Some(table) => (table, "a REVOKE"),
            None => return Vec::new(),
        },
        Action::AlterTable(alter) => match alter.changes.iter().find_map(demand) {
            Some(word) => (&alter.name, word),
            None => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let message = format!("{word} on `{table}` may refuse what running code does");
    let instead = format!("Release code that satisfies it, and add it in the contract of this version, `{}`.", at.contract());
    let used = at.used(Space::Relation, table);
    used.map(|_| Hit::new(&table.name, message, instead)).into_iter().collect()
}

fn demand(change: &Change) -> Option<&'static str> {
    match change {
        Change::AddConstraint(constraint) if !constraint.not_enforced => Some("a new constraint"),
        Change::SetNotNull { .. } => Some("NOT NULL"),
        Change::RowSecurity => Some("row security"),
        _ => None,
    }
}
