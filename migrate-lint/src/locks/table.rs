//! `CREATE TABLE` and `ALTER TABLE`: the longest part of the table of locks.

use super::conversion::{Conversion, conversion_in};
use super::relatives::{self, other_side};
use super::{Lock, Mode, Work, with_heirs};
use crate::name::Name;
use crate::schema::{self, Found, Object, Schema, Space, Table, TableKind, Volatility};
use crate::statement::{
    AlterTable, Change, Column, ColumnSetting, Constraint, ConstraintKind, CreateTable, Detach,
    Expression, Generated, ObjectKind, Persistence, Type,
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
    // What it takes must not be in the default part.
    let default = whole.clone().filter_map(|whole| relatives::default_part(schema, whole));
    let default = default.map(|part| Lock::new(&part, Mode::AccessExclusive, Work::Scan));
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
    let goes_down = alter.changes.iter().any(|change| is_told(change) && goes_down(change));
    if let Some(own) = locks.first().cloned().filter(|_| goes_down) {
        let heirs = relatives::heirs(schema, &alter.name);
        locks.extend(heirs.into_iter().map(|relation| Lock { relation, ..own.clone() }));
    }
    locks
}

/// Is it done to parts and heirs as well?
fn goes_down(change: &Change) -> bool {
    match change {
        Change::RenameConstraint { .. }
        | Change::AttachPartition { .. }
        | Change::DetachPartition { .. }
        | Change::Inherit { .. }
        | Change::NoInherit { .. }
        | Change::SwitchRule
        | Change::RowSecurity
        | Change::ReplicaIdentity
        | Change::Owner
        | Change::SetTablespace
        | Change::SetAccessMethod
        | Change::SetLogged
        | Change::SetUnlogged
        | Change::Options
        | Change::ClusterOn
        | Change::Other => false,
        _ => true,
    }
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
        Change::AddColumn { column, .. } => {
            // Nulls are not looked up on the other side; that there are no others is not even asked without a default.
            let has_values = column.default.as_ref().is_some_and(|default| !default.is_null);
            let others = column.constraints.iter().flat_map(|constraint| match constraint.kind {
                ConstraintKind::ForeignKey { .. } if !has_values => {
                    let unchecked = Constraint { not_valid: true, ..constraint.clone() };
                    added(name, table, &unchecked, schema)
                }
                _ => added(name, table, constraint, schema),
            });
            let is_key = |one: &Constraint| matches!(one.kind, ConstraintKind::ForeignKey { .. });
            let is_read = column.default.is_some() && column.constraints.iter().any(is_key);
            let work = match rewrites(column, schema) {
                Some(_) => Work::Rewrite,
                None if is_read => Work::Scan,
                None => Work::None,
            };
            [own(Mode::AccessExclusive, work)].into_iter().chain(others).collect()
        }
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
            let other = constraint.and_then(|constraint| other_side(schema, constraint));
            let is_done = constraint.is_some_and(|constraint| constraint.valid);
            let work = if is_done { Work::None } else { Work::Scan };
            let other = other.filter(|_| !is_done).map(|other| Lock::short(&other, Mode::RowShare));
            [own(Mode::ShareUpdateExclusive, work)].into_iter().chain(other).collect()
        }
        Change::AlterConstraint { name: constraint, enforced: Some(enforced) } => {
            let constraint = table.and_then(|table| table.constraint(constraint));
            let other = constraint.and_then(|constraint| other_side(schema, constraint));
            // Its triggers come back, and all rows are looked up; or its triggers go.
            let (mode, work) = match enforced {
                true => (Mode::ShareRowExclusive, Work::Scan),
                false => (Mode::AccessExclusive, Work::None),
            };
            let other = other.map(|other| Lock::new(&other, mode, work));
            [own(Mode::AccessExclusive, work)].into_iter().chain(other).collect()
        }
        Change::AttachPartition { partition, .. } => {
            let part =
                Lock::new(partition, Mode::AccessExclusive, attached(table, partition, schema));
            let default = relatives::default_part(schema, name);
            let default = default.map(|part| Lock::new(&part, Mode::AccessExclusive, Work::Scan));
            [own(Mode::ShareUpdateExclusive, Work::None), part].into_iter().chain(default).collect()
        }
        Change::DetachPartition { partition, how } => {
            let (mode, part) = match how {
                Detach::Plain => (Mode::AccessExclusive, Mode::AccessExclusive),
                // The second of its two transactions closes the part.
                Detach::Concurrently | Detach::Finalize => {
                    (Mode::ShareUpdateExclusive, Mode::AccessExclusive)
                }
            };
            let default = relatives::default_part(schema, name);
            let default = default.map(|part| Lock::short(&part, mode));
            [own(mode, Work::None), Lock::short(partition, part)]
                .into_iter()
                .chain(default)
                .collect()
        }
        Change::Inherit { parent } => {
            vec![
                own(Mode::AccessExclusive, Work::None),
                Lock::short(parent, Mode::ShareUpdateExclusive),
            ]
        }
        Change::NoInherit { parent } => {
            vec![own(Mode::AccessExclusive, Work::None), Lock::short(parent, Mode::AccessShare)]
        }
        change => {
            let (mode, work) = of_itself(*kind, table, change);
            vec![own(mode, work)]
        }
    }
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

/// What another type for a column does to the rows.
fn retyped(
    table: Option<&Table>,
    column: &str,
    ty: &Type,
    using: Option<&Expression>,
    schema: &Schema,
) -> Work {
    let old = table.and_then(|table| table.column(column)).and_then(|column| column.ty.as_ref());
    match old.map(|old| (old, conversion_in(schema, old, ty, using, column))) {
        Some((old, Conversion::InPlace)) if is_looked_at_again(table, column, old, ty, schema) => {
            Work::Scan
        }
        Some((_, Conversion::InPlace)) => Work::None,
        _ => Work::Rewrite,
    }
}

/// Does something on the table depend on more than the bytes of a column? Checks are checked again. Of an index that
/// sorts other than before, that has an expression or that leaves rows out, the server does not ask whether it still
/// fits.
fn is_looked_at_again(
    table: Option<&Table>,
    column: &str,
    old: &Type,
    new: &Type,
    schema: &Schema,
) -> bool {
    let Some(table) = table else { return false };
    let is_it = |name: &Box<str>| &**name == column;
    let is_checked = table.constraints.iter().any(|constraint| match &constraint.kind {
        schema::ConstraintKind::Check(check) => constraint.valid && check.columns.iter().any(is_it),
        _ => false,
    });
    // Of a partitioned table the parts are not asked whether theirs still fits.
    let sorts_as_before = sorts_as(old) == sorts_as(new) && table.kind != TableKind::Partitioned;
    let is_built_anew = |index: &schema::Index| {
        let is_plain = index.keys.iter().all(Option::is_some) && !index.partial;
        index.uses.iter().any(is_it)
            || index.keys.iter().flatten().any(is_it) && !(is_plain && sorts_as_before)
    };
    let mut indexes = table.indexes.iter().filter_map(|id| schema.entry(*id));
    is_checked
        || indexes
            .any(|entry| matches!(&entry.object, Object::Index(index) if is_built_anew(index)))
}

/// The type by whose order an index of a type is sorted.
fn sorts_as(ty: &Type) -> &str {
    match &*ty.name.name {
        "varchar" => "text",
        "cidr" => "inet",
        "serial" => "int4",
        "bigserial" => "int8",
        "smallserial" => "int2",
        other => other,
    }
}

fn added(
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

fn refuses_nulls(table: Option<&Table>, column: &str) -> bool {
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
fn dropped(
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
fn referenced<'s>(table: Option<&'s Table>, key: &'s schema::Constraint) -> Option<&'s [Box<str>]> {
    let schema::ConstraintKind::ForeignKey { referenced, .. } = &key.kind else { return None };
    if !referenced.is_empty() {
        return Some(referenced);
    }
    let primary = table?.constraints.iter().find_map(|constraint| match &constraint.kind {
        schema::ConstraintKind::PrimaryKey { columns } => Some(&**columns),
        _ => None,
    });
    primary
}

/// Foreign keys of a column that gets another type are made again, and both sides are closed for it.
fn rekeyed(
    name: &Name,
    table: Option<&Table>,
    column: &str,
    work: Work,
    schema: &Schema,
) -> Vec<Lock> {
    // Where the bytes stay, the rows need not be compared again.
    let work = if work == Work::Rewrite { Work::Scan } else { Work::None };
    let is_it = |name: &Box<str>| &**name == column;
    let constraints = table.map(|table| &*table.constraints).unwrap_or_default();
    let own = constraints.iter().filter(|constraint| constraint.kind.columns().iter().any(is_it));
    let others = own.filter_map(|constraint| other_side(schema, constraint));
    let users = relatives::referencing(schema, name)
        .into_iter()
        .filter(|(_, key)| referenced(table, key).is_some_and(|columns| columns.iter().any(is_it)));
    let all: Vec<Name> = others.chain(users.map(|(table, _)| table)).collect();
    all.iter().map(|other| Lock::new(other, Mode::AccessExclusive, work)).collect()
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
