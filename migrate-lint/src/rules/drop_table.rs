//! Tables, and other things that hold or show data, that go while code uses them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Action, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "drop_table",
    level: Level::Error,
    finds: "a table, view, sequence or schema that is dropped outside of a contract",
    why: "the code that still runs reads and writes it until the last instance is replaced, and its rows are gone for good",
    instead: "Stop using it, deploy that, and drop it in a contract file.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_gone.sql", "DROP TABLE users;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);"),
        ("2_gone.contract.sql", "DROP TABLE users;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Drop(drop) = at.action() else { return Vec::new() };
    let is_data = matches!(
        drop.kind,
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView | ObjectKind::Sequence
    );
    if at.is_contract() || !is_data {
        return Vec::new();
    }
    let used = drop.names.iter().filter(|name| at.in_use(name).is_some() && !at.is_made_again(name));
    used.map(|name| {
        let message = format!("the code that still runs uses the {} `{name}`", drop.kind);
        let instead = format!(
            "Stop using it, release that, and drop it in the contract of this version, `{}`.",
            at.contract()
        );
        Hit::new(&name.name, message, instead).at(&name.name)
    })
    .collect()
}
