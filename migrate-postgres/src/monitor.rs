//! What is seen of a session while it works: who waits behind it, and what it waits for itself.
//!
//! Owns the guard of an attempt to get a lock: when too many wait behind it, it is given up. Knows nothing of
//! migrations.

use std::time::{Duration, Instant};

use migrate_core::LockMode;
use sqlx::PgConnection;

use crate::session::{number, send, text};
use crate::sql;
use crate::watch::Look;

/// Looks at one message of a session.
pub(crate) struct Monitor {
    pid: i32,
    began: Instant,
    /// How many may wait behind it; where nobody is counted, it is not given up.
    pub(crate) most_waiting: Option<usize>,
    /// It was given up, since too many waited.
    pub(crate) gave_up: bool,
    /// What it was last seen to wait for.
    pub(crate) waits_for: Option<(String, LockMode)>,
}

impl Monitor {
    pub(crate) fn new(pid: i32, most_waiting: Option<usize>) -> Self {
        Self { pid, began: Instant::now(), most_waiting, gave_up: false, waits_for: None }
    }
}

impl Look for Monitor {
    /// An attempt in the queue is over in no time, and has to be looked at often; what works for long has not.
    fn period(&self) -> Duration {
        if self.most_waiting.is_some() && self.began.elapsed() < Duration::from_secs(2) {
            return Duration::from_millis(20);
        }
        Duration::from_secs(1)
    }

    async fn look(&mut self, eye: &mut PgConnection) -> Result<(), sqlx::Error> {
        let Some(row) = send(eye, sql::waiting(self.pid)).await? else { return Ok(()) };
        let mode = text(&row, "mode").and_then(LockMode::of_shown);
        if let (Some(relation), Some(mode)) = (text(&row, "relation"), mode) {
            self.waits_for = Some((relation.to_owned(), mode));
        }
        let waiting = number(&row, "waiting").and_then(|count| usize::try_from(count).ok());
        let too_many = self.most_waiting.is_some_and(|most| waiting.is_some_and(|n| n > most));
        if too_many && !self.gave_up {
            self.gave_up = true;
            send(eye, sql::cancel(self.pid)).await?;
        }
        Ok(())
    }
}
