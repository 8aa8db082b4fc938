//! Columns that go while code uses them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Change;

pub(super) static RULE: Rule = Rule {
    name: "drop_column",
    level: Level::Error,
    finds: "a column that is dropped outside of a contract",
    why: "the code that still runs names it in SELECT and INSERT until the last instance is replaced, and its values are gone for good",
    instead: "Stop using it, deploy that, and drop it in a contract file.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, nick text);"),
        ("2_nick.sql", "ALTER TABLE users DROP COLUMN nick;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, nick text);"),
        ("2_nick.contract.sql", "ALTER TABLE users DROP COLUMN nick;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.is_contract() {
        return Vec::new();
    }
    let hit = |(alter, column): (&crate::statement::AlterTable, &str)| {
        let message = format!("the code that still runs uses `{}.{column}`", alter.name);
        Hit::new(column, message, at.leave_it_to_the_contract()).at(column)
    };
    let dropped = at.changes_in_use().filter_map(|(alter, table, change)| match change {
        Change::DropColumn { column, if_exists, .. } if !at.has_new_column(table, column) && !table.lacks(column) && (table.has(column) || !if_exists) => {
            Some((alter, &**column))
        }
        _ => None,
    });
    dropped.map(hit).collect()
}
