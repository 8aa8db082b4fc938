//! How many rows the next batch has, and how long the pause before it is.
//!
//! Pure: what a batch took comes in as a value; no clock, no database. Owns both laws. A batch's size follows from what
//! its rows cost in time and in WAL, and the pause from how busy the server is.

use std::time::Duration;

use super::limited_by::LimitedBy;
use super::limits::Limits;
use super::load::{utilisation, wal_a_second};
use super::signals::Signals;

/// One batch, when it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Measured {
    pub(crate) rows_seen: u64,
    pub(crate) rows_changed: u64,
    pub(crate) took: Duration,
    /// What the server wrote meanwhile, which is not all ours.
    pub(crate) wal: u64,
}

/// What comes after a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) pause: Duration,
    pub(crate) limited_by: LimitedBy,
}

/// How fast a backfill goes.
#[derive(Clone, Debug)]
pub(crate) struct Controller {
    limits: Limits,
    /// Of the next batch. A number with a fraction, or a few rows would never become more.
    rows: f64,
    seconds: Cost,
    wal: Cost,
    /// What the load wants.
    pause: Duration,
    /// After it had to shrink at once: so many batches without growing.
    wary: u32,
}

/// How much a batch may change at once.
const SHRINK: f64 = 0.5;
const GROW: f64 = 1.25;
/// Batches without growing.
const WARY: u32 = 4;
/// What grows is never nothing.
const LEAST_PAUSE: Duration = Duration::from_millis(1);

impl Controller {
    pub(crate) fn new(limits: &Limits, first_batch: u32) -> Self {
        let limits = limits.clone();
        let (seconds, wal, pause) = (Cost::default(), Cost::default(), Duration::ZERO);
        let mut new = Self { limits, rows: f64::from(first_batch), seconds, wal, pause, wary: 0 };
        new.resize(1.0);
        new
    }

    /// Goes by other limits from here on.
    pub(crate) fn limit(&mut self, limits: &Limits) {
        self.limits = limits.clone();
        self.resize(1.0);
    }

    /// How many rows the next batch has.
    pub(crate) fn rows(&self) -> u32 {
        self.rows as u32
    }

    /// Learns from a batch.
    pub(crate) fn after(&mut self, batch: &Measured, signals: &Signals) -> Pace {
        let size = self.learn(batch);
        let load = utilisation(signals, &self.limits);
        let wal = self.pause_for_wal(batch, signals);
        let floor = self.floor(batch.took);
        self.pause = self.pause_for(load, floor);
        if load >= 1.0 {
            self.shrink();
        }
        let limited_by = if self.pause > floor.max(wal) {
            LimitedBy::Load
        } else if wal > floor {
            LimitedBy::Wal
        } else if self.limits.duty > 1.0 {
            LimitedBy::Duty
        } else {
            size
        };
        Pace { pause: self.pause.max(floor).max(wal), limited_by }
    }

    /// The batch was too much, or somebody had its rows: it was ended before it was done.
    pub(crate) fn refused(&mut self) {
        self.shrink();
    }

    fn shrink(&mut self) {
        self.resize(SHRINK);
        self.wary = WARY;
    }

    /// The size of the next batch, and what it is limited by.
    fn learn(&mut self, batch: &Measured) -> LimitedBy {
        if batch.rows_seen == 0 {
            return LimitedBy::Nothing;
        }
        let target = self.limits.batch_time.min(self.limits.batch_cap).as_secs_f64();
        let rows = batch.rows_seen as f64;
        let took = batch.took.as_secs_f64();
        self.seconds.learn(took / rows);
        let by_time = target / (self.seconds.of_row() * self.rows);
        let by_wal = self.room_for_wal(batch);
        let (room, by) = if by_wal < by_time {
            (by_wal, LimitedBy::Wal)
        } else {
            (by_time, LimitedBy::BatchTime)
        };
        let most = if self.wary > 0 { 1.0 } else { GROW };
        self.wary = self.wary.saturating_sub(1);
        self.resize(room.clamp(SHRINK, most));
        if room >= 1.0 && self.rows >= f64::from(*self.limits.rows.end()) {
            LimitedBy::Rows
        } else if room >= GROW {
            LimitedBy::Nothing
        } else {
            by
        }
    }

    /// Where nothing was changed, what the server wrote is of others.
    fn room_for_wal(&mut self, batch: &Measured) -> f64 {
        if batch.rows_changed == 0 {
            return f64::INFINITY;
        }
        self.wal.learn(batch.wal as f64 / batch.rows_seen as f64);
        self.limits.batch_wal as f64 / (self.wal.of_row() * self.rows)
    }

    fn resize(&mut self, factor: f64) {
        let (least, most) = (*self.limits.rows.start(), *self.limits.rows.end());
        let least = f64::from(least.max(1));
        self.rows = (self.rows * factor).min(f64::from(most)).max(least);
    }

    /// So much of the time is left to others, whatever they do with it.
    fn floor(&self, took: Duration) -> Duration {
        let share = Duration::try_from_secs_f64(took.as_secs_f64() * self.limits.duty);
        share.unwrap_or(Duration::MAX).min(self.limits.pause)
    }

    /// Until as much time has passed as what was written may take.
    fn pause_for_wal(&self, batch: &Measured, signals: &Signals) -> Duration {
        let Some(rate) = wal_a_second(signals.wal.max_wal_size as f64, &self.limits) else {
            return Duration::ZERO;
        };
        if batch.rows_changed == 0 {
            return Duration::ZERO; // it is of others
        }
        let share = Duration::try_from_secs_f64(batch.wal as f64 / rate).unwrap_or(Duration::MAX);
        share.saturating_sub(batch.took).min(self.limits.pause)
    }

    /// As the load wants it. What the floor adds is not carried along, or a slow batch would be paid for twice.
    fn pause_for(&self, load: f64, floor: Duration) -> Duration {
        let long = self.pause.max(floor).max(LEAST_PAUSE);
        let pause = match load {
            ..0.4 => self.pause.mul_f64(0.5),
            0.4..0.7 => self.pause,
            0.7..1.0 => long.mul_f64(1.5),
            _ => long.mul_f64(4.0),
        };
        pause.min(self.limits.pause)
    }
}

/// What a row costs, over the last batches.
#[derive(Clone, Copy, Debug, Default)]
struct Cost(Option<f64>);

/// How much the last batch counts.
const LAST: f64 = 0.4;

impl Cost {
    fn learn(&mut self, last: f64) {
        let before = self.0.unwrap_or(last);
        self.0 = Some(before + (last - before) * LAST);
    }

    fn of_row(self) -> f64 {
        self.0.unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
