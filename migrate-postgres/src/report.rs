//! What a run did, what it left and why.

use std::fmt;
use std::time::Duration;

use migrate_core::{Deferred, Notice};

use crate::execute::Applied;

/// What a run did.
///
/// Its `Display` has a line for each migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Report {
    /// What was applied, or reverted, in order.
    pub applied: Vec<Applied>,
    /// What waits, and why.
    pub deferred: Vec<Deferred>,
    /// What is unusual and was tolerated.
    pub notices: Vec<Notice>,
    /// The migrations of a fresh database did not fit one transaction, and each got its own.
    pub fell_back: bool,
    /// The whole call.
    pub took: Duration,
}

impl Report {
    /// Was there nothing to do?
    pub fn is_empty(&self) -> bool {
        self.applied.is_empty()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.applied.is_empty() {
            writeln!(f, "nothing to do")?;
        }
        for applied in &self.applied {
            writeln!(f, "done {} {} ({:.1?})", applied.id, applied.name, applied.took)?;
        }
        for deferred in &self.deferred {
            writeln!(f, "waits {} {}: {}", deferred.id, deferred.name, deferred.reason)?;
        }
        for notice in &self.notices {
            writeln!(f, "note {} {}: it {}", notice.id, notice.name, notice.kind)?;
        }
        Ok(())
    }
}
