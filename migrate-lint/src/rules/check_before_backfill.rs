//! Checks that old rows do not satisfy yet.

use super::{Check, Hit, Rule, Situation, many};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::{Constraint, ConstraintKind, Table};
use crate::statement::WriteKind;

pub(super) static RULE: Rule = Rule {
    name: "check_before_backfill",
    level: Level::Error,
    finds: "rows that are filled after a CHECK demands it of them",
    why: "NOT VALID leaves old rows alone, but whoever changes one of them, in whichever column, has to satisfy the check: until all rows are filled, those writes fail",
    instead: "Fill the rows first, and add the CHECK afterwards.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.expand.sql", "ALTER TABLE users ADD CONSTRAINT email_given CHECK (email IS NOT NULL) NOT VALID;"),
        ("2_email.migrate.sql", "UPDATE users SET email = '' WHERE email IS NULL;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.migrate.sql", "UPDATE users SET email = '' WHERE email IS NULL AND id BETWEEN 1 AND 5000;"),
        ("3_email.sql", "ALTER TABLE users ADD CONSTRAINT email_given CHECK (email IS NOT NULL) NOT VALID;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let updated = many(at.statement).filter(|write| write.kind == WriteKind::Update);
    let early = updated.filter_map(|write| {
        let table = at.subject(&write.table)?.known()?;
        let constraint = table.constraints.iter().find(|constraint| is_early(at, table, constraint))?;
        Some((write, constraint))
    });
    early
        .map(|(write, constraint)| {
            let (table, name) = (&write.table, Quoted(&constraint.name));
            let message =
                format!("until these rows of `{table}` are filled, every write to one of them fails on the check `{name}`");
            let instead = format!(
                "Add the check `{name}` in a later version, when the rows are filled; what keeps new rows filled until then is the \
                 code, a default or a trigger."
            );
            Hit::new(&table.name, message, instead).at(&table.name)
        })
        .collect()
}

/// It came in the same version, others can see it, and it demands what the statement fills.
fn is_early(at: &Situation<'_>, table: &Table, constraint: &Constraint) -> bool {
    let Some(maker) = constraint.born.migration else { return false };
    let is_seen = maker != at.migration || !at.in_transaction;
    let ConstraintKind::Check(expression) = &constraint.kind else { return false };
    let is_filled = |column: &str| {
        table.column(column).is_some_and(|known| !known.not_null) && at.text.to_lowercase().contains(column)
    };
    maker.version == at.migration.version && is_seen && !constraint.valid && expression.not_null.iter().any(|column| is_filled(column))
}
