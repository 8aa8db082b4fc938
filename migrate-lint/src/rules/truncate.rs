//! Tables that lose all rows.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "truncate",
    level: Level::Error,
    finds: "TRUNCATE of a table in use outside of a contract, or with CASCADE",
    why: "all rows are gone for good, with CASCADE those of other tables too, and ACCESS EXCLUSIVE keeps everybody out until the end of the transaction",
    instead: "Delete in batches what is no longer needed, or empty it in a contract.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_empty.sql", "TRUNCATE users;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_empty.contract.sql", "TRUNCATE users;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Truncate { tables, cascade } = at.action() else { return Vec::new() };
    let used = tables.iter().filter(|table| at.subject(table).is_some());
    used.filter_map(|table| {
        let others = if *cascade { others(at, table, tables) } else { Vec::new() };
        let message = match others.is_empty() {
            true if at.is_contract() => return None,
            true => format!("all rows of `{table}` are gone, and it is closed until the transaction ends"),
            false => format!("all rows of `{table}` are gone, and with them those of {}", others.join(", ")),
        };
        let instead = match others.is_empty() {
            true => format!(
                "Delete in batches what nobody needs, or, if the code has stopped using it, empty it in the contract of this \
                 version, `{}`.",
                at.contract()
            ),
            false => "Name every table that is to be emptied, without CASCADE.".to_owned(),
        };
        Some(Hit::new(&table.name, message, instead).at(&table.name))
    })
    .collect()
}

/// The tables that nobody has named and that refer to it.
fn others(at: &Situation<'_>, table: &Name, named: &[Name]) -> Vec<String> {
    let known = at.schema.relation(table).known().and_then(|entry| entry.object.as_table());
    let ids = known.map(|table| &*table.referenced_by).unwrap_or_default();
    let entries = ids.iter().filter_map(|id| at.schema.entry(*id));
    let unnamed = entries.filter(|entry| !named.iter().any(|name| name.name == entry.key.name));
    let mut names: Vec<String> = unnamed.map(|entry| format!("`{}`", at.schema.shown(entry))).collect();
    names.sort();
    names.dedup();
    names
}
