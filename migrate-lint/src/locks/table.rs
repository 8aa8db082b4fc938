//! `CREATE TABLE` and `ALTER TABLE`: the longest part of the table of locks.

use super::constraint::{added, dropped, refuses_nulls};
use super::relatives::{self, other_side};
use super::retype::{rekeyed, retyped};
use super::{Lock, Mode, Work, with_heirs};
use crate::name::Name;
use crate::schema::{self, Found, Object, Schema, Space, Table, Volatility};
use crate::statement::{
    AlterTable, Change, Column, ColumnSetting, Constraint, ConstraintKind, CreateTable, Detach,
    Generated, ObjectKind, Persistence,
};

pub(super) fn create(create: &CreateTable, schema: &Schema) -> Vec<Lock> {
    if create.if_not_exists && matches!(schema.relation(&create.name), Found::Known(_)) {
        return Vec::new();
    }
    let constraints =
        create.columns.iter().flat_map(|column| &column.constraints).chain(&create.constraints);
    let referenced = constraints.filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table, .. } if *table != create.name => {
            Some(with_heirs(schema, table, Mode::ShareRowExclusive, Work::None))
        }
        _ => None,
    });
    let whole = create.partition_of.iter();
    let default = whole
        .clone()
        .filter_map(|whole| default_part(schema, whole, Mode::AccessExclusive, Work::Scan));
    let parent = whole.map(|table| Lock::short(table, Mode::AccessExclusive)).chain(default);
    let inherited =
        create.inherits.iter().map(|table| Lock::short(table, Mode::ShareUpdateExclusive));
    let like = create.like.iter().map(|table| Lock::short(table, Mode::AccessShare));
    parent.chain(inherited).chain(like).chain(referenced.flatten()).collect()
}

pub(super) fn alter(alter: &AlterTable, schema: &Schema) -> Vec<Lock> {
    let entry = schema.relation(&alter.name).known();
    let table = entry.and_then(|entry| entry.object.as_table());
    let mut locks: Vec<Lock> =
        alter.changes.iter().flat_map(|change| of_change(alter, table, change, schema)).collect();
    // ONLY leaves the column to the heirs, and they have to be told that it is theirs.
    let is_told = |change: &Change| matches!(change, Change::DropColumn { .. }) || !alter.only;
    if alter.changes.iter().any(|change| is_told(change) && goes_down(change)) {
        // All of them are locked for the strongest of the changes.
        let own = || locks.iter().filter(|lock| lock.relation == alter.name);
        let mode = own().map(|lock| lock.mode).max().unwrap_or(Mode::AccessExclusive);
        let work = own().map(|lock| lock.work).max().unwrap_or(Work::None);
        let heirs = relatives::heirs(schema, &alter.name);
        locks.extend(heirs.iter().map(|heir| Lock::new(heir, mode, work)));
    }
    locks
}

/// Is it done to parts and heirs as well?
fn goes_down(change: &Change) -> bool {
    use Change as C;
    let is_of_the_whole = matches!(
        change,
        C::RenameConstraint { .. }
            | C::AttachPartition { .. }
            | C::DetachPartition { .. }
            | C::Inherit { .. }
            | C::NoInherit { .. }
            | C::SwitchRule
            | C::RowSecurity
            | C::ReplicaIdentity
            | C::Owner
            | C::SetTablespace
            | C::SetAccessMethod
            | C::SetLogged
            | C::SetUnlogged
            | C::Options
            | C::ClusterOn
            | C::Other
    );
    !is_of_the_whole
}

fn of_change(
    AlterTable { kind, name, .. }: &AlterTable,
    table: Option<&Table>,
    change: &Change,
    schema: &Schema,
) -> Vec<Lock> {
    let own = |mode, work| Lock::new(name, mode, work);
    match change {
        Change::AddConstraint(constraint) => added(name, table, constraint, schema),
        Change::AddColumn { column, .. } => new_column(name, table, column, schema),
        Change::DropColumn { column, cascade, .. } => {
            let goes = |constraint: &schema::Constraint| constraint.kind.columns().contains(column);
            dropped(name, table, goes, *cascade, schema)
        }
        Change::DropConstraint { name: constraint, cascade, .. } => {
            dropped(name, table, |one| one.name == *constraint, *cascade, schema)
        }
        Change::AlterType { column, ty, using } => {
            let work = retyped(table, column, ty, using.as_ref(), schema);
            [own(Mode::AccessExclusive, work)]
                .into_iter()
                .chain(rekeyed(name, table, column, work, schema))
                .collect()
        }
        Change::ValidateConstraint { name: constraint } => {
            let constraint = table.and_then(|table| table.constraint(constraint));
            let is_done = constraint.is_some_and(|constraint| constraint.valid);
            let work = if is_done { Work::None } else { Work::Scan };
            let other = constraint.and_then(|constraint| other_side(schema, constraint));
            let other = other.filter(|_| !is_done).map(|other| Lock::short(&other, Mode::RowShare));
            [own(Mode::ShareUpdateExclusive, work)].into_iter().chain(other).collect()
        }
        Change::AlterConstraint { name: constraint, enforced: Some(enforced) } => {
            // Its triggers come back, and all rows are looked up; or its triggers go.
            let (mode, work) = match enforced {
                true => (Mode::ShareRowExclusive, Work::Scan),
                false => (Mode::AccessExclusive, Work::None),
            };
            let constraint = table.and_then(|table| table.constraint(constraint));
            let other = constraint.and_then(|constraint| other_side(schema, constraint));
            let other = other.map(|other| Lock::new(&other, mode, work));
            [own(Mode::AccessExclusive, work)].into_iter().chain(other).collect()
        }
        Change::AttachPartition { .. }
        | Change::DetachPartition { .. }
        | Change::Inherit { .. }
        | Change::NoInherit { .. } => of_family(name, table, change, schema),
        change => {
            let (mode, work) = of_itself(*kind, table, change);
            vec![own(mode, work)]
        }
    }
}

/// Parts and heirs come and go.
fn of_family(name: &Name, table: Option<&Table>, change: &Change, schema: &Schema) -> Vec<Lock> {
    let closed = Mode::AccessExclusive;
    let (own, other, default) = match change {
        Change::AttachPartition { partition, .. } => (
            Mode::ShareUpdateExclusive,
            Lock::new(partition, closed, attached(table, partition, schema)),
            default_part(schema, name, closed, Work::Scan),
        ),
        Change::DetachPartition { partition, how } => {
            let own = match how {
                Detach::Plain => closed,
                // The second of its two transactions closes the part, but not the whole.
                Detach::Concurrently | Detach::Finalize => Mode::ShareUpdateExclusive,
            };
            let default = default_part(schema, name, own, Work::None);
            (own, Lock::short(partition, closed), default)
        }
        Change::Inherit { parent } => {
            (closed, Lock::short(parent, Mode::ShareUpdateExclusive), None)
        }
        Change::NoInherit { parent } => (closed, Lock::short(parent, Mode::AccessShare), None),
        _ => return Vec::new(),
    };
    [Lock::short(name, own), other].into_iter().chain(default).collect()
}

/// A new column, with its constraints.
fn new_column(name: &Name, table: Option<&Table>, column: &Column, schema: &Schema) -> Vec<Lock> {
    // Nulls are not looked up on the other side; that there is nothing else is not even asked without a default.
    let has_values = column.default.as_ref().is_some_and(|default| !default.is_null);
    let others = column.constraints.iter().flat_map(|constraint| match constraint.kind {
        ConstraintKind::ForeignKey { .. } if !has_values => {
            let unchecked = Constraint { not_valid: true, ..constraint.clone() };
            added(name, table, &unchecked, schema)
        }
        _ => added(name, table, constraint, schema),
    });
    let is_key = |one: &Constraint| matches!(one.kind, ConstraintKind::ForeignKey { .. });
    let work = match rewrites(column, schema) {
        Some(_) => Work::Rewrite,
        None if column.default.is_some() && column.constraints.iter().any(is_key) => Work::Scan,
        None => Work::None,
    };
    [Lock::new(name, Mode::AccessExclusive, work)].into_iter().chain(others).collect()
}

/// The part that takes what no other part takes: rows that belong in a new one must not be there.
fn default_part(schema: &Schema, whole: &Name, mode: Mode, work: Work) -> Option<Lock> {
    relatives::default_part(schema, whole).map(|part| Lock::new(&part, mode, work))
}

/// Are the rows of a new part read? Not if a check says of all that they fit, and what it says, its words would tell; and
/// not if it has the indexes of the whole.
fn attached(whole: Option<&Table>, partition: &Name, schema: &Schema) -> Work {
    let index = |id: &schema::Id| match schema.entry(*id).map(|entry| &entry.object) {
        Some(Object::Index(index)) => Some(index),
        _ => None,
    };
    let fits = |part: &Table| {
        let has = |wanted: &schema::Index| {
            part.indexes.iter().filter_map(index).any(|own| own.keys == wanted.keys)
        };
        let wanted = whole.map(|whole| &*whole.indexes).unwrap_or_default();
        part.has_valid_check() && wanted.iter().filter_map(index).all(has)
    };
    match relatives::table(schema, partition).is_some_and(fits) {
        true => Work::None,
        false => Work::Scan,
    }
}

/// What touches no other relation.
fn of_itself(kind: ObjectKind, table: Option<&Table>, change: &Change) -> (Mode, Work) {
    let is = |persistence| table.is_some_and(|table| table.persistence == persistence);
    let work = match change {
        // Of a view they are part of what it means.
        Change::Options if kind != ObjectKind::View => {
            return (Mode::ShareUpdateExclusive, Work::None);
        }
        Change::SetLogged if is(Persistence::Permanent) => Work::None,
        Change::SetUnlogged if is(Persistence::Unlogged) => Work::None,
        Change::ColumnSetting { setting: ColumnSetting::Statistics, .. } | Change::ClusterOn => {
            return (Mode::ShareUpdateExclusive, Work::None);
        }
        Change::SwitchTrigger { .. } => return (Mode::ShareRowExclusive, Work::None),
        Change::SetExpression { .. }
        | Change::SetTablespace
        | Change::SetAccessMethod
        | Change::SetLogged
        | Change::SetUnlogged => Work::Rewrite,
        Change::SetNotNull { column } => {
            if refuses_nulls(table, column) {
                Work::None
            } else {
                Work::Scan
            }
        }
        _ => Work::None,
    };
    (Mode::AccessExclusive, work)
}

/// Why a new column is written into every row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Each takes a number from a sequence.
    Sequence,
    /// The generated value is kept with the row.
    Stored,
    /// A function gives each another value.
    Volatile(Name),
    /// A domain is checked for each.
    Domain(Name),
}

/// Why a new column is written into every row that is there, if it is.
pub fn rewrites(column: &Column, schema: &Schema) -> Option<Cause> {
    let ty = column.ty.as_ref()?;
    if ty.is_serial() || column.generated == Some(Generated::Identity) {
        return Some(Cause::Sequence);
    }
    if column.generated == Some(Generated::Stored) {
        return Some(Cause::Stored);
    }
    let calls = column.default.iter().flat_map(|default| &default.calls);
    let mut volatile = calls.filter(|call| schema.volatility(call) == Volatility::Volatile);
    if let Some(function) = volatile.next() {
        return Some(Cause::Volatile(function.clone()));
    }
    let domain = schema.find(Space::Type, &ty.name).known()?;
    let constrained = matches!(&domain.object, Object::Domain(domain) if domain.constrained);
    (constrained && !ty.array).then(|| Cause::Domain(ty.name.clone()))
}
