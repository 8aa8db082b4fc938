//! How busy a server is, as one number: 1 is as much as it may be.
//!
//! Pure. Owns which signals count and what they are measured by. What is done about it is the controller's.

use super::limits::{Limits, WalRate};
use super::signals::{Signal, Signals};

/// A checkpoint that came before its time. It may be anybody's, for a backup or by hand: a reason to go slower, not to
/// stand still.
const REQUESTED: f64 = 0.7;

/// The fullest of what can be full. What is unknown counts for nothing here: that it is unknown is a gate's to say.
pub(crate) fn utilisation(signals: &Signals, limits: &Limits) -> f64 {
    let part = |count: u32, limit: Option<u32>| {
        limit.filter(|limit| *limit > 0).map_or(0.0, |limit| f64::from(count) / f64::from(limit))
    };
    let active = match signals.active {
        Signal::Known(active) => part(active, limits.active),
        Signal::Hidden | Signal::Untold => 0.0,
    };
    let requested = if signals.wal.requested_since { REQUESTED } else { 0.0 };
    let all = [part(signals.blocked, limits.blocked), active, requested];
    all.into_iter().fold(0.0, f64::max)
}

/// The WAL that may be written in a second, where there is a limit.
pub(crate) fn wal_a_second(max_wal_size: f64, limits: &Limits) -> Option<f64> {
    let a_minute = match limits.wal_rate {
        WalRate::Any => return None,
        WalRate::Percent(percent) => max_wal_size * f64::from(percent) / 100.0,
        WalRate::Bytes(bytes) => bytes as f64,
    };
    (a_minute > 0.0).then_some(a_minute / 60.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::throttle::testing::quiet;

    #[test]
    fn the_fullest_counts() {
        let mut signals = quiet();
        let mut limits = Limits::default();
        assert_eq!(utilisation(&signals, &limits), 0.0);
        signals.blocked = 1;
        signals.active = Signal::Known(8);
        assert_eq!(utilisation(&signals, &limits), 1.0 / 3.0);
        limits.active = Some(16);
        assert_eq!(utilisation(&signals, &limits), 0.5);
        signals.wal.requested_since = true;
        assert_eq!(utilisation(&signals, &limits), 0.7);
    }

    #[test]
    fn wal_is_limited_by_the_minute() {
        let with = |rate| {
            let mut limits = Limits::default();
            limits.set(&format!("wal_rate={rate}")).unwrap();
            wal_a_second(f64::from(60 << 20), &limits).map(|rate| rate / f64::from(1 << 20))
        };
        assert_eq!(["25%", "120MiB", "none"].map(with), [Some(0.25), Some(2.0), None]);
    }

    #[test]
    fn what_is_hidden_or_has_no_limit_is_no_load() {
        let mut signals = quiet();
        let limits = Limits { active: Some(1), blocked: None, ..Limits::default() };
        (signals.active, signals.blocked) = (Signal::Hidden, 9);
        assert_eq!(utilisation(&signals, &limits), 0.0);
    }
}
