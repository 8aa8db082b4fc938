//! What the driver knows of the service: which writes were acknowledged, what it complained of, how often it was ended.
//!
//! Kept outside of the database and of the processes that are killed.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Shared by those who listen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger(Arc<Mutex<Entries>>);

/// What was heard so far.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    /// Writes whose COMMIT was answered.
    pub(crate) written: Vec<i64>,
    /// What the load or a migrator met that it should not have.
    pub(crate) errors: Vec<String>,
    /// Starts after the first of each replica.
    pub(crate) restarts: usize,
    /// Ended by SIGTERM, by `kill -9`, and of both so many while they migrated.
    pub(crate) terminated: usize,
    pub(crate) killed: usize,
    pub(crate) while_migrating: usize,
    /// Starts that ended because the folder had moved on meanwhile, and a contract of it was done.
    pub(crate) behind: usize,
}

impl Ledger {
    pub(crate) fn open(&self) -> MutexGuard<'_, Entries> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
