//! Keys that go while code relies on them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::ConstraintKind;
use crate::statement::{AlterTable, Change, ConstraintKind as New};

pub(super) static RULE: Rule = Rule {
    name: "drop_constraint",
    level: Level::Warn,
    finds: "a key or foreign key of a table in use that is dropped outside of a contract",
    why: "what the code that still runs takes for granted holds no longer: `ON CONFLICT` on a key fails, its queries lose the index, rows lose what they refer to",
    instead: "Put another in its place first, or drop it in a contract.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT users_email UNIQUE (email));"),
        ("2_email.sql", "ALTER TABLE users DROP CONSTRAINT users_email;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, CONSTRAINT users_email UNIQUE (email));"),
        ("2_email.contract.sql", "ALTER TABLE users DROP CONSTRAINT users_email;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.is_contract() {
        return Vec::new();
    }
    let dropped = at.changes_in_use().filter_map(|(alter, subject, change)| {
        let Change::DropConstraint { name, .. } = change else { return None };
        let constraint = subject.known()?.constraint(name)?;
        let is_new = at.facts.is_new(constraint.born.migration, at.migration);
        (!is_new && !comes_back(at, alter, &constraint.kind)).then_some((alter, name, words(&constraint.kind)?))
    });
    dropped
        .map(|(alter, name, effect)| {
            let message = format!("without the constraint `{}` of `{}`, {effect}", Quoted(name), alter.name);
            let instead = format!(
                "Let the code do without it, release that, and drop it in the contract of this version, `{}`; or put another in \
                 its place in this file.",
                at.contract()
            );
            Hit::new(name, message, instead).at(name)
        })
        .collect()
}

/// A check that goes lets new code write more; that alone changes nothing for old code.
fn words(kind: &ConstraintKind) -> Option<&'static str> {
    match kind {
        ConstraintKind::PrimaryKey { .. } | ConstraintKind::Unique { .. } => {
            Some("`ON CONFLICT` on its columns fails, and queries by them read the whole table")
        }
        ConstraintKind::Exclude => Some("rows may conflict that running code takes to be apart"),
        ConstraintKind::ForeignKey { .. } => Some("rows may refer to what is not there"),
        ConstraintKind::Check(_) | ConstraintKind::NotNull { .. } => None,
    }
}

/// Another of its kind, over the same columns or made of an index.
fn comes_back(at: &Situation<'_>, alter: &AlterTable, gone: &ConstraintKind) -> bool {
    at.changes_after(&alter.name).any(|change| match change {
        Change::AddConstraint(new) => replaces(&new.kind, gone),
        Change::DropColumn { column, .. } => gone.columns().contains(column),
        _ => false,
    })
}

fn replaces(new: &New, gone: &ConstraintKind) -> bool {
    let same = |columns: &[Box<str>], old: &[Box<str>]| columns.len() == old.len() && columns.iter().all(|c| old.contains(c));
    match (new, gone) {
        (New::PrimaryKey { .. }, ConstraintKind::PrimaryKey { .. }) | (New::Exclude, ConstraintKind::Exclude) => true,
        (New::Unique { columns, using_index }, ConstraintKind::Unique { columns: old }) => {
            using_index.is_some() || same(columns, old)
        }
        (New::PrimaryKey { columns, .. }, ConstraintKind::Unique { columns: old })
        | (New::ForeignKey { columns, .. }, ConstraintKind::ForeignKey { columns: old, .. }) => same(columns, old),
        _ => false,
    }
}
