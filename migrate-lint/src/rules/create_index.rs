//! Indexes that are built while writers wait.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Remedy, Words};
use crate::schema::TableKind;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "create_index",
    level: Level::Error,
    finds: "an index on a table in use, built without CONCURRENTLY",
    why: "CREATE INDEX holds a SHARE lock while it reads the whole table: every INSERT, UPDATE and DELETE waits until it is done",
    instead: "Build it CONCURRENTLY, in a migration of its own that runs outside a transaction.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "CREATE INDEX users_email ON users (email);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY users_email ON users (email);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateIndex(index) = at.action() else { return Vec::new() };
    if index.concurrently || index.only {
        return Vec::new();
    }
    let Some(table) = at.subject(&index.table) else { return Vec::new() };
    let message = format!("writers of `{}` wait while the index is built", index.table);
    let is_partitioned = table.known().is_some_and(|table| table.kind == TableKind::Partitioned);
    let instead = match is_partitioned {
        true => {
            "A partitioned table takes no CONCURRENTLY: CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each \
             part, then ALTER INDEX … ATTACH PARTITION."
                .to_owned()
        }
        false => {
            let safe = concurrently(at.text).unwrap_or_default().replace('\n', "\n    ");
            format!("In a migration of its own:\n    -- migrate: no-transaction\n    {safe};")
        }
    };
    let remedy = concurrently(at.text).filter(|_| !is_partitioned).map(|safe| Remedy::Alone(vec![safe]));
    vec![Hit::new(index.name.as_deref().unwrap_or_default(), message, instead).or(remedy)]
}

/// The same statement, with the word.
fn concurrently(text: &str) -> Option<String> {
    let (head, rest) = text.split_at_checked(Words::of(text).behind("INDEX")?)?;
    Some(format!("{head} CONCURRENTLY{rest}"))
}
