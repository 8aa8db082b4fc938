//! NOT NULL that has to look at every row.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::{Change, Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "set_not_null",
    level: Level::Error,
    finds: "SET NOT NULL on a table in use without a proof",
    why: "the whole table is read under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Prove it first with a CHECK that is added NOT VALID and validated in a later migration.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);"),
        ("2_name.sql", "ALTER TABLE users ALTER COLUMN name SET NOT NULL;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);"),
        ("2_name.sql", "ALTER TABLE users ADD CONSTRAINT name_given CHECK (name IS NOT NULL) NOT VALID;"),
        ("3_name.sql", "ALTER TABLE users VALIDATE CONSTRAINT name_given;"),
        (
            "4_name.sql",
            "ALTER TABLE users ALTER COLUMN name SET NOT NULL;
ALTER TABLE users DROP CONSTRAINT name_given;",
        ),
    ],
    check: Check::Statement(check),
};

/// The column that may hold no null from then on, those that are there included.
fn demanded(change: &Change) -> Option<&str> {
    match change {
        Change::SetNotNull { column } => Some(column),
        Change::AddConstraint(constraint) => match &**constraint {
            Constraint { kind: ConstraintKind::NotNull { column }, not_valid: false, .. } => Some(column),
            _ => None,
        },
        _ => None,
    }
}

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let unproven = at.known_changes().filter_map(|(alter, table, change)| match demanded(change) {
        Some(column) => {
            let known = table.column(column)?;
            let is_free = known.not_null || at.is_new_column(table, column) && known.default.is_some();
            // In one ALTER TABLE the constraint goes before it could prove anything.
            let drops = alter.changes.iter().any(|change| matches!(change, Change::DropConstraint { .. }));
            let is_proven = table.proves_not_null(column) && !drops;
            (!is_free && !is_proven && !table.has_more_constraints).then_some((alter, column))
        }
        _ => None,
    });
    unproven
        .map(|(alter, column)| {
            let (table, name) = (&alter.name, Quoted(column));
            let message = format!("`{table}` is closed while all of its rows are searched for nulls in `{name}`");
            let check = Quoted(&format!("{}_{column}_not_null", table.name)).to_string();
            let instead = format!(
                "In three migrations, of which none closes the table for long:\n    \
                 ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID;\n    \
                 ALTER TABLE {table} VALIDATE CONSTRAINT {check};\n    \
                 ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL; ALTER TABLE {table} DROP CONSTRAINT {check};"
            );
            Hit::new(column, message, instead).at(column)
        })
        .collect()
}
