//! Constraints that PostgreSQL names.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Action, Change, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "unnamed_constraint",
    level: Level::Off,
    finds: "a constraint that is added without a name",
    why: "the name depends on what is there at that moment: the migration that drops it later may not find it everywhere",
    instead: "Write ADD CONSTRAINT with a name.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CHECK (age > 0) NOT VALID;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT age_positive CHECK (age > 0) NOT VALID;"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::AlterTable(alter) = at.action() else { return Vec::new() };
    let has_none = |change: &&Change| matches!(change, Change::AddConstraint(constraint) if constraint.name.is_none() && !takes_one(&constraint.kind));
    let unnamed = alter.changes.iter().filter(has_none);
    unnamed
        .map(|_| {
            let message = format!("a constraint of `{}` gets a name that PostgreSQL makes up", alter.name);
            Hit::new(&alter.name.name, message, format!("Write `ALTER TABLE {} ADD CONSTRAINT <name> …`.", alter.name))
        })
        .collect()
}

/// It has the name of its index.
fn takes_one(kind: &ConstraintKind) -> bool {
    matches!(kind, ConstraintKind::PrimaryKey { using_index: Some(_), .. } | ConstraintKind::Unique { using_index: Some(_), .. })
}
