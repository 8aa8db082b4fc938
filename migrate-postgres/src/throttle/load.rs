//! How busy a server is, as one number: 1 is as much as it may be.
//!
//! Pure. Owns which signals count and what they are measured by. What is done about it is the controller's.

use super::limits::{Limits, WalRate};
use super::signals::{Signal, Signals, Wal};

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
    let all = [part(signals.blocked, limits.blocked), active, wal(&signals.wal, limits), requested];
    all.into_iter().fold(0.0, f64::max)
}

fn wal(wal: &Wal, limits: &Limits) -> f64 {
    let a_minute = match limits.wal_rate {
        WalRate::Any => return 0.0,
        WalRate::Percent(percent) => wal.max_wal_size as f64 * f64::from(percent) / 100.0,
        WalRate::Bytes(bytes) => bytes as f64,
    };
    let rate = wal.rate.unwrap_or_default() * 60.0;
    if a_minute > 0.0 { rate / a_minute } else { 0.0 }
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
    fn wal_is_measured_by_the_minute() {
        let mut signals = quiet();
        signals.wal.max_wal_size = 1 << 30;
        signals.wal.rate = Some((1_u64 << 30) as f64 / 60.0 / 8.0);
        let with = |rate| {
            let mut limits = Limits::default();
            limits.set(&format!("wal_rate={rate}")).unwrap();
            (utilisation(&signals, &limits) * 1000.0).round() / 1000.0
        };
        assert_eq!(["25%", "64MiB", "none"].map(with), [0.5, 2.0, 0.0]);
        assert_eq!(utilisation(&quiet(), &Limits::default()), 0.0, "there was one look only");
    }

    #[test]
    fn what_is_hidden_or_has_no_limit_is_no_load() {
        let mut signals = quiet();
        let limits = Limits { active: Some(1), blocked: None, ..Limits::default() };
        (signals.active, signals.blocked) = (Signal::Hidden, 9);
        assert_eq!(utilisation(&signals, &limits), 0.0);
    }
}
