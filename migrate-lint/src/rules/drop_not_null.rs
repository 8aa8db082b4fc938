//! Nulls where the code that runs expects none.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::{AlterTable, Change};

pub(super) static RULE: Rule = Rule {
    name: "drop_not_null",
    level: Level::Warn,
    finds: "DROP NOT NULL of a column in use outside of a contract",
    why: "as soon as somebody writes a null, the code that still runs reads one that it does not expect",
    instead: "Release code that copes with nulls first.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL DEFAULT '');"),
        ("2_name.sql", "ALTER TABLE users ALTER COLUMN name DROP NOT NULL;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text NOT NULL DEFAULT '');"),
        ("2_name.contract.sql", "ALTER TABLE users ALTER COLUMN name DROP NOT NULL;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.is_contract() {
        return Vec::new();
    }
    let loosened = at.changes_in_use().filter_map(|(alter, subject, change)| match change {
        Change::DropNotNull { column } if !at.has_new_column(subject, column) => {
            let was_not_null = subject.known()?.column(column)?.not_null;
            (was_not_null && !comes_back(at, alter, column)).then_some((alter, column))
        }
        _ => None,
    });
    loosened
        .map(|(alter, column)| {
            let message = format!("the code that still runs expects no null in `{}.{}`", alter.name, Quoted(column));
            let instead = format!(
                "Release code that copes with nulls, and loosen the column in the contract of that version, `{}`. Where the code \
                 that runs copes already, say so: `-- migrate: allow(drop_not_null) because …`.",
                at.contract()
            );
            Hit::new(column, message, instead).at(column)
        })
        .collect()
}

fn comes_back(at: &Situation<'_>, alter: &AlterTable, column: &str) -> bool {
    at.changes_after(&alter.name)
        .any(|change| matches!(change, Change::SetNotNull { column: set } if **set == *column))
}
