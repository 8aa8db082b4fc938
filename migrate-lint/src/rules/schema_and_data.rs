//! Schema and rows that change in one transaction.

use super::{Check, Hit, Rule, Situation, many};
use crate::finding::Level;

pub(super) static RULE: Rule = Rule {
    name: "schema_and_data",
    level: Level::Warn,
    finds: "a transaction that changes rows of a table in use and closes one",
    why: "the table is closed for as long as the rows take, or the rows stay locked for as long as the closing has to wait",
    instead: "Change the rows in a migration of its own.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_name.sql", "ALTER TABLE users ADD COLUMN name text; UPDATE users SET name = email WHERE email LIKE '%@%';"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_name.expand.sql", "ALTER TABLE users ADD COLUMN name text;"),
        ("2_name.migrate.sql", "UPDATE users SET name = email WHERE email LIKE '%@%';"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if !at.in_transaction {
        return Vec::new();
    }
    let changed_before = at.open.changed.first();
    let instead = "Change the rows in a migration of its own: in the migrate phase of this version, which runs after its expand.";
    let message = match (at.closed(), changed_before) {
        (Some(closed), None) => many(at.statement)
            .find(|write| at.subject(&write.table).is_some())
            .map(|write| format!("rows of `{}` change while `{closed}`, which an earlier statement has closed, stays closed", write.table)),
        (None, Some(changed)) => at.closes().first().map(|closed| {
            format!("`{}` is closed while the rows of `{changed}` that have changed are locked", closed.shown)
        }),
        // Told already, or nothing of the kind.
        _ => None,
    };
    message.map(|message| Hit::new("", message, instead)).into_iter().collect()
}
