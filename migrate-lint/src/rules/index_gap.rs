//! Indexes that are dropped before their successor is there.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::Space;
use crate::statement::{Action, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "index_gap",
    level: Level::Warn,
    finds: "an index of a table in use that is dropped, and made again afterwards",
    why: "until the new one is built, which takes as long as the table is large, every query that needs it reads the whole table",
    instead: "Build the new index under another name first, then drop the old one, and rename the new one.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users (email);"),
        ("2_email.sql", "-- migrate: no-transaction
DROP INDEX CONCURRENTLY users_email;
CREATE INDEX CONCURRENTLY users_email ON users (email, id);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users (email);"),
        ("2_email.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_email_new ON users (email, id);
DROP INDEX CONCURRENTLY users_email;
ALTER INDEX users_email_new RENAME TO users_email;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Drop(drop) = at.action() else { return Vec::new() };
    if drop.kind != ObjectKind::Index {
        return Vec::new();
    }
    let replaced = drop.names.iter().filter(|name| at.gone(Space::Relation, name, drop.if_exists).is_some());
    let later = replaced.filter_map(|name| {
        let made = at.later.iter().find_map(|later| match &later.action {
            Action::CreateIndex(index) if index.name.as_ref() == Some(&name.name) => Some(index),
            _ => None,
        })?;
        at.subject(&made.table).map(|_| (name, &made.table))
    });
    later
        .map(|(name, table)| {
            let message = format!("`{table}` is without `{name}` until it has been built again");
            let new = Quoted(&format!("{}_new", name.name)).to_string();
            let instead = format!(
                "Build the new one first:\n    CREATE INDEX CONCURRENTLY {new} ON {table} (…);\n    \
                 DROP INDEX CONCURRENTLY {name};\n    ALTER INDEX {} RENAME TO {};",
                name.sibling(&format!("{}_new", name.name)),
                Quoted(&name.name)
            );
            Hit::new(&name.name, message, instead).at(&name.name)
        })
        .collect()
}
