//! What the transaction around a statement has done before it.
//!
//! Locks are held until the end, whatever else the file does meanwhile.

use crate::locks::{Lock, Mode};
use crate::name::Name;
use crate::statement::{Action, Statement, Transaction, Write, WriteKind};

/// A transaction that is open; outside of one, nothing is in it.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// The locks that it holds on what was there before its migration, each as it was taken.
    pub(crate) locks: Vec<Lock>,
    /// The tables of which it has changed an unknown number of rows.
    pub(crate) changed: Vec<Name>,
    /// The place of its first statement in the file.
    pub(crate) start: usize,
}

impl Open {
    /// A statement comes: is it the first of its transaction, or in none?
    pub(crate) fn meet(&mut self, statement: &Statement, index: usize, in_transaction: bool) {
        let is_border = matches!(
            statement.action,
            Action::Transaction(Transaction::Begin | Transaction::Commit | Transaction::Rollback)
        );
        if is_border {
            *self = Self { start: index, ..Self::default() };
        }
        if !in_transaction {
            // What stands alone keeps no lock; but a file is read as a whole.
            self.locks.clear();
            self.changed.clear();
        }
    }

    /// The statement has run.
    pub(crate) fn note(&mut self, statement: &Statement, locks: Vec<Lock>) {
        self.locks.extend(locks);
        self.changed.extend(many(statement).map(|write| write.table.clone()));
    }

    /// What it keeps everybody out of.
    pub(crate) fn closed(&self) -> impl Iterator<Item = &Name> {
        self.locks
            .iter()
            .filter(|lock| lock.mode == Mode::AccessExclusive)
            .map(|lock| &lock.relation)
    }
}

/// The writes of a statement of which nobody can tell how many rows they change.
pub(crate) fn many(statement: &Statement) -> impl Iterator<Item = &Write> {
    let writes: &[Write] = match &statement.action {
        Action::Data(writes) => writes,
        _ => &[],
    };
    writes.iter().filter(|write| !matches!(write.kind, WriteKind::InsertValues | WriteKind::Copy))
}
