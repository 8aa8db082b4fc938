//! NOT VALID that gains nothing.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::{AlterTable, Change};

pub(super) static RULE: Rule = Rule {
    name: "validate_at_once",
    level: Level::Error,
    finds: "a constraint that is added NOT VALID and validated in one transaction",
    why: "the lock of the first statement is kept until the end, and so through the reading of the whole table, which NOT VALID is there to avoid",
    instead: "Validate it in a later migration.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT grown_up CHECK (age >= 18) NOT VALID; ALTER TABLE users VALIDATE CONSTRAINT grown_up;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT grown_up CHECK (age >= 18) NOT VALID;"),
        ("3_age.sql", "ALTER TABLE users VALIDATE CONSTRAINT grown_up;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let validated = at.changes().filter_map(|(alter, subject, change)| match change {
        Change::ValidateConstraint { name } => Some((alter, subject.known()?, name)),
        _ => None,
    });
    let at_once = validated.filter(|(alter, table, name)| {
        let is_fresh = table.constraint(name).is_some_and(|c| c.born.migration == Some(at.migration));
        (is_fresh && at.in_transaction) || adds(alter, name)
    });
    at_once
        .map(|(alter, _, name)| {
            let (table, name) = (&alter.name, Quoted(name));
            let message = format!("all rows of `{table}` are read under the lock that adding `{name}` has taken");
            let instead = format!(
                "In a migration of its own, behind this one:\n    ALTER TABLE {table} VALIDATE CONSTRAINT {name};"
            );
            Hit::new(name.0, message, instead).at(name.0)
        })
        .collect()
}

fn adds(alter: &AlterTable, name: &str) -> bool {
    alter.changes.iter().any(|change| {
        matches!(change, Change::AddConstraint(constraint) if constraint.name.as_deref() == Some(name))
    })
}
