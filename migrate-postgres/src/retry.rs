//! Trying again what was refused a lock.
//!
//! The only place that knows which errors are worth another attempt, how long an attempt may wait and how long
//! to pause. Knows nothing of what is tried.

use std::hash::{BuildHasher, RandomState};
use std::time::{Duration, Instant};

use crate::error::{DEADLOCK, LOCK_NOT_AVAILABLE};
use crate::options::Waits;

/// Is it worth another attempt?
pub(crate) fn is_worth_it(sqlstate: &str) -> bool {
    sqlstate == LOCK_NOT_AVAILABLE || sqlstate == DEADLOCK
}

/// Attempts at one piece of work.
pub(crate) struct Attempts<'w> {
    waits: &'w Waits,
    began: Instant,
    /// When the attempt that is being made, or the last one, began; after one that failed, when the next may.
    attempt: Instant,
    /// How long others may have waited behind that one.
    limit: Option<Duration>,
    made: u32,
    first: Option<Duration>,
    /// Where nobody has said how long to wait: not for longer than this.
    at_most: Duration,
}

/// Where nobody has said how long to wait.
const LADDER: [Duration; 3] =
    [Duration::from_millis(50), Duration::from_millis(100), Duration::from_millis(250)];

impl<'w> Attempts<'w> {
    /// `own` is the lock timeout that a migration asked for. A transaction that waits for us while we wait for it is
    /// not to be ended: we go before a deadlock is looked for.
    pub(crate) fn new(waits: &'w Waits, own: Option<Duration>, deadlock_timeout: Duration) -> Self {
        let (began, at_most) = (Instant::now(), deadlock_timeout / 2);
        Self { waits, began, attempt: began, limit: None, made: 0, first: own, at_most }
    }

    /// Attempts that failed.
    pub(crate) fn made(&self) -> u32 {
        self.made
    }

    /// Since the first attempt, or the look before it.
    pub(crate) fn waited(&self) -> Duration {
        self.began.elapsed()
    }

    /// How long the next attempt may wait for a lock; never without a limit.
    pub(crate) fn lock_timeout(&self) -> Duration {
        let rung = |ladder: &[Duration]| {
            ladder.get(self.made as usize).or(ladder.last()).copied().unwrap_or_default()
        };
        let usual = match &self.waits.lock_ladder {
            Some(ladder) => rung(ladder),
            None => rung(&LADDER).min(self.at_most),
        };
        self.first.unwrap_or(usual).max(Duration::from_millis(1))
    }

    /// An attempt begins that asks in the queue, for that long at most.
    pub(crate) fn begin(&mut self, limit: Duration) {
        (self.attempt, self.limit) = (Instant::now(), Some(limit));
    }

    /// May the queue be asked again?
    pub(crate) fn may_queue(&self) -> bool {
        Instant::now() >= self.attempt
    }

    /// Until the queue may be asked again.
    pub(crate) fn until_due(&self) -> Duration {
        self.attempt.saturating_duration_since(Instant::now())
    }

    /// Since when nothing was asked of the queue.
    pub(crate) fn quiet(&self) -> Duration {
        self.attempt.elapsed()
    }

    /// Until the next look at those in the way: soon, later seldom, and never beyond the end of the time; `None` when
    /// that has come.
    pub(crate) fn until_next_look(&self) -> Option<Duration> {
        let left = self.left()?;
        let usual = (self.waited() / 20).clamp(Duration::from_millis(100), Duration::from_secs(1));
        Some(usual.mul_f64(0.5 + random()).min(left))
    }

    fn left(&self) -> Option<Duration> {
        self.waits.lock_deadline.checked_sub(self.waited()).filter(|left| !left.is_zero())
    }

    /// Counts a failed attempt; how long to pause before the next, or `None` when time is up.
    ///
    /// While an attempt waits, everybody behind it does: with nineteen times as long a pause after it, that is
    /// at most a twentieth of the time. A deadlock is found long before a generous lock timeout ends.
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        let limit = self.limit.take().unwrap_or_else(|| self.lock_timeout());
        let waited = limit.min(self.attempt.elapsed());
        let least = (waited * 19).max(Duration::from_millis(500));
        self.made += 1;
        let longest = (least * self.made.min(4)).min(least.max(Duration::from_secs(7)));
        let pause = longest.mul_f64(1.0 + random() / 2.0);
        self.attempt = Instant::now() + pause;
        (pause < self.left()?).then_some(pause)
    }
}

/// Between 0 and 1; the standard library's only source of chance will do for a pause.
fn random() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0u8) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_attempt_is_over_before_a_deadlock_is_looked_for() {
        let early = Duration::from_millis(30);
        let waits = Waits::default();
        assert_eq!(Attempts::new(&waits, None, early).lock_timeout(), early / 2);
        let told = Waits { lock_ladder: Some(vec![SECOND]), ..Waits::default() };
        assert_eq!(Attempts::new(&told, None, early).lock_timeout(), SECOND);
    }

    #[test]
    fn attempts_climb_the_ladder_and_end() {
        let waits = Waits { lock_deadline: Duration::from_secs(600), ..Waits::default() };
        let mut attempts = Attempts::new(&waits, None, SECOND);
        let mut timeouts = Vec::new();
        for _ in 0..4 {
            timeouts.push(attempts.lock_timeout().as_millis());
            let pause = attempts.pause().unwrap();
            assert!(
                pause >= attempts.lock_timeout() && pause <= Duration::from_secs(10),
                "{pause:?}"
            );
        }
        assert_eq!(timeouts, [50, 100, 250, 250]);
        let none = Waits { lock_deadline: Duration::ZERO, ..Waits::default() };
        assert_eq!(Attempts::new(&none, None, SECOND).pause(), None);
    }

    /// Also where an attempt was longer than the ladder says, as for an autovacuum.
    #[test]
    fn an_application_spends_a_twentieth_of_the_time_behind_attempts() {
        let waits = Waits::default();
        let mut attempts = Attempts::new(&waits, None, SECOND);
        for limit in [50, 1300, 2600, 250].map(Duration::from_millis) {
            attempts.begin(limit);
            attempts.attempt -= 2 * limit; // it was refused when that was over, and the message took its time
            let pause = attempts.pause().unwrap();
            assert!(pause >= limit * 19, "{pause:?} after {limit:?}");
        }
        attempts.begin(SECOND);
        assert!(attempts.pause().unwrap() < SECOND * 19, "nobody waited for a second");
    }

    #[test]
    fn a_migration_may_have_its_own() {
        let waits = Waits::default();
        let attempts = Attempts::new(&waits, Some(Duration::from_secs(2)), SECOND);
        assert_eq!(attempts.lock_timeout(), Duration::from_secs(2));
    }
}
