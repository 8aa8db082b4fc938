//! Drops of what others need.

use super::{Check, Hit, Rule};
use crate::finding::Level;
use crate::schema::Clash;

pub(super) static RULE: Rule = Rule {
    name: "needed_object",
    level: Level::Error,
    finds: "a drop of something that others depend on",
    why: "PostgreSQL refuses to drop what something else needs",
    instead: "Drop first what depends on it.",
    bad: &[
        (
            "1_users.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE posts (author bigint REFERENCES users);",
        ),
        ("2_drop.contract.sql", "DROP TABLE users;"),
        ("2_drop.sql", "SELECT 1;"),
    ],
    good: &[
        (
            "1_users.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY);
CREATE TABLE posts (author bigint REFERENCES users);",
        ),
        ("2_drop.contract.sql", "ALTER TABLE posts DROP CONSTRAINT posts_author_fkey; DROP TABLE users;"),
        ("2_drop.sql", "SELECT 1;"),
    ],
    check: Check::Clash(check),
};

fn check(clash: &Clash) -> Option<Hit> {
    let Clash::Needed { thing, by } = clash else { return None };
    let message = format!("the {thing} is needed by {}", by.join(", "));
    let instead = "Drop first what depends on it: foreign keys by `ALTER TABLE … DROP CONSTRAINT …`.";
    Some(Hit::new(&thing.name.name, message, instead).at(&thing.name.name))
}
