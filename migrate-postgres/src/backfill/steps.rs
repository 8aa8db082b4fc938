//! How far a backfill is, and when it will be there.
//!
//! Owns the arithmetic. A value: asks nobody but the clock.

use std::time::{Duration, Instant};

use super::state::Standing;
use crate::progress::Steps;

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
