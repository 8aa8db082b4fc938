//! Validation while nobody can use the table.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Change;

pub(super) static RULE: Rule = Rule {
    name: "validate_under_lock",
    level: Level::Error,
    finds: "VALIDATE CONSTRAINT in a transaction that has closed the table",
    why: "reading all rows takes as long as it takes, and an earlier statement of the transaction keeps everybody out meanwhile",
    instead: "Validate it in a migration of its own.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT grown_up CHECK (age >= 18) NOT VALID;"),
        ("3_age.sql", "ALTER TABLE users ADD COLUMN note text; ALTER TABLE users VALIDATE CONSTRAINT grown_up;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT grown_up CHECK (age >= 18) NOT VALID;"),
        ("3_note.sql", "ALTER TABLE users ADD COLUMN note text;"),
        ("4_age.sql", "ALTER TABLE users VALIDATE CONSTRAINT grown_up;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let validated = at.changes().filter_map(|(alter, _, change)| match change {
        Change::ValidateConstraint { name } if at.has_closed(&alter.name) => Some((alter, name)),
        _ => None,
    });
    validated
        .map(|(alter, name)| {
            let (table, name) = (&alter.name, Quoted(name));
            let message = format!("`{table}`, which an earlier statement has closed, stays closed while all of its rows are read");
            let instead = format!("In a migration of its own:\n    ALTER TABLE {table} VALIDATE CONSTRAINT {name};");
            Hit::new(name.0, message, instead).at(name.0)
        })
        .collect()
}
