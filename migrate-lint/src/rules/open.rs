//! What the transaction around a statement has done before it.
//!
//! Locks are held until the end, whatever else the file does meanwhile.

use crate::name::Name;
use crate::statement::{Action, Statement, Transaction, Write, WriteKind};

/// A transaction that is open; outside of one, nothing is in it.
#[derive(Debug, Default)]
pub(crate) struct Open {
    /// The tables in use that it keeps everybody out of, and that stay.
    pub(crate) closed: Vec<Closed>,
    /// The tables in use of which it has changed an unknown number of rows.
    pub(crate) changed: Vec<Name>,
    /// The place of its first statement in the file.
    pub(crate) start: usize,
}

/// A table that is closed until the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// As the statement names it.
    pub(crate) shown: Name,
    /// With its schema, where that is known.
    pub(crate) full: Name,
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
            self.closed.clear();
            self.changed.clear();
        }
    }

    /// The statement has run.
    pub(crate) fn note(&mut self, (closed, changed): (Vec<Closed>, Vec<Name>)) {
        self.closed.extend(closed);
        self.changed.extend(changed);
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
