//! Unique and primary keys whose index is built while everybody waits.

use super::situation::Subject;
use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::fix::{Remedy, Words};
use crate::name::Quoted;
use crate::schema::TableKind;
use crate::statement::{AlterTable, Change, Constraint, ConstraintKind};

pub(super) static RULE: Rule = Rule {
    name: "add_unique",
    level: Level::Error,
    finds: "a UNIQUE or PRIMARY KEY constraint on a table in use, added without an index that is there",
    why: "its index is built under ACCESS EXCLUSIVE: nobody reads or writes the table until that is done",
    instead: "Build a unique index CONCURRENTLY, and make it the constraint afterwards.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE (email);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.sql", "-- migrate: no-transaction\nCREATE UNIQUE INDEX CONCURRENTLY users_email ON users (email);"),
        ("3_email.sql", "ALTER TABLE users ADD CONSTRAINT users_email UNIQUE USING INDEX users_email;"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let mut hits = Vec::new();
    for (alter, table, change) in at.changes() {
        match change {
            // Of a partitioned table it makes an index that is not valid until the parts have theirs.
            Change::AddConstraint(_) if is_partitioned(table) && alter.only => {}
            Change::AddConstraint(constraint) => {
                let remedy = built_before(at, alter, table, constraint);
                hits.extend(hit(at, alter, table, constraint, "First").map(|hit| hit.or(remedy)));
            }
            Change::AddColumn { column, .. } if !table.has(&column.name) => {
                let before = "Add the column without it. Then";
                hits.extend(column.constraints.iter().filter_map(|constraint| hit(at, alter, table, constraint, before)));
            }
            _ => {}
        }
    }
    hits
}

fn is_partitioned(table: Subject<'_>) -> bool {
    table.known().is_some_and(|table| table.kind == TableKind::Partitioned)
}

fn hit(at: &Situation<'_>, alter: &AlterTable, subject: Subject<'_>, constraint: &Constraint, before: &str) -> Option<Hit> {
    let table = &alter.name;
    let (words, columns, label) = match &constraint.kind {
        ConstraintKind::PrimaryKey { columns, using_index: None } => ("PRIMARY KEY", columns, "pkey"),
        ConstraintKind::Unique { columns, using_index: None } => ("UNIQUE", columns, "key"),
        _ => return None,
    };
    let made_up = match label {
        "pkey" => format!("{}_pkey", table.name),
        _ => format!("{}_{}_key", table.name, columns.join("_")),
    };
    let chosen = at.schema.constraint_name(table, constraint);
    let name = Quoted(chosen.as_deref().unwrap_or(&made_up));
    let list = columns.iter().map(|column| Quoted(column).to_string()).collect::<Vec<_>>().join(", ");
    let message = format!("`{table}` is closed while the index of the constraint is built");
    let instead = match is_partitioned(subject) {
        true => format!(
            "A partitioned table takes neither CONCURRENTLY nor USING INDEX. Add the constraint to the table alone, which takes \
             no time, then to each part by an index that is built CONCURRENTLY, and attach those:\n    \
             ALTER TABLE ONLY {table} ADD CONSTRAINT {name} {words} ({list});\n    ALTER INDEX {} ATTACH PARTITION …;",
            table.sibling(name.0)
        ),
        false => format!(
            "{before} build the index, in a migration of its own:\n    -- migrate: no-transaction\n    \
             CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({list});\nthen make it the constraint:\n    \
             ALTER TABLE {table} ADD CONSTRAINT {name} {words} USING INDEX {name};"
        ),
    };
    Some(Hit::new(columns.first().map_or("", |column| column), message, instead))
}

/// The index first, while everybody works, and the constraint out of it; where the statement says nothing else.
fn built_before(
    at: &Situation<'_>,
    alter: &AlterTable,
    table: Subject<'_>,
    constraint: &Constraint,
) -> Option<Remedy> {
    let kind = match &constraint.kind {
        ConstraintKind::PrimaryKey { .. } => "PRIMARY KEY",
        ConstraintKind::Unique { .. } => "UNIQUE",
        _ => return None,
    };
    let is_plain = table.known().is_some_and(|table| table.kind == TableKind::Plain);
    if !is_plain || alter.only || alter.if_exists || alter.changes.len() > 1 {
        return None;
    }
    let words = Words::of(at.text);
    let columns = words.changes()?.first()?.key_columns()?;
    let head = words.altered()?;
    let name = at.schema.constraint_name(&alter.name, constraint)?;
    let (name, table) = (Quoted(&name), &alter.name);
    Some(Remedy::Alone(vec![
        format!("CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} {columns}"),
        format!("{head} ADD CONSTRAINT {name} {kind} USING INDEX {name}"),
    ]))
}
