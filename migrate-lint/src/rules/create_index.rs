//! Indexes that are built while writers wait.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Remedy, Words};
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
    let is_partitioned = table.known().is_some_and(|table| table.kind == TableKind::Partitioned);
    let free = name(at, index);
    let instead = match is_partitioned {
        true => {
            "A partitioned table takes no CONCURRENTLY: CREATE INDEX … ON ONLY the table, CREATE INDEX CONCURRENTLY on each \
             part, then ALTER INDEX … ATTACH PARTITION."
                .to_owned()
        }
        false => {
            let made_up = format!("{}_{}_idx", index.table.name, index.key_names.join("_"));
            let safe = concurrently(at.text, index, free.as_deref().unwrap_or(&made_up)).unwrap_or_default();
            format!("In a migration of its own:\n    -- migrate: no-transaction\n    {};", safe.replace('\n', "\n    "))
        }
    };
    let safe = free.filter(|_| !is_partitioned).and_then(|name| concurrently(at.text, index, &name));
    let remedy = safe.map(|safe| Remedy::Alone(vec![safe]));
    vec![Hit::new(index.name.as_deref().unwrap_or_default(), message, instead).or(remedy)]
}

/// Does it do nothing, because the name is taken?
fn is_there(at: &Situation<'_>, index: &CreateIndex) -> bool {
    let name = index.name.as_ref().filter(|_| index.if_not_exists).map(|name| index.table.sibling(name));
    name.is_some_and(|name| at.schema.relation(&name).known().is_some())
}

/// The name that it has, or that PostgreSQL gives it; `None` where what is there is hidden.
fn name(at: &Situation<'_>, index: &CreateIndex) -> Option<Box<str>> {
    let columns: Vec<&str> = index.key_names.iter().map(|name| &**name).collect();
    index.name.clone().or_else(|| at.schema.free_name(&index.table, &columns, "idx"))
}

/// The same statement, with the word, and with a name: an interrupted build is found again by it.
fn concurrently(text: &str, index: &CreateIndex, name: &str) -> Option<String> {
    let (head, rest) = text.split_at_checked(Words::of(text).behind("INDEX")?)?;
    let name = if index.name.is_none() { format!(" {}", Quoted(name)) } else { String::new() };
    Some(format!("{head} CONCURRENTLY{name}{rest}"))
}
