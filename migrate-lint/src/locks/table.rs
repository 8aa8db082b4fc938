//! `CREATE TABLE` and `ALTER TABLE`: the longest part of the table of locks.

use super::conversion::{Conversion, conversion};
use super::{Lock, Mode, Work};
use crate::name::Name;
use crate::schema::{self, Object, Schema, Space, Table, Volatility};
use crate::statement::{
    AlterTable, Change, Column, ColumnSetting, Constraint, ConstraintKind, CreateTable, Detach,
    Generated,
};

pub(super) fn create(create: &CreateTable) -> Vec<Lock> {
    let constraints =
        create.columns.iter().flat_map(|column| &column.constraints).chain(&create.constraints);
    let referenced = constraints.filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table, .. } if *table != create.name => {
            Some(Lock::short(table, Mode::ShareRowExclusive))
        }
        _ => None,
    });
    let parent = create.partition_of.iter().map(|table| Lock::short(table, Mode::AccessExclusive));
    let inherited =
        create.inherits.iter().map(|table| Lock::short(table, Mode::ShareUpdateExclusive));
    let like = create.like.iter().map(|table| Lock::short(table, Mode::AccessShare));
    parent.chain(inherited).chain(like).chain(referenced).collect()
}

pub(super) fn alter(alter: &AlterTable, schema: &Schema) -> Vec<Lock> {
    let entry = schema.relation(&alter.name).known();
    let table = entry.and_then(|entry| entry.object.as_table());
    alter.changes.iter().flat_map(|change| of_change(&alter.name, table, change, schema)).collect()
}

fn of_change(name: &Name, table: Option<&Table>, change: &Change, schema: &Schema) -> Vec<Lock> {
    let own = |mode, work| Lock::new(name, mode, work);
    match change {
        Change::AddConstraint(constraint) => added(name, constraint),
        Change::AddColumn { column, .. } => {
            // A foreign key of nulls alone is not looked up.
            let has_values = column.default.as_ref().is_some_and(|default| !default.is_null);
            let others = column.constraints.iter().flat_map(|constraint| match constraint.kind {
                ConstraintKind::ForeignKey { .. } if !has_values => {
                    added(name, &Constraint { not_valid: true, ..constraint.clone() })
                }
                _ => added(name, constraint),
            });
            let work = if rewrites(column, schema).is_some() { Work::Rewrite } else { Work::None };
            [own(Mode::AccessExclusive, work)].into_iter().chain(others).collect()
        }
        Change::DropConstraint { name: constraint, .. } => {
            let other = other_side(table, constraint, schema)
                .map(|other| Lock::short(&other, Mode::AccessExclusive));
            [own(Mode::AccessExclusive, Work::None)].into_iter().chain(other).collect()
        }
        Change::ValidateConstraint { name: constraint } => {
            let other = other_side(table, constraint, schema)
                .map(|other| Lock::short(&other, Mode::RowShare));
            [own(Mode::ShareUpdateExclusive, Work::Scan)].into_iter().chain(other).collect()
        }
        Change::AttachPartition { partition } => {
            vec![
                own(Mode::ShareUpdateExclusive, Work::None),
                Lock::new(partition, Mode::AccessExclusive, Work::Scan),
            ]
        }
        Change::DetachPartition { partition, how: Detach::Plain } => {
            vec![
                own(Mode::AccessExclusive, Work::None),
                Lock::short(partition, Mode::AccessExclusive),
            ]
        }
        Change::DetachPartition { .. } => vec![own(Mode::ShareUpdateExclusive, Work::None)],
        Change::Inherit { parent } | Change::NoInherit { parent } => {
            vec![
                own(Mode::AccessExclusive, Work::None),
                Lock::short(parent, Mode::ShareUpdateExclusive),
            ]
        }
        change => {
            let (mode, work) = of_itself(table, change, schema);
            vec![own(mode, work)]
        }
    }
}

/// What touches no other relation.
fn of_itself(table: Option<&Table>, change: &Change, schema: &Schema) -> (Mode, Work) {
    let work = match change {
        Change::ColumnSetting { setting: ColumnSetting::Statistics, .. }
        | Change::Options
        | Change::ClusterOn => {
            return (Mode::ShareUpdateExclusive, Work::None);
        }
        Change::SwitchTrigger { .. } => return (Mode::ShareRowExclusive, Work::None),
        Change::SetExpression { .. }
        | Change::SetTablespace
        | Change::SetAccessMethod
        | Change::SetLogged
        | Change::SetUnlogged => Work::Rewrite,
        Change::AlterType { column, ty, using } => {
            let old =
                table.and_then(|table| table.column(column)).and_then(|column| column.ty.as_ref());
            match old.map(|old| conversion(old, ty, using.as_ref(), column, schema.time_zone())) {
                Some(Conversion::InPlace) => Work::None,
                _ => Work::Rewrite,
            }
        }
        Change::SetNotNull { column } => {
            let is_proven = table.is_some_and(|table| {
                table.proves_not_null(column)
                    || table.column(column).is_some_and(|column| column.not_null)
            });
            if is_proven { Work::None } else { Work::Scan }
        }
        Change::AlterConstraint { enforced: true, .. } => Work::Scan,
        _ => Work::None,
    };
    (Mode::AccessExclusive, work)
}

fn added(name: &Name, constraint: &Constraint) -> Vec<Lock> {
    let is_checked = !constraint.not_valid && !constraint.not_enforced;
    let scan = if is_checked { Work::Scan } else { Work::None };
    let (mode, work) = match &constraint.kind {
        ConstraintKind::ForeignKey { table, .. } => {
            let mode = Mode::ShareRowExclusive;
            return vec![Lock::new(name, mode, scan), Lock::short(table, mode)];
        }
        ConstraintKind::PrimaryKey { using_index: Some(_), .. }
        | ConstraintKind::Unique { using_index: Some(_), .. } => {
            (Mode::AccessExclusive, Work::None)
        }
        ConstraintKind::PrimaryKey { .. }
        | ConstraintKind::Unique { .. }
        | ConstraintKind::Exclude => (Mode::AccessExclusive, Work::Scan),
        ConstraintKind::Check(_) | ConstraintKind::NotNull { .. } => (Mode::AccessExclusive, scan),
    };
    vec![Lock::new(name, mode, work)]
}

/// The table that a foreign key refers to.
fn other_side(table: Option<&Table>, constraint: &str, schema: &Schema) -> Option<Name> {
    match table?.constraint(constraint)?.kind {
        schema::ConstraintKind::ForeignKey { table: Some(other), .. } => {
            schema.entry(other).map(|entry| schema.shown(entry))
        }
        _ => None,
    }
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
