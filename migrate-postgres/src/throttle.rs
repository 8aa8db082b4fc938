//! The pace of a backfill: how large the next batch is, and how long it waits.
//!
//! Owns the arithmetic of the time that a batch took. A value: looks at nothing.

use std::time::Duration;

use sqlx::PgConnection;

/// What a backfill keeps to.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// How long a batch is to take.
    batch_time: Duration,
    rows: (u32, u32),
}

impl Default for Limits {
    fn default() -> Self {
        Self { batch_time: Duration::from_millis(150), rows: (50, 20_000) }
    }
}

impl Limits {
    pub(crate) fn rows_least(&self) -> u32 {
        self.rows.0
    }

    /// Changes one, as it is written in the table.
    pub(crate) fn set(&mut self, text: &str) -> Result<(), String> {
        let value = text.strip_prefix("batch_time=");
        match value.and_then(migrate_core::duration) {
            Some(time) => {
                self.batch_time = time;
                Ok(())
            }
            None => Err(format!("`{text}` is no limit")),
        }
    }
}

/// What a batch took.
pub(crate) struct Measured {
    pub(crate) rows_seen: u64,
    pub(crate) rows_changed: u64,
    pub(crate) took: Duration,
    pub(crate) wal: u64,
}

/// What kept a batch from being larger or sooner.
#[derive(Clone, Copy)]
pub(crate) enum LimitedBy {
    BatchTime,
}

impl LimitedBy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            LimitedBy::BatchTime => "batch_time",
        }
    }
}

/// What comes after a batch.
pub(crate) struct Pace {
    pub(crate) pause: Duration,
    pub(crate) limited_by: LimitedBy,
}

/// What the server says of itself.
#[derive(Default)]
pub(crate) struct Signals {}

impl Signals {
    pub(crate) async fn look(_: &mut PgConnection) -> Result<Self, sqlx::Error> {
        Ok(Self {})
    }
}

/// What keeps the next batch from being done now.
pub(crate) struct Closed {
    pub(crate) by: LimitedBy,
    pub(crate) why: String,
    pub(crate) opens: String,
}

/// Learns from each batch how large the next may be.
pub(crate) struct Controller {
    limits: Limits,
    rows: u32,
}

impl Controller {
    pub(crate) fn new(limits: &Limits, first: u32) -> Self {
        Self { limits: limits.clone(), rows: first }
    }

    pub(crate) fn rows(&self) -> u32 {
        self.rows
    }

    pub(crate) fn after(&mut self, measured: &Measured, _: &Signals) -> Pace {
        let Measured { rows_seen, rows_changed, took, wal } = measured;
        tracing::trace!(rows_seen, rows_changed, wal, "migrate: measured a batch");
        let seconds = took.as_secs_f64().max(0.000_5);
        let factor = (self.limits.batch_time.as_secs_f64() / seconds).clamp(0.5, 1.25);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
        let rows = (f64::from(self.rows) * factor) as u32;
        self.rows = rows.clamp(self.limits.rows.0, self.limits.rows.1);
        Pace { pause: *took / 5, limited_by: LimitedBy::BatchTime }
    }

    pub(crate) fn refused(&mut self) {
        self.rows = (self.rows / 2).max(1);
    }
}
