//! Indexes that are built anew while others wait.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Remedy, Words};
use crate::name::Name;
use crate::schema::{Object, Space};
use crate::statement::{Action, Maintenance};

pub(super) static RULE: Rule = Rule {
    name: "reindex",
    level: Level::Error,
    finds: "REINDEX of a table in use without CONCURRENTLY",
    why: "writers wait until it is done, and so do the queries that could use the index",
    instead: "Write REINDEX … CONCURRENTLY, in a migration of its own that runs outside a transaction.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_index.sql", "REINDEX TABLE users;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_index.sql", "-- migrate: no-transaction
REINDEX TABLE CONCURRENTLY users;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Maintenance(Maintenance::Reindex { name, index, concurrently: false }) = at.action() else {
        return Vec::new();
    };
    let Some(name) = name else {
        let instead = "Write `CONCURRENTLY` behind the word SCHEMA or DATABASE, and `-- migrate: no-transaction` at the head of \
                       the file.";
        return vec![Hit::new("", "the writers of one table after the other wait while its indexes are built", instead)];
    };
    if table(at, name, *index).and_then(|table| at.subject(&table)).is_none() {
        return Vec::new();
    }
    let message = format!("writers wait while `{name}` is built anew");
    let word = if *index { "INDEX" } else { "TABLE" };
    let instead = format!(
        "In a migration of its own:\n    -- migrate: no-transaction\n    REINDEX {word} CONCURRENTLY {name};"
    );
    let remedy = Words::of(at.text).behind(word).and_then(|behind| {
        let (head, rest) = at.text.split_at_checked(behind)?;
        Some(Remedy::Alone(vec![format!("{head} CONCURRENTLY{rest}")]))
    });
    vec![Hit::new(&name.name, message, instead).at(&name.name).or(remedy)]
}

fn table(at: &Situation<'_>, name: &Name, is_index: bool) -> Option<Name> {
    let entry = at.used(Space::Relation, name)?.entry;
    match entry.map(|entry| &entry.object) {
        Some(Object::Index(index)) if is_index => at.schema.entry(index.table).map(|table| at.schema.shown(table)),
        _ => Some(name.clone()),
    }
}
