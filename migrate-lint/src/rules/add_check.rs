//! Checks of every row at once.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::{Name, Quoted};
use crate::statement::{Change, Constraint, ConstraintKind};

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
    let mut hits = Vec::new();
    for (index, (alter, table, change)) in at.changes().enumerate() {
        match change {
            Change::AddConstraint(constraint) => {
                let remedy = at.validated_later(index, alter, constraint);
                hits.extend(hit(at, &alter.name, constraint, None).map(|hit| hit.or(remedy)));
            }
            // The new values are checked row by row, although they are all the same.
            Change::AddColumn { column, .. } if !table.has(&column.name) => {
                hits.extend(column.constraints.iter().filter_map(|constraint| hit(at, &alter.name, constraint, Some(&column.name))));
            }
            _ => {}
        }
    }
    hits
}

fn hit(at: &Situation<'_>, table: &Name, constraint: &Constraint, of: Option<&str>) -> Option<Hit> {
    let ConstraintKind::Check(expression) = &constraint.kind else { return None };
    if constraint.not_valid || constraint.not_enforced {
        return None;
    }
    let made_up = match of {
        Some(column) => format!("{}_{column}_check", table.name),
        None => format!("{}_check", table.name),
    };
    let chosen = at.schema.constraint_name(table, constraint);
    let name = Quoted(chosen.as_deref().unwrap_or(&made_up));
    let message = format!("`{table}` is closed while all of its rows are checked");
    let first = if of.is_some() { "Add the column without it, then the check" } else { "Add it" };
    let instead = format!(
        "{first} for new rows only:\n    \
         ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({}) NOT VALID;\n\
         and check the others in a later migration, while everybody works:\n    \
         ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
        expression.text
    );
    Some(Hit::new(of.unwrap_or(name.0), message, instead))
}
