//! A change of data in batches, as it is declared.
//!
//! Owns the description. Which batch comes next and who runs it is not decided here yet: a runner that does
//! not know backfills defers them by name.

use std::borrow::Cow;

use crate::Script;

/// What `-- migrate: backfill users by id batch 5000` says, and the statement below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backfill {
    /// The table whose rows are read.
    pub table: Cow<'static, str>,
    /// The columns that order them, a unique key.
    pub key: Cow<'static, str>,
    /// Rows in a batch.
    pub batch: u32,
    /// The statement that changes one batch.
    pub script: Script,
}
