//! Functions, types and schemas that go while code uses them.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::schema::{Object, Space};
use crate::statement::{Action, ObjectKind};

pub(super) static RULE: Rule = Rule {
    name: "drop_object",
    level: Level::Error,
    finds: "a function, type, schema or extension that is dropped outside of a contract",
    why: "the code that still runs calls or names it until the last instance is replaced",
    instead: "Stop using it, deploy that, and drop it in a contract file.",
    bad: &[
        ("1_total.sql", "CREATE FUNCTION total(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';"),
        ("2_gone.sql", "DROP FUNCTION total(int);"),
    ],
    good: &[
        ("1_total.sql", "CREATE FUNCTION total(a int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT a';"),
        ("2_gone.contract.sql", "DROP FUNCTION total(int);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::Drop(drop) = at.action() else { return Vec::new() };
    let Some(space) = space(drop.kind).filter(|_| !at.is_contract()) else { return Vec::new() };
    let used = drop.names.iter().filter(|name| {
        let presence = at.gone(space, name, drop.if_exists);
        // Of what an extension brings nothing is known.
        let entry = presence.and_then(|presence| presence.entry);
        entry.is_some_and(|entry| !is_for_triggers(&entry.object)) && !at.is_made_again(name)
    });
    used.map(|name| {
        let message = format!("the code that still runs uses the {} `{name}`", drop.kind);
        Hit::new(&name.name, message, at.leave_it_to_the_contract()).at(&name.name)
    })
    .collect()
}

fn space(kind: ObjectKind) -> Option<Space> {
    use ObjectKind as K;
    match kind {
        K::Function | K::Procedure | K::Routine | K::Aggregate => Some(Space::Routine),
        K::Type | K::Domain => Some(Space::Type),
        K::Schema => Some(Space::Schema),
        K::Extension => Some(Space::Extension),
        _ => None,
    }
}

/// No code calls it.
fn is_for_triggers(object: &Object) -> bool {
    matches!(object, Object::Routine(routine) if routine.of_trigger)
}
