//! What a run did, what it left and why.

use std::fmt;
use std::time::Duration;

use migrate_core::{Deferred, Direction, Notice};

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
    #[cfg_attr(feature = "serde", serde(rename = "took_ms", serialize_with = "milliseconds"))]
    pub took: Duration,
}

/// A duration as data: milliseconds, with a fraction.
#[cfg(feature = "serde")]
pub(crate) fn milliseconds<S: serde::Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

/// A lock as data: `ACCESS EXCLUSIVE`.
#[cfg(feature = "serde")]
pub(crate) fn lock_mode<S: serde::Serializer>(
    mode: &migrate_core::LockMode,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mode.as_sql())
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
        for Deferred { id, name, reason } in &self.deferred {
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
