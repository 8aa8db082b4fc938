//! Changes to what the runner keeps.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "runner_table",
    level: Level::Error,
    finds: "a statement that changes the table of the history",
    why: "what has run and what has not stands there: a runner that reads something else runs a migration twice, or never",
    instead: "Leave it to the runner and to its commands.",
    bad: &[
        ("1_fix.sql", "DELETE FROM schema_migrations WHERE version = 7;"),
    ],
    good: &[
        ("1_fix.sql", "SELECT 1;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let is_ours = |name: &&Name| {
        let rest = name.name.strip_prefix(&*at.facts.history);
        rest.is_some_and(|rest| rest.is_empty() || rest == "_settled")
    };
    let mut touched = touched(at.action()).into_iter().filter(is_ours);
    let instead = "Remove the statement. What the history says wrongly, the runner's own commands put right.";
    touched
        .next()
        .map(|name| {
            let message = format!("`{name}` is the runner's");
            Hit::new(&name.name, message, instead).at(&name.name)
        })
        .into_iter()
        .collect()
}

/// What the statement changes.
fn touched(action: &Action) -> Vec<&Name> {
    match action {
        Action::CreateTable(create) => vec![&create.name],
        Action::CreateTableAs { name, .. } => vec![name],
        Action::AlterTable(alter) => vec![&alter.name],
        Action::CreateIndex(index) => vec![&index.table],
        Action::CreateTrigger(trigger) => vec![&trigger.table],
        Action::CreateOnTable { table, .. } => vec![table],
        Action::Drop(drop) if drop.kind.is_relation() => drop.names.iter().collect(),
        Action::Rename { name, .. } | Action::Move { name, .. } => vec![name],
        Action::Data(writes) => writes.iter().map(|write| &write.table).collect(),
        Action::Truncate { tables, .. } => tables.iter().collect(),
        _ => Vec::new(),
    }
}
