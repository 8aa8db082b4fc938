//! A change of data in batches, as it is declared.
//!
//! Owns the description. Which batch comes next and who runs it is not decided here yet: a runner that does
//! not know backfills defers them by name.

use crate::{Batches, Header, Script};

/// What `-- migrate: backfill users by id batch 5000` says, and the statement below it.
///
/// It is one script, whose head says the rest: a table of thousands of migrations has no room for what few of
/// them need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// The directive, and the statement that changes one batch.
    pub script: Script,
}

impl Backfill {
    /// The table, the columns that order it and the rows in a batch, as the directive says them.
    pub fn batches(&self) -> Option<Batches> {
        Header::parse(&self.script.text).0.backfill
    }
}
