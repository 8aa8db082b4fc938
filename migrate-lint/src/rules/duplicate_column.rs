//! Columns that are there twice.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "duplicate_column",
    level: Level::Error,
    finds: "a CREATE TABLE with two columns of one name",
    why: "the server refuses it, and with it the migration",
    instead: "Rename or remove one of them.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, email text);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, phone text);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateTable(create) = at.action() else { return Vec::new() };
    let columns = create.columns.iter().enumerate();
    let twice = columns.filter(|(place, column)| create.columns.iter().take(*place).any(|other| other.name == column.name));
    twice
        .map(|(_, column)| {
            let message = format!("`{}` has the column `{}` twice", create.name, Quoted(&column.name));
            Hit::new(&column.name, message, "Rename or remove one of them.").at(&column.name)
        })
        .collect()
}
