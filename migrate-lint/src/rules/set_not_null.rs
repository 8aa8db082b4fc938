//! NOT NULL that has to look at every row.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Patch, Remedy, Words};
use crate::name::Quoted;
use crate::schema::Table;
use crate::statement::{AlterTable, Change, Constraint, ConstraintKind};

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
    let unproven = at.changes().enumerate().filter_map(|(index, (alter, subject, change))| match demanded(change) {
        Some(column) => {
            let live = at.facts.live_column(&alter.name, column);
            let is_hidden = || live.map(|_| true);
            let is_open = subject.known().map_or_else(is_hidden, |table| is_unproven(at, alter, table, column))?;
            (is_open && !live.is_some_and(|live| live.not_null)).then_some((index, alter, column))
        }
        _ => None,
    });
    unproven
        .map(|(index, alter, column)| {
            let (table, name) = (&alter.name, Quoted(column));
            let message = format!("`{table}` is closed while all of its rows are searched for nulls in `{name}`");
            if let Some(Change::AddConstraint(constraint)) = alter.changes.get(index) {
                let remedy = at.validated_later(index, alter, constraint);
                return Hit::new(column, message, validated(alter, constraint, column)).at(column).or(remedy);
            }
            let check = Quoted(&format!("{}_{column}_not_null", table.name)).to_string();
            let instead = format!(
                "In three migrations, of which none closes the table for long:\n    \
                 ALTER TABLE {table} ADD CONSTRAINT {check} CHECK ({name} IS NOT NULL) NOT VALID;\n    \
                 ALTER TABLE {table} VALIDATE CONSTRAINT {check};\n    \
                 ALTER TABLE {table} ALTER COLUMN {name} SET NOT NULL; ALTER TABLE {table} DROP CONSTRAINT {check};"
            );
            Hit::new(column, message, instead).at(column).or(proven_first(at, index, alter, column))
        })
        .collect()
}

/// Of a constraint that says so, which PostgreSQL has since 18.
fn validated(alter: &AlterTable, constraint: &Constraint, column: &str) -> String {
    let made_up = format!("{}_{column}_not_null", alter.name.name);
    let (table, name) = (&alter.name, Quoted(constraint.name.as_deref().unwrap_or(&made_up)));
    format!(
        "Add it for new rows only:\n    \
         ALTER TABLE {table} ADD CONSTRAINT {name} NOT NULL {} NOT VALID;\n\
         and check the others in a later migration, while everybody works:\n    \
         ALTER TABLE {table} VALIDATE CONSTRAINT {name};",
        Quoted(column)
    )
}

/// Has nothing that is there shown that no row has a null? `None` where the column is not there.
fn is_unproven(at: &Situation<'_>, alter: &AlterTable, table: &Table, column: &str) -> Option<bool> {
    let known = table.column(column)?;
    let is_free = known.not_null || at.is_new_column(table, column) && known.default.is_some();
    // In one ALTER TABLE the constraint goes before it could prove anything.
    let drops = alter.changes.iter().any(|change| matches!(change, Change::DropConstraint { .. }));
    let is_proven = table.proves_not_null(column) && !drops;
    Some(!is_free && !is_proven && !table.has_more_constraints)
}

/// A check that is validated later proves it, and goes.
fn proven_first(at: &Situation<'_>, index: usize, alter: &AlterTable, column: &str) -> Option<Remedy> {
    if alter.only {
        return None;
    }
    let words = Words::of(at.text);
    let head = words.altered()?;
    let changes = words.changes().filter(|changes| changes.len() == alter.changes.len())?;
    let proof = at.schema.free_name(&alter.name, &[column], "proof")?;
    let (proof, column) = (Quoted(&proof), Quoted(column));
    let check = format!("ADD CONSTRAINT {proof} CHECK ({column} IS NOT NULL) NOT VALID");
    Some(Remedy::Later {
        here: vec![Patch::replace(changes.get(index)?.bytes(), check)],
        later: vec![format!("{head} VALIDATE CONSTRAINT {proof}")],
        then: vec![
            format!("{head} ALTER COLUMN {column} SET NOT NULL"),
            format!("{head} DROP CONSTRAINT {proof}"),
        ],
    })
}
