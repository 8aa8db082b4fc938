//! Defaults that old code relies on.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::{AlterTable, Change, Generated, Type};

pub(super) static RULE: Rule = Rule {
    name: "drop_default",
    level: Level::Error,
    finds: "DROP DEFAULT or DROP IDENTITY of a column in use outside of a contract",
    why: "the code that still runs leaves the column out of its INSERTs: they fail from now on if it is NOT NULL, and write nulls otherwise",
    instead: "Write the value in the code, release that, and drop the default in a contract.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL DEFAULT '');"),
        ("2_name.sql", "ALTER TABLE users ALTER COLUMN name DROP DEFAULT;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL DEFAULT '');"),
        ("2_name.contract.sql", "ALTER TABLE users ALTER COLUMN name DROP DEFAULT;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.is_contract() {
        return Vec::new();
    }
    let dropped = at.changes_in_use().filter_map(|(alter, subject, change)| {
        let (Change::DropDefault { column } | Change::DropIdentity { column }) = change else { return None };
        let known = subject.known()?.column(column)?;
        let has_one = known.default.is_some()
            || known.generated == Some(Generated::Identity) || known.ty.as_ref().is_some_and(Type::is_serial);
        let is_new = at.has_new_column(subject, column);
        // A new column that may be null is missed by nobody.
        let is_missed = has_one && (known.not_null || !is_new) && !comes_back(at, alter, column);
        is_missed.then_some((alter, column, is_new, known.not_null))
    });
    dropped
        .map(|(alter, column, is_new, not_null)| {
            let name = format!("{}.{}", alter.name, Quoted(column));
            let message = match (is_new, not_null) {
                (true, _) => format!("the INSERTs of running code, which does not know `{name}`, fail"),
                (false, true) => format!("the INSERTs of running code that leave out `{name}` fail"),
                (false, false) => format!("the INSERTs of running code that leave out `{name}` write nulls"),
            };
            let instead = format!(
                "Write the value in the code, release that, and drop the default in the contract of this version, `{}`.",
                at.contract()
            );
            Hit::new(column, message, instead).at(column)
        })
        .collect()
}

/// Another default, or values from elsewhere.
fn comes_back(at: &Situation<'_>, alter: &AlterTable, column: &str) -> bool {
    at.changes_after(&alter.name).any(|change| match change {
        Change::SetDefault { column: set, .. } | Change::AddIdentity { column: set } => **set == *column,
        Change::DropColumn { column: gone, .. } => **gone == *column,
        _ => false,
    })
}
