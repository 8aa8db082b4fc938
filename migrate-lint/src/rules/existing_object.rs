//! Statements that create what is there.

use super::{Check, Hit, Rule};
use crate::finding::Level;
use crate::schema::Clash;

pub(super) static RULE: Rule = Rule {
    name: "existing_object",
    level: Level::Error,
    finds: "a statement that creates what an earlier migration has created",
    why: "it fails wherever the earlier migration has run",
    instead: "Give it another name, or drop the other one first.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_users.sql", "ALTER TABLE users ADD COLUMN email text;"),
    ],
    check: Check::Clash(check),
};

fn check(clash: &Clash) -> Option<Hit> {
    let Clash::Exists { thing, born } = clash else { return None };
    let maker = match born.migration {
        Some(id) => format!("migration {} creates it", id.version),
        None => "every database has it".to_owned(),
    };
    let message = format!("there is a {thing} already: {maker}");
    let instead = "Give it another name, drop the other one first, or remove the statement.";
    Some(Hit::new(&thing.name.name, message, instead).at(&thing.name.name))
}
