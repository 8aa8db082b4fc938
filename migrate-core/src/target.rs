//! What is wanted of a run: how far, which phases, how strict.
//!
//! Owns the defaults of a plan. Decides nothing with them.

use crate::{Phases, Version};

/// What is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The newest version to apply; `None` is all.
    pub up_to: Option<Version>,
    /// The phases that may run on a database that is in use.
    pub phases: Phases,
    /// What becomes of an expand that is older than the newest applied one.
    pub late: Policy,
    /// What becomes of an applied migration that is newer than all declared ones.
    pub unknown_newer: Policy,
    /// What becomes of applied Rust code that is not declared.
    pub unknown_code: UnknownCode,
    /// On a fresh database, how many migrations may share a transaction.
    pub group: u32,
}

impl Default for Target {
    fn default() -> Self {
        Self {
            up_to: None,
            phases: Phases::START_UP,
            late: Policy::Error,
            unknown_newer: Policy::Warn,
            unknown_code: UnknownCode::Missing,
            group: 200,
        }
    }
}

/// How strict a run is about something unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Policy {
    /// There is no plan.
    Error,
    /// The plan goes on, and says so.
    Warn,
}

/// What to think of applied Rust code that is not declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnknownCode {
    /// It is missing like any other migration.
    Missing,
    /// It is part of the application; this set is only the folder beside it.
    Elsewhere,
}
