//! What a run did, what it left and why.

use std::fmt;
use std::time::Duration;

use migrate_core::{Deferred, Direction, MigrationId, Notice, Phase};

use crate::backfill::Left;

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
    /// Backfills that were begun and are not done: they wait too, and this says who goes on with them.
    pub left: Vec<Unfinished>,
    /// What is unusual and was tolerated.
    pub notices: Vec<Notice>,
    /// The migrations of a fresh database did not fit one transaction, and each got its own.
    pub fell_back: bool,
    /// The whole call.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub took: Duration,
}

/// A migration that a run carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Applied {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// Applied or taken back.
    pub direction: Direction,
    /// From the first message to the last answer.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub took: Duration,
    /// Attempts that did not get their locks.
    pub attempts: u32,
    /// It was known beforehand what it locks. Where it was not, as of a migration in Rust, a `DO` block, or a way back,
    /// nobody could be looked for before the first attempt: it asked in the queue.
    pub foreseen: bool,
}

/// A backfill that a run has left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Unfinished {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// Why the run did not go on with it.
    pub why: String,
    /// It was paused or cancelled: nobody goes on until it is resumed.
    pub stands_still: bool,
}

impl Unfinished {
    pub(crate) fn new(id: MigrationId, name: &str, left: &Left, why: String) -> Self {
        let stands_still = matches!(left, Left::Paused(_) | Left::Cancelled(_));
        Self { id, name: name.to_owned(), why, stands_still }
    }
}

/// With who goes on, as a program is told that has no command line.
impl fmt::Display for Unfinished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Unfinished { id, name, why, stands_still } = self;
        let phase = match id.phase {
            Phase::Migrate => String::new(),
            phase => format!(" --phase {phase}"),
        };
        let next = match stands_still {
            true => format!("{why}; `migrate backfill resume {}{phase}` lets it go on", id.version),
            false => {
                format!("its backfill goes on with `migrate backfill` or the next run ({why})")
            }
        };
        write!(f, "{} {:8} {name}: {next}", id.version, id.phase)
    }
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
        for Applied { id, name, direction, took, attempts, foreseen } in &self.applied {
            let locks = match (attempts, foreseen) {
                (0, _) => String::new(),
                (n, true) => format!(", {} for its locks", attempts_in_words(*n)),
                (n, false) => {
                    format!(", {} for its locks, which were not foreseen", attempts_in_words(*n))
                }
            };
            let verb = if *direction == Direction::Up { "applied" } else { "reverted" };
            writeln!(f, "{verb:8} {} {:8} {name} ({}{locks})", id.version, id.phase, short(*took))?;
        }
        if self.fell_back {
            writeln!(f, "note     they did not fit one transaction and ran in a transaction each")?;
        }
        for left in &self.left {
            writeln!(f, "left     {left}")?;
        }
        for Deferred { id, name, reason } in &self.deferred {
            if self.left.iter().any(|left| left.id == *id) {
                continue;
            }
            writeln!(f, "waits    {} {:8} {name}: {reason}", id.version, id.phase)?;
        }
        for Notice { id, name, kind } in &self.notices {
            writeln!(f, "note     {} {:8} {name}: it {kind}", id.version, id.phase)?;
        }
        Ok(())
    }
}

fn attempts_in_words(failed: u32) -> String {
    if failed == 1 { "1 attempt in vain".to_owned() } else { format!("{failed} attempts in vain") }
}

/// As people say it: `12 ms`, `3.4 s`.
fn short(took: Duration) -> String {
    match took.as_millis() {
        0 => "under 1 ms".to_owned(),
        millis @ 1..1_000 => format!("{millis} ms"),
        _ => format!("{:.1} s", took.as_secs_f64()),
    }
}
