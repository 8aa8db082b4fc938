//! Which lock a statement takes on which relation, and whether it reads or writes all rows.
//!
//! Owns the table of PostgreSQL's locks, as measured on real servers. Judges nothing.

mod constraint;
pub mod conversion;
mod drop;
mod maintenance;
mod relatives;
mod retype;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use retype::{Again, made_again};
pub use table::{Cause, rewrites};

pub use migrate_core::{LockMode as Mode, Work};

use migrate_core::LockTarget;

use crate::name::Name;
use crate::schema::{Found, Schema, TableKind, builtin};
use crate::statement::{
    Action, AlterDomain, CreateIndex, CreateSequence, ObjectKind, Statement, Write, WriteKind,
};

/// A lock that a statement takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lock {
    /// On what, as the statement names it, or with its schema where it does not.
    pub relation: Name,
    /// Nobody has written that schema, nor a search path that leads to it.
    pub is_guess: bool,
    /// Which one.
    pub mode: Mode,
    /// What it is held for.
    pub work: Work,
}

impl Lock {
    /// For whoever runs the statement.
    pub(crate) fn target(&self) -> LockTarget {
        let Self { relation, is_guess, mode, work } = self;
        let relation = relation.to_string().into();
        LockTarget { relation, is_guess: *is_guess, mode: *mode, work: *work }
    }

    fn new(relation: &Name, mode: Mode, work: Work) -> Self {
        Self { relation: relation.clone(), is_guess: false, mode, work }
    }

    fn short(relation: &Name, mode: Mode) -> Self {
        Self::new(relation, mode, Work::None)
    }
}

/// The strongest lock that a statement takes on each relation that is there before it, as far as the statement and the
/// schema tell: what triggers and functions do while it runs is not among it.
pub(crate) fn locks(statement: &Statement, schema: &Schema) -> Vec<Lock> {
    // What only will be read is not followed any further.
    let runs = !matches!(&statement.action, Action::CreateView(view) if !view.materialized);
    let reads = statement.reads.iter().flat_map(|read| match runs {
        true => used(schema, read, Mode::AccessShare),
        false => vec![Lock::short(read, Mode::AccessShare)],
    });
    let rows = statement.locks_rows.iter().flat_map(|row| used(schema, row, Mode::RowShare));
    let mut locks: Vec<Lock> = Vec::new();
    let all = of_action(&statement.action, schema).into_iter().chain(reads).chain(rows);
    for lock in all.filter(|lock| !is_missing(schema, &lock.relation)) {
        let is_same = |other: &&mut Lock| schema.means_the_same(&other.relation, &lock.relation);
        match locks.iter_mut().find(is_same) {
            Some(other) => {
                other.mode = other.mode.max(lock.mode);
                other.work = other.work.max(lock.work);
            }
            None => locks.push(lock),
        }
    }
    locks
}

/// May it lock what its text does not tell? What triggers do is left out: they mostly change rows.
pub(crate) fn is_opaque(statement: &Statement) -> bool {
    match &statement.action {
        Action::Unknown | Action::TooDeep | Action::Call(_) | Action::Do { .. } => true,
        Action::Data(_) => statement.calls.iter().any(builtin::may_change_a_schema),
        _ => false,
    }
}

/// A relation whose rows are read or changed, with its parts and heirs, or with what a view reads.
fn used(schema: &Schema, name: &Name, mode: Mode) -> Vec<Lock> {
    let sources = relatives::looked_through(schema, name);
    // Through a view of one table its rows are changed; what else a view reads is only read.
    let through = match &*sources {
        [_] => mode,
        _ if mode == Mode::RowShare => mode,
        _ => Mode::AccessShare,
    };
    let heirs = relatives::heirs(schema, name);
    let heirs = heirs.iter().map(|heir| Lock::short(heir, mode));
    let sources = sources.iter().flat_map(|source| used(schema, source, through));
    [Lock::short(name, mode)].into_iter().chain(heirs).chain(sources).collect()
}

fn of_action(action: &Action, schema: &Schema) -> Vec<Lock> {
    let closed = |name: &Name| vec![Lock::short(name, Mode::AccessExclusive)];
    match action {
        Action::CreateTable(create) => table::create(create, schema),
        Action::AlterTable(alter) => table::alter(alter, schema),
        Action::CreateIndex(create) => indexed(create, schema),
        Action::CreateView(view) if view.or_replace => closed(&view.name),
        Action::CreateTrigger(trigger) if trigger.each_row => {
            with_parts(schema, &trigger.table, Mode::ShareRowExclusive, Work::None)
        }
        Action::CreateTrigger(trigger) => {
            vec![Lock::short(&trigger.table, Mode::ShareRowExclusive)]
        }
        Action::CreateOnTable { table, .. } => closed(table),
        Action::CreateSchema { elements, .. } => {
            elements.iter().flat_map(|element| locks(element, schema)).collect()
        }
        Action::Alter { kind: ObjectKind::Trigger, name, .. } => {
            with_parts(schema, name, Mode::AccessExclusive, Work::None)
        }
        Action::Alter { kind, name, .. } if kind.is_on_table() => closed(name),
        Action::Alter {
            kind: ObjectKind::Index | ObjectKind::Sequence, name, moves: true, ..
        } => closed(name),
        Action::Alter { kind: ObjectKind::Index, name, .. } => {
            vec![Lock::short(name, Mode::ShareUpdateExclusive)]
        }
        Action::Alter { kind: ObjectKind::Sequence, name, .. } => {
            vec![Lock::short(name, Mode::ShareRowExclusive)]
        }
        Action::OwnSequence { name, owner, .. } => {
            let owner = owner.iter().map(|(table, _)| Lock::short(table, Mode::AccessShare));
            [Lock::short(name, Mode::ShareRowExclusive)].into_iter().chain(owner).collect()
        }
        Action::AlterDomain { name, change } => checked(name, change, schema),
        Action::Rename { kind: ObjectKind::Index, name, .. } => {
            vec![Lock::short(name, Mode::ShareUpdateExclusive)]
        }
        Action::Rename { kind, name, .. } | Action::Move { kind, name, .. }
            if kind.is_relation() =>
        {
            closed(name)
        }
        Action::Drop(drop) => drop::dropped(drop, schema),
        Action::Truncate { tables, cascade } => truncated(tables, *cascade, schema),
        Action::Data(writes) => writes.iter().flat_map(|write| written(write, schema)).collect(),
        Action::CreateSequence(CreateSequence { owned_by: Some((table, _)), .. }) => {
            vec![Lock::short(table, Mode::AccessShare)]
        }
        Action::Comment { kind: ObjectKind::Other, name: Some(table) } => {
            vec![Lock::short(table, Mode::AccessShare)]
        }
        Action::Comment { name: Some(name), .. } => {
            vec![Lock::short(name, Mode::ShareUpdateExclusive)]
        }
        Action::Beside(tables) => {
            tables.iter().map(|table| Lock::short(table, Mode::ShareUpdateExclusive)).collect()
        }
        // Since PostgreSQL 18; before, nothing.
        Action::Privileges { relations, .. } => {
            relations.iter().map(|name| Lock::short(name, Mode::AccessShare)).collect()
        }
        Action::Maintenance(maintenance) => maintenance::maintained(maintenance, schema),
        _ => Vec::new(),
    }
}

fn is_missing(schema: &Schema, name: &Name) -> bool {
    matches!(schema.relation(name), Found::Missing)
}

fn with_heirs(schema: &Schema, name: &Name, mode: Mode, work: Work) -> Vec<Lock> {
    let heirs = relatives::heirs(schema, name);
    [name].into_iter().chain(&heirs).map(|table| Lock::new(table, mode, work)).collect()
}

/// The same of parts alone: heirs are tables of their own.
fn with_parts(schema: &Schema, name: &Name, mode: Mode, work: Work) -> Vec<Lock> {
    if relatives::is_partitioned(schema, name) {
        return with_heirs(schema, name, mode, work);
    }
    vec![Lock::new(name, mode, work)]
}

/// New rows go where their values say, which nothing tells.
fn written(write: &Write, schema: &Schema) -> Vec<Lock> {
    let mode = Mode::RowExclusive;
    match write.kind {
        WriteKind::InsertValues | WriteKind::InsertQuery | WriteKind::Copy
            if relatives::table(schema, &write.table).is_some() =>
        {
            vec![Lock::short(&write.table, mode)]
        }
        _ => used(schema, &write.table, mode),
    }
}

fn truncated(tables: &[Name], cascade: bool, schema: &Schema) -> Vec<Lock> {
    let along = |table| match cascade {
        true => relatives::emptied_along(schema, table),
        false => Vec::new(),
    };
    let all = tables.iter().flat_map(|table| [table.clone()].into_iter().chain(along(table)));
    all.flat_map(|table| with_heirs(schema, &table, Mode::AccessExclusive, Work::None)).collect()
}

fn indexed(create: &CreateIndex, schema: &Schema) -> Vec<Lock> {
    let name = create.name.as_ref().map(|name| create.table.sibling(name));
    let is_there = |name: Name| schema.relation(&name).known().is_some();
    if create.if_not_exists && name.is_some_and(is_there) {
        return vec![Lock::short(&create.table, Mode::Share)];
    }
    let mode = if create.concurrently { Mode::ShareUpdateExclusive } else { Mode::Share };
    match relatives::table(schema, &create.table).map(|table| table.kind) {
        Some(TableKind::Partitioned) if create.only => vec![Lock::short(&create.table, mode)],
        Some(TableKind::Partitioned) => with_heirs(schema, &create.table, mode, Work::Scan),
        _ => vec![Lock::new(&create.table, mode, Work::Scan)],
    }
}

/// The tables whose rows a domain is checked for.
fn checked(domain: &Name, change: &AlterDomain, schema: &Schema) -> Vec<Lock> {
    let is_checked = match change {
        AlterDomain::AddConstraint(constraint) => !constraint.not_valid,
        AlterDomain::ValidateConstraint(_) | AlterDomain::SetNotNull => true,
        AlterDomain::DropConstraint(_) | AlterDomain::Other => false,
    };
    let tables = if is_checked { relatives::of_type(schema, domain) } else { Vec::new() };
    tables.iter().map(|table| Lock::new(table, Mode::Share, Work::Scan)).collect()
}
