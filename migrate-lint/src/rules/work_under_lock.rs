//! Long work while a table is closed.

use super::{Check, Hit, Rule, Situation, many};
use crate::finding::Level;
use crate::locks::{Work, locks};
use crate::name::Name;
use crate::schema::Table;
use crate::statement::{Action, WriteKind};

pub(super) static RULE: Rule = Rule {
    name: "work_under_lock",
    level: Level::Error,
    finds: "a statement that takes long in a transaction that has closed a table",
    why: "an earlier statement of the transaction has taken ACCESS EXCLUSIVE, which is kept until the end: nobody reads or writes that table meanwhile",
    instead: "Do it in a migration of its own.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE TABLE logs (id bigint PRIMARY KEY, n int);"),
        ("2_copy.sql", "ALTER TABLE users ADD COLUMN name text; INSERT INTO logs SELECT id, 0 FROM users;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE TABLE logs (id bigint PRIMARY KEY, n int);"),
        ("2_name.sql", "ALTER TABLE users ADD COLUMN name text;"),
        ("3_copy.sql", "INSERT INTO logs SELECT id, 0 FROM users;"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Some(closed) = at.closed().filter(|_| at.in_transaction) else { return Vec::new() };
    let Some(work) = work(at) else { return Vec::new() };
    let message = format!("`{closed}`, which an earlier statement has closed, stays closed while {work}");
    vec![Hit::new("", message, "Move it to a migration of its own, which begins when this one has committed.")]
}

/// What of the statement takes as long as a table is large.
fn work(at: &Situation<'_>) -> Option<String> {
    let read = || at.statement.reads.iter().find(|read| at.subject(read).is_some());
    match at.action() {
        Action::Data(_) => {
            let mut writes = many(at.statement);
            // What has room for one row gets a sum of others, mostly by an index.
            let copies = writes.any(|write| {
                write.kind == WriteKind::InsertQuery && !write.limited && !has_one_row(at, &write.table)
            });
            read().filter(|_| copies).map(|table| format!("rows of `{table}` are copied"))
        }
        Action::CreateTableAs { .. } => read().map(|table| format!("rows of `{table}` are copied")),
        Action::CreateView(view) if view.materialized => read().map(|table| format!("rows of `{table}` are read")),
        _ => {
            let locks = locks(at.statement, at.schema);
            let worked = locks.into_iter().find(|lock| lock.work > Work::None && at.subject(&lock.relation).is_some());
            worked.map(|lock| format!("all of `{}` is read", lock.relation))
        }
    }
}

fn has_one_row(at: &Situation<'_>, table: &Name) -> bool {
    let table = at.schema.relation(table).known().and_then(|entry| entry.object.as_table());
    table.is_some_and(Table::holds_one_row)
}
