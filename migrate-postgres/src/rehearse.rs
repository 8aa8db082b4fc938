//! What pending migrations will do to a database, told before they do it.
//!
//! Everything happens in one transaction that is rolled back. On a database in use it happens to samples of its tables,
//! in a schema that nobody else sees: of the tables themselves no more is locked than by a `SELECT` that reads a sample.
//! On a copy, which nobody uses, it happens to the tables themselves. What was measured on a sample is
//! extrapolated to all rows. Owns the values for it and the story; how a sample is taken, a step is run and
//! a number grows are rooms below.

use std::time::Duration;

use migrate_core::{Deferred, LockMode, MigrationId};

pub(crate) mod estimate;
mod holding;
mod names;
mod run;
mod sample;
mod stage;

pub(crate) use run::rehearse;

/// How to rehearse.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rehearse {
    /// Rows of a table that are tried on, where it has more.
    pub(crate) sample: u64,
    /// Nobody else uses the database.
    pub(crate) on_copy: bool,
}

impl Default for Rehearse {
    fn default() -> Self {
        Self { sample: 100_000, on_copy: false }
    }
}

impl Rehearse {
    /// On samples of about so many rows of each table; 100,000 where nothing is said.
    #[must_use]
    pub fn sample(mut self, rows: u64) -> Self {
        self.sample = rows.max(1);
        self
    }

    /// On the tables themselves, all of their rows: for a database that nobody else uses, since whoever did would
    /// wait. It is rolled back like everything.
    #[must_use]
    pub fn on_a_copy(mut self) -> Self {
        self.on_copy = true;
        self
    }
}

/// What the pending migrations will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Rehearsal {
    /// Each statement, backfill or function, in order.
    pub steps: Vec<Rehearsed>,
    /// What a run would leave, and why.
    pub deferred: Vec<Deferred>,
    /// What the rehearsal itself took.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub took: Duration,
}

impl Rehearsal {
    /// How long all of it will take, as far as that is known.
    pub fn time(&self) -> Duration {
        self.steps.iter().filter_map(|step| step.time).sum()
    }

    /// How much the server's log will grow, as far as that is known, in bytes.
    pub fn wal(&self) -> u64 {
        self.steps.iter().filter_map(|step| step.wal).sum()
    }
}

/// What one step will do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Rehearsed {
    /// Its migration.
    pub id: MigrationId,
    /// The migration's name.
    pub name: String,
    /// Which statement of its file, from 1; `None` where it is no statement.
    pub statement: Option<u32>,
    /// What it is: the statement on one line, each value as `?`.
    pub what: String,
    /// What it locks of what was there before its migration.
    pub locks: Vec<LockHeld>,
    /// Tables that are written anew as a whole.
    pub rewrites: Vec<String>,
    /// Bytes by which the server's log grows.
    pub wal: Option<u64>,
    /// How long it takes, once it has its locks.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "time_ms", serialize_with = "crate::data::milliseconds_if_known")
    )]
    pub time: Option<Duration>,
    /// What these numbers are made of.
    pub basis: Basis,
    /// It shares a transaction with the steps before and behind it that have the same number.
    #[cfg_attr(feature = "serde", serde(skip))]
    pub(crate) transaction: usize,
}

/// A lock, and how long it is held.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct LockHeld {
    /// The relation, as a statement names it.
    pub relation: String,
    /// Which lock.
    #[cfg_attr(feature = "serde", serde(serialize_with = "crate::data::lock_mode"))]
    pub mode: LockMode,
    /// From the step that takes it to the end of its transaction.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "held_ms", serialize_with = "crate::data::milliseconds_if_known")
    )]
    pub held: Option<Duration>,
}

/// What the numbers of a step are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Basis {
    /// It was run on all there is, and rolled back.
    Whole,
    /// It was run on a sample and rolled back; how many rows there are makes no difference to it.
    AnyNumber,
    /// It was run on a sample and rolled back, and what it took was extrapolated.
    Sample {
        /// The table.
        relation: String,
        /// Rows of the sample.
        rows: u64,
        /// Rows of the table, as the pages of the sample tell.
        of: u64,
    },
    /// It was not run, for a reason that completes "not run: ".
    NotRun(String),
    /// It failed, as the server says.
    Failed(String),
}
