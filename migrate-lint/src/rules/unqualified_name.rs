//! Names whose schema the session chooses.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::statement::{Action, Persistence};

pub(super) static RULE: Rule = Rule {
    name: "unqualified_name",
    level: Level::Off,
    finds: "a table that is created or changed without its schema",
    why: "which one is meant, the `search_path` of the role that migrates says: with another role it is another table",
    instead: "Write the schema before the name.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE public.users (id bigint PRIMARY KEY);"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let bare = named(at.action()).into_iter().find(|name| name.schema.is_none());
    bare.map(|name| {
        let message = format!("the schema of `{name}` is the session's to choose");
        let instead = format!("Write `{}`.", Name::qualified("public", &name.name));
        Hit::new(&name.name, message, instead).at(&name.name)
    })
    .into_iter()
    .collect()
}

/// The relations that a statement makes, changes or drops.
fn named(action: &Action) -> Vec<&Name> {
    match action {
        Action::CreateTable(create) if create.persistence != Persistence::Temporary => vec![&create.name],
        Action::CreateTableAs { name, persistence, .. } if *persistence != Persistence::Temporary => vec![name],
        Action::CreateView(create) if !create.temporary => vec![&create.name],
        Action::CreateSequence(create) if !create.temporary => vec![&create.name],
        Action::AlterTable(alter) => vec![&alter.name],
        Action::CreateIndex(index) => vec![&index.table],
        Action::CreateTrigger(trigger) => vec![&trigger.table],
        Action::Rename { kind, name, .. } | Action::Move { kind, name, .. } if kind.is_relation() => vec![name],
        Action::Drop(drop) if drop.kind.is_relation() => drop.names.iter().collect(),
        Action::Truncate { tables, .. } => tables.iter().collect(),
        Action::Data(writes) => writes.iter().map(|write| &write.table).collect(),
        _ => Vec::new(),
    }
}
