//! What keeps a migration from running although its turn has come.
//!
//! A plan is a pure function, and knows neither how long a backfill takes nor who still uses a column. Whoever
//! looked tells it here, and the plan says the same of everything that comes behind. Decides nothing.

use std::collections::BTreeMap;

use crate::{MigrationId, Reason};

/// Migrations that must not run now, and why.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Held {
    reasons: BTreeMap<MigrationId, Reason>,
}

impl Held {
    /// Holds one more.
    pub fn hold(&mut self, id: MigrationId, reason: Reason) {
        self.reasons.insert(id, reason);
    }

    /// Why one is held.
    pub fn reason(&self, id: MigrationId) -> Option<Reason> {
        self.reasons.get(&id).copied()
    }

    /// Is none held?
    pub fn is_empty(&self) -> bool {
        self.reasons.is_empty()
    }
}
