//! Indexes that go while everybody waits.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::Remedy;
use crate::name::Name;
use crate::schema::{Object, Space, Table, TableKind};
use crate::statement::{Action, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "drop_index",
    level: Level::Warn,
    finds: "an index of a table in use that is dropped without CONCURRENTLY",
    why: "it needs ACCESS EXCLUSIVE on the table: while it waits for the queries that run, all others wait behind it",
    instead: "Drop it CONCURRENTLY, in a migration of its own that runs outside a transaction.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_index.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_email ON users (email);"),
        ("3_gone.sql", "DROP INDEX users_email;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_index.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_email ON users (email);"),
        ("3_gone.sql", "-- migrate: no-transaction
DROP INDEX CONCURRENTLY users_email;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Drop(drop) = at.action() else { return Vec::new() };
    if drop.kind != ObjectKind::Index || drop.concurrently {
        return Vec::new();
    }
    let closing: Vec<&Name> =
        drop.names.iter().filter(|name| closes_a_table(at, name, drop.if_exists)).collect();
    // Concurrently they go one by one, and nothing with them.
    let is_whole = closing.len() == drop.names.len() && !drop.cascade;
    let all = closing.iter().map(|name| concurrently(name, drop.if_exists)).collect();
    let remedy = Some(Remedy::Alone(all)).filter(|_| is_whole);
    closing
        .into_iter()
        .map(|name| {
            let message = format!("the table of `{name}` is closed, once its queries have ended, to drop it");
            let safe = concurrently(name, drop.if_exists);
            let instead = format!("In a migration of its own:\n    -- migrate: no-transaction\n    {safe};");
            Hit::new(&name.name, message, instead).at(&name.name).or(remedy.clone())
        })
        .collect()
}

fn concurrently(name: &Name, if_exists: bool) -> String {
    let if_exists = if if_exists { "IF EXISTS " } else { "" };
    format!("DROP INDEX CONCURRENTLY {if_exists}{name}")
}

/// That of a constraint or of a partitioned table cannot go in another way.
fn closes_a_table(at: &Situation<'_>, name: &Name, if_exists: bool) -> bool {
    let Some(presence) = at.gone(Space::Relation, name, if_exists) else { return false };
    let Some(Object::Index(index)) = presence.entry.map(|entry| &entry.object) else {
        // Which table it is of is hidden: perhaps one that is closed anyway.
        return presence.entry.is_none() && at.closed().is_none();
    };
    let table = at.schema.entry(index.table);
    let subject = table.and_then(|table| at.subject(&at.schema.shown(table)));
    let is_partitioned = |table: &Table| table.kind == TableKind::Partitioned;
    // What has closed the table already, keeps it closed until the end anyway.
    let is_closed = table.is_some_and(|table| at.in_transaction && at.has_closed(&at.schema.shown(table)));
    !index.of_constraint && !is_closed && subject.is_some_and(|subject| !subject.known().is_some_and(is_partitioned))
}
