//! How far a backfill is, and when it will be there.
//!
//! Owns the arithmetic. A value: asks nobody but the clock.

use std::fmt;
use std::time::{Duration, Instant};

use super::state::Standing;

/// How far a backfill is, in this pass over its table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Steps {
    /// Which time the table is gone through; the last pass is the one that finds nothing to change.
    pub pass: u32,
    /// Rows gone through in this pass, by all workers as far as this one knows.
    pub seen: u64,
    /// Rows changed, in all passes.
    pub changed: u64,
    /// Rows of the table, by the statistics of the server; 0 where it has none.
    pub expected: u64,
    /// Rows a second, by this worker, pauses counted.
    pub rate: f64,
    /// Rows of the last batch alone: whoever hears several workers adds these up.
    pub batch_seen: u64,
    /// Rows that the last batch changed.
    pub batch_changed: u64,
}

impl Steps {
    /// The part of this pass that is done, from 0 to 1, where it is known.
    pub fn part(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a part, for people")]
        let part = self.seen as f64 / self.expected as f64;
        (self.expected > 0).then(|| part.min(1.0))
    }

    /// Until the end of this pass, at this rate.
    pub fn left(&self) -> Option<Duration> {
        let rows = self.expected.checked_sub(self.seen).filter(|_| self.expected > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = rows as f64 / self.rate;
        (self.rate > 0.0).then(|| Duration::from_secs_f64(seconds.min(1e9)))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pass {}, {} rows", self.pass, self.seen)?;
        if let Some(part) = self.part() {
            write!(f, " ({:.0} %)", part * 100.0)?;
        }
        write!(f, ", {:.0} rows/s", self.rate)
    }
}

/// Rows gone through, and since when.
#[derive(Debug, Default)]
pub(super) struct Gone {
    steps: Steps,
    since: Option<(Instant, u64)>,
}

/// The rate is that of the time since then, so that it follows a change of pace.
const WINDOW: Duration = Duration::from_secs(30);

impl Gone {
    /// Takes over what the table says.
    pub(super) fn begin(&mut self, standing: &Standing) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        self.steps.pass = u32::try_from(standing.pass).unwrap_or(u32::MAX);
        self.steps.seen = count(standing.seen);
        self.steps.changed = count(standing.changed);
        self.steps.expected = count(standing.expected);
        (self.steps.batch_seen, self.steps.batch_changed) = (0, 0);
        self.since = Some((Instant::now(), self.steps.seen));
    }

    pub(super) fn add(&mut self, seen: i64, changed: i64) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        (self.steps.batch_seen, self.steps.batch_changed) = (count(seen), count(changed));
        self.steps.seen += self.steps.batch_seen;
        self.steps.changed += self.steps.batch_changed;
        let (since, from) = *self.since.get_or_insert_with(|| (Instant::now(), 0));
        let elapsed = since.elapsed();
        #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
        let gone = self.steps.seen.saturating_sub(from) as f64;
        if !elapsed.is_zero() {
            self.steps.rate = gone / elapsed.as_secs_f64();
        }
        if elapsed >= WINDOW {
            self.since = Some((Instant::now(), self.steps.seen));
        }
    }

    pub(super) fn steps(&self) -> Steps {
        self.steps
    }
}
