//! Which lock a statement takes on which relation, and whether it reads or writes all rows.
//!
//! Owns the table of PostgreSQL's locks, as measured on real servers. Judges nothing.

pub mod conversion;
mod table;
#[cfg(test)]
mod tests;

pub use table::{Cause, rewrites};

use crate::name::Name;
use crate::schema::{ConstraintKind, Found, Object, Schema};
use crate::statement::{Action, Drop, Maintenance, ObjectKind, Statement};

/// A lock on a relation, from the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    /// What a `SELECT` takes.
    AccessShare,
    /// What `SELECT … FOR UPDATE` takes.
    RowShare,
    /// What a write takes.
    RowExclusive,
    /// Keeps out others of its kind: `VACUUM`, `VALIDATE CONSTRAINT`, `CREATE INDEX CONCURRENTLY`.
    ShareUpdateExclusive,
    /// Keeps writers out: `CREATE INDEX`.
    Share,
    /// Keeps writers out, and others of its kind: `ADD FOREIGN KEY`.
    ShareRowExclusive,
    /// Keeps out all but plain readers.
    Exclusive,
    /// Keeps everybody out.
    AccessExclusive,
}

/// What a statement does to the rows of a relation while it has its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Work {
    /// Nothing, or as much as the statement asks for: the lock is short, or what it does is what it is for.
    None,
    /// It reads all of them.
    Scan,
    /// It writes all of them.
    Rewrite,
}

/// A lock that a statement takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lock {
    /// On what, as the statement names it, or with its schema where it does not.
    pub relation: Name,
    /// Which one.
    pub mode: Mode,
    /// What it is held for.
    pub work: Work,
}

impl Lock {
    fn new(relation: &Name, mode: Mode, work: Work) -> Self {
        Self { relation: relation.clone(), mode, work }
    }

    fn short(relation: &Name, mode: Mode) -> Self {
        Self::new(relation, mode, Work::None)
    }
}

/// The strongest lock that a statement takes on each relation that is there before it.
pub fn locks(statement: &Statement, schema: &Schema) -> Vec<Lock> {
    let mut locks: Vec<Lock> = Vec::new();
    let reads = statement.reads.iter().map(|read| Lock::short(read, Mode::AccessShare));
    for lock in of_action(&statement.action, schema).into_iter().chain(reads) {
        match locks.iter_mut().find(|other| other.relation == lock.relation) {
            Some(other) => {
                other.mode = other.mode.max(lock.mode);
                other.work = other.work.max(lock.work);
            }
            None => locks.push(lock),
        }
    }
    locks
}

fn of_action(action: &Action, schema: &Schema) -> Vec<Lock> {
    let each = |names: &[Name], mode| names.iter().map(|name| Lock::short(name, mode)).collect();
    match action {
        Action::CreateTable(create) => table::create(create),
        Action::AlterTable(alter) => table::alter(alter, schema),
        Action::CreateIndex(index) if index.concurrently => {
            vec![Lock::new(&index.table, Mode::ShareUpdateExclusive, Work::Scan)]
        }
        Action::CreateIndex(index) => vec![Lock::new(&index.table, Mode::Share, Work::Scan)],
        Action::CreateView(view) if view.or_replace => {
            vec![Lock::short(&view.name, Mode::AccessExclusive)]
        }
        Action::CreateTrigger(trigger) => {
            vec![Lock::short(&trigger.table, Mode::ShareRowExclusive)]
        }
        Action::CreateOnTable { table, .. } => vec![Lock::short(table, Mode::AccessExclusive)],
        Action::Alter { kind, name, .. } if kind.is_on_table() => {
            vec![Lock::short(name, Mode::AccessExclusive)]
        }
        Action::Alter { kind: ObjectKind::Index, name, .. } => {
            vec![Lock::short(name, Mode::ShareUpdateExclusive)]
        }
        Action::Alter { kind: ObjectKind::Sequence, name, .. }
        | Action::OwnSequence { name, .. } => {
            vec![Lock::short(name, Mode::ShareRowExclusive)]
        }
        Action::Rename { kind: ObjectKind::Index, name, .. } => {
            vec![Lock::short(name, Mode::ShareUpdateExclusive)]
        }
        Action::Rename { kind, name, .. } | Action::Move { kind, name, .. }
            if kind.is_relation() =>
        {
            vec![Lock::short(name, Mode::AccessExclusive)]
        }
        Action::Drop(drop) => dropped(drop, schema),
        Action::Truncate { tables, .. } => each(tables, Mode::AccessExclusive),
        Action::Data(writes) => {
            writes.iter().map(|write| Lock::short(&write.table, Mode::RowExclusive)).collect()
        }
        Action::Comment { name: Some(name), .. } => {
            vec![Lock::short(name, Mode::ShareUpdateExclusive)]
        }
        Action::Maintenance(maintenance) => maintained(maintenance, schema),
        _ => Vec::new(),
    }
}

fn maintained(maintenance: &Maintenance, schema: &Schema) -> Vec<Lock> {
    use Maintenance as M;
    let each =
        |names: &[Name], mode, work| names.iter().map(|name| Lock::new(name, mode, work)).collect();
    match maintenance {
        M::Vacuum { tables, full: true } => each(tables, Mode::AccessExclusive, Work::Rewrite),
        M::Vacuum { tables, .. } | M::Analyze { tables } => {
            each(tables, Mode::ShareUpdateExclusive, Work::Scan)
        }
        M::Cluster { table } => {
            table.iter().map(|name| Lock::new(name, Mode::AccessExclusive, Work::Rewrite)).collect()
        }
        M::Lock { tables, mode } => each(tables, *mode, Work::None),
        M::Refresh { view, concurrently } => {
            let mode = if *concurrently { Mode::Exclusive } else { Mode::AccessExclusive };
            vec![Lock::new(view, mode, Work::Rewrite)]
        }
        M::Reindex { name: None, .. } => Vec::new(),
        M::Reindex { name: Some(name), concurrently: true, .. } => {
            vec![Lock::new(name, Mode::ShareUpdateExclusive, Work::Scan)]
        }
        M::Reindex { name: Some(name), index: false, .. } => {
            vec![Lock::new(name, Mode::Share, Work::Scan)]
        }
        M::Reindex { name: Some(name), index: true, .. } => {
            let table =
                table_of(schema, name).map(|table| Lock::new(&table, Mode::Share, Work::Scan));
            [Lock::new(name, Mode::AccessExclusive, Work::Scan)].into_iter().chain(table).collect()
        }
    }
}

fn dropped(drop: &Drop, schema: &Schema) -> Vec<Lock> {
    if let Some(table) = &drop.table {
        return vec![Lock::short(table, Mode::AccessExclusive)];
    }
    let mode = if drop.concurrently { Mode::ShareUpdateExclusive } else { Mode::AccessExclusive };
    let mut locks = Vec::new();
    for name in drop.names.iter().filter(|_| drop.kind.is_relation()) {
        locks.push(Lock::short(name, mode));
        locks.extend(table_of(schema, name).map(|table| Lock::short(&table, mode)));
        locks.extend(referenced(schema, name).iter().map(|table| Lock::short(table, mode)));
    }
    locks
}

/// The table of an index.
fn table_of(schema: &Schema, index: &Name) -> Option<Name> {
    match &schema.relation(index).known()?.object {
        Object::Index(index) => schema.entry(index.table).map(|entry| schema.shown(entry)),
        _ => None,
    }
}

/// The tables that the foreign keys of a table refer to: its triggers on them go with it.
fn referenced(schema: &Schema, table: &Name) -> Vec<Name> {
    let Found::Known(entry) = schema.relation(table) else { return Vec::new() };
    let constraints = entry.object.as_table().map(|table| &*table.constraints).unwrap_or_default();
    let others = constraints.iter().filter_map(|constraint| match &constraint.kind {
        ConstraintKind::ForeignKey { table: Some(other), .. } => schema.entry(*other),
        _ => None,
    });
    others.map(|other| schema.shown(other)).collect()
}
