//! Checks of every row at once.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::{Change, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "add_check",
    level: Level::Error,
    finds: "a CHECK on a table in use, added without NOT VALID",
    why: "the whole table is read under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Add it NOT VALID, and validate it in a later migration.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT grown_up CHECK (age >= 18);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, age int);"),
        ("2_age.sql", "ALTER TABLE users ADD CONSTRAINT grown_up CHECK (age >= 18) NOT VALID;"),
        ("3_age.sql", "ALTER TABLE users VALIDATE CONSTRAINT grown_up;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.changes().enumerate().filter_map(|(index, (alter, _, change))| {
        let Change::AddConstraint(constraint) = change else { return None };
        let ConstraintKind::Check(expression) = &constraint.kind else { return None };
        let is_checked = !constraint.not_valid && !constraint.not_enforced;
        is_checked.then_some((index, alter, constraint, expression))
    });
    added
        .map(|(index, alter, constraint, expression)| {
            let table = &alter.name;
            let made_up = format!("{}_check", table.name);
            let name = Quoted(constraint.name.as_deref().unwrap_or(&made_up));
            let message = format!("`{table}` is closed while all of its rows are checked");
            let instead = format!(
                "Add it for new rows only:\n    \
                 ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({}) NOT VALID;\n\
                 and check the others in a later migration, while everybody works:\n    \
                 ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
                expression.text
            );
            let remedy = at.validated_later(index, alter, constraint);
            Hit::new(name.0, message, instead).or(remedy)
        })
        .collect()
}
