//! Exclusion constraints, which are always checked at once.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::{Change, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "add_exclusion",
    level: Level::Error,
    finds: "an EXCLUDE constraint on a table in use",
    why: "its index is built under ACCESS EXCLUSIVE: nobody reads or writes the table until that is done, and PostgreSQL knows no other way to add one",
    instead: "Make a new table that has the constraint from the start, fill it in batches, and move the code over; of a small table, say that it is small.",
    bad: &[
        ("1_rooms.sql", "CREATE TABLE bookings (id bigint PRIMARY KEY, during tstzrange);"),
        ("2_rooms.sql", "ALTER TABLE bookings ADD CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&);"),
    ],
    good: &[
        ("1_rooms.sql", "CREATE TABLE bookings (id bigint PRIMARY KEY, during tstzrange);"),
        ("2_rooms.sql", "CREATE TABLE bookings_new (id bigint PRIMARY KEY, during tstzrange, EXCLUDE USING gist (during WITH &&));"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let added = at.changes().filter_map(|(alter, _, change)| match change {
        Change::AddConstraint(constraint) if constraint.kind == ConstraintKind::Exclude => Some((alter, constraint)),
        _ => None,
    });
    added
        .map(|(alter, constraint)| {
            let table = &alter.name;
            let message = format!("`{table}` is closed while the index of the constraint is built");
            let instead = format!(
                "An exclusion can be neither NOT VALID nor made of an index that is there. Make a table that has it from the \
                 start, fill it in batches, and move the code over:\n    \
                 CREATE TABLE {} (LIKE {table} INCLUDING ALL, EXCLUDE …);\n\
                 or, where `{table}` has few rows, list it as a small table.",
                table.sibling(&format!("{}_new", table.name))
            );
            Hit::new(constraint.name.as_deref().unwrap_or_default(), message, instead)
        })
        .collect()
}
