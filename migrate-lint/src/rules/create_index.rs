//! Indexes that are built while writers wait.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::TableKind;
use crate::statement::{Action, CreateIndex};

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
    let Some(table) = at.subject(&index.table).filter(|_| !is_there(at, index)) else { return Vec::new() };
    let message = format!("writers of `{}` wait while the index is built", index.table);
    let instead = match table.known() {
        Some(table) if table.kind == TableKind::Partitioned => {
            "A partitioned table takes no CONCURRENTLY: CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each \
             part, then ALTER INDEX … ATTACH PARTITION."
                .to_owned()
        }
        _ => format!("In a migration of its own:\n    -- migrate: no-transaction\n    {};", concurrently(at.text, index)),
    };
    vec![Hit::new(index.name.as_deref().unwrap_or_default(), message, instead)]
}

/// Does it do nothing, because the name is taken?
fn is_there(at: &Situation<'_>, index: &CreateIndex) -> bool {
    let name = index.name.as_ref().filter(|_| index.if_not_exists).map(|name| index.table.sibling(name));
    name.is_some_and(|name| at.schema.relation(&name).known().is_some())
}

/// The same statement, with the word, and with a name: an interrupted build is found again by it.
fn concurrently(text: &str, index: &CreateIndex) -> String {
    let end = text.to_ascii_uppercase().find("INDEX").map_or(0, |start| start + "INDEX".len());
    let (head, rest) = text.split_at_checked(end).unwrap_or(("", text));
    let made_up = format!("{}_{}_idx", index.table.name, index.key_names.join("_"));
    let name = if index.name.is_none() { format!(" {}", Quoted(&made_up)) } else { String::new() };
    format!("{head} CONCURRENTLY{name}{rest}").replace('\n', "\n    ")
}
