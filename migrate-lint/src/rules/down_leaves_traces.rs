//! Ways back that do not lead back.

use super::{Check, Hit, Rule};
use crate::finding::Level;
use crate::schema::Difference;

pub(super) static RULE: Rule = Rule {
    name: "down_leaves_traces",
    level: Level::Warn,
    finds: "a way back after which the schema is not what it was",
    why: "after a revert the code before meets a schema that it has never seen, and the migration may not run again",
    instead: "Undo everything that the migration does, in reverse order.",
    bad: &[
        ("1_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TYPE mood AS ENUM ('glad');"),
        ("1_users.down.sql", "DROP TABLE users;"),
    ],
    good: &[
        ("1_users.up.sql", "CREATE TABLE users (id bigint PRIMARY KEY); CREATE TYPE mood AS ENUM ('glad');"),
        ("1_users.down.sql", "DROP TYPE mood; DROP TABLE users;"),
    ],
    check: Check::Differences(check),
};

/// More than these are not read.
const SHOWN: usize = 5;

fn check(differences: &[Difference]) -> Option<Hit> {
    let shown: Vec<&str> = differences.iter().take(SHOWN).map(|difference| &*difference.0).collect();
    let more = match differences.len().saturating_sub(SHOWN) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let message = format!("the way back does not undo the migration: it {}{more}", shown.join(", "));
    let instead = "Undo everything that the migration does, in reverse order.";
    (!differences.is_empty()).then(|| Hit::new("", message, instead))
}
