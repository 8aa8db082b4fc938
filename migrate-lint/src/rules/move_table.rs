//! Tables whose rows go somewhere else.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::schema::{Table, TableKind};
use crate::statement::Change;

pub(super) static RULE: Rule = Rule {
    name: "move_table",
    level: Level::Error,
    finds: "SET TABLESPACE, ACCESS METHOD, LOGGED, UNLOGGED or EXPRESSION of a table in use",
    why: "the whole table is written anew under ACCESS EXCLUSIVE: nobody reads or writes it until that is done",
    instead: "Make a new table that is as it should be, fill it in batches, and move the code over.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_fast.sql", "ALTER TABLE users SET UNLOGGED;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_fast.sql", "CREATE UNLOGGED TABLE users_fast (id bigint PRIMARY KEY, email text);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let moved = at.changes().filter_map(|(alter, subject, change)| {
        let words = match change {
            Change::SetTablespace => "to put it into another tablespace",
            Change::SetAccessMethod => "to change its access method",
            Change::SetLogged => "to log it from now on",
            Change::SetUnlogged => "to log it no longer",
            Change::SetExpression { .. } => "to compute the column anew",
            _ => return None,
        };
        // A partitioned table has no rows of its own.
        let is_partitioned = |table: &Table| table.kind == TableKind::Partitioned;
        (!subject.known().is_some_and(is_partitioned)).then_some((alter, words))
    });
    moved
        .map(|(alter, words)| {
            let table = &alter.name;
            let message = format!("`{table}` is closed while all of it is written anew {words}");
            let instead = format!(
                "Make a table that is as it should be, keep both the same with a trigger, fill it in batches, and move the code \
                 over:\n    CREATE TABLE {} (LIKE {table} INCLUDING ALL);",
                table.sibling(&format!("{}_new", table.name))
            );
            Hit::new(&table.name, message, instead)
        })
        .collect()
}
