//! Tables, and other things that hold or show data, that go while code uses them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Name;
use crate::schema::Space;
use crate::statement::{Action, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "drop_table",
    level: Level::Error,
    finds: "a table, view or sequence that is dropped outside of a contract",
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
    let used = drop.names.iter().filter(|name| at.gone(Space::Relation, name, drop.if_exists).is_some() && !is_nobodys(at, drop.kind, name));
    used.map(|name| {
        let message = format!("the code that still runs uses the {} `{name}`", drop.kind);
        Hit::new(&name.name, message, at.leave_it_to_the_contract()).at(&name.name)
    })
    .collect()
}

/// Something takes its place, of a table with its rows; or nobody knows it by that name, which it has got just now.
fn is_nobodys(at: &Situation<'_>, kind: ObjectKind, name: &Name) -> bool {
    let is_empty = |action: &Action| matches!(action, Action::CreateTable(create) if create.name == *name);
    let loses_rows = kind == ObjectKind::Table && at.later.iter().any(|later| is_empty(&later.action));
    (at.is_made_again(name) && !loses_rows) || at.has_renamed(name)
}
