//! What constraints that come and go lock, on both sides of a foreign key.

use super::relatives::{self, other_side};
use super::{Lock, Mode, Work, with_heirs};
use crate::name::Name;
use crate::schema::{self, Object, Schema, Table};
use crate::statement::{Constraint, ConstraintKind};

/// A new one.
pub(super) fn added(
    name: &Name,
    table: Option<&Table>,
    constraint: &Constraint,
    schema: &Schema,
) -> Vec<Lock> {
    let is_checked = !constraint.not_valid && !constraint.not_enforced;
    let scan = if is_checked { Work::Scan } else { Work::None };
    let (mode, work) = match &constraint.kind {
        ConstraintKind::ForeignKey { table: other, .. } => {
            let mode = Mode::ShareRowExclusive;
            // What is looked up there is all of it as a rule, and it is closed to writers meanwhile.
            let other = with_heirs(schema, other, mode, scan);
            return [Lock::new(name, mode, scan)].into_iter().chain(other).collect();
        }
        ConstraintKind::PrimaryKey { using_index: Some(index), .. } => {
            let is_proven = is_proven_not_null(table, &name.sibling(&index.name), schema);
            (Mode::AccessExclusive, if is_proven { Work::None } else { Work::Scan })
        }
        ConstraintKind::Unique { using_index: Some(_), .. } => (Mode::AccessExclusive, Work::None),
        ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Unique { .. }
        | ConstraintKind::Exclude => (Mode::AccessExclusive, Work::Scan),
        ConstraintKind::NotNull { column } if refuses_nulls(table, column) => {
            (Mode::AccessExclusive, Work::None)
        }
        ConstraintKind::Check(_) | ConstraintKind::NotNull { .. } => (Mode::AccessExclusive, scan),
    };
    vec![Lock::new(name, mode, work)]
}

/// Is it known of all rows that the column is not null?
pub(super) fn refuses_nulls(table: Option<&Table>, column: &str) -> bool {
    table.is_some_and(|table| {
        let refuses = table.column(column).is_some_and(|column| column.not_null);
        // One that is not valid refuses new nulls only.
        let is_open = table.constraints.iter().any(|one| match &one.kind {
            schema::ConstraintKind::NotNull { column: other } => !one.valid && **other == *column,
            _ => false,
        });
        table.proves_not_null(column) || refuses && !is_open
    })
}

/// Does something tell of each column of an index that it is never null?
fn is_proven_not_null(table: Option<&Table>, index: &Name, schema: &Schema) -> bool {
    match schema.relation(index).known().map(|entry| &entry.object) {
        Some(Object::Index(index)) => {
            index.keys.iter().flatten().all(|column| refuses_nulls(table, column))
        }
        _ => false,
    }
}

/// Constraints go; with a foreign key its triggers on the other table, with a key all that refer to it.
pub(super) fn dropped(
    name: &Name,
    table: Option<&Table>,
    goes: impl Fn(&schema::Constraint) -> bool,
    cascade: bool,
    schema: &Schema,
) -> Vec<Lock> {
    let constraints = table.map(|table| &*table.constraints).unwrap_or_default();
    let gone: Vec<_> = constraints.iter().filter(|constraint| goes(constraint)).collect();
    let others = gone.iter().filter_map(|constraint| other_side(schema, constraint));
    let has_gone = |columns: &[Box<str>]| {
        gone.iter().any(|key| key.kind.has_index() && key.kind.columns() == columns)
    };
    let users = relatives::referencing(schema, name)
        .into_iter()
        .filter(|(_, key)| cascade && referenced(table, key).is_some_and(has_gone));
    let others: Vec<Name> = others.chain(users.map(|(table, _)| table)).collect();
    let others = others.iter().map(|other| Lock::short(other, Mode::AccessExclusive));
    [Lock::short(name, Mode::AccessExclusive)].into_iter().chain(others).collect()
}

/// The columns that a foreign key refers to.
pub(super) fn referenced<'s>(
    table: Option<&'s Table>,
    key: &'s schema::Constraint,
) -> Option<&'s [Box<str>]> {
    let schema::ConstraintKind::ForeignKey { referenced, .. } = &key.kind else { return None };
    if !referenced.is_empty() {
        return Some(referenced);
    }
    table?.constraints.iter().find_map(|constraint| match &constraint.kind {
        schema::ConstraintKind::PrimaryKey { columns } => Some(&**columns),
        _ => None,
    })
}
