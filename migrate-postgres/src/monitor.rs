//! What is seen of a session while it works: how far it is, who waits behind it, and what it waits for itself.
//!
//! Owns the guard of an attempt to get a lock: when too many wait behind it, or too long, it is given up. Owns when what is seen is
//! told. Knows nothing of migrations but which one it is.

use std::time::{Duration, Instant};

use migrate_core::{LockMode, MigrationId};
use sqlx::PgConnection;

use crate::activity::{in_the_way, progress};
use crate::observe::{Ear, Event};
use crate::sql;
use crate::watch::{Look, Sight};
use crate::wire::{Backend, number, send, text, truth};

/// Looks at one message of a session.
pub(crate) struct Monitor<'m> {
    backend: Backend,
    began: Instant,
    ear: &'m Ear,
    /// The migration, and which of its statements where each runs by itself.
    of: Option<(MigrationId, Option<u32>)>,
    told: Option<Instant>,
    /// Where there is none, it is not given up.
    guard: Option<Guard>,
    /// Since when it is seen to wait for a lock that keeps others out.
    closing: Option<Instant>,
    /// It was given up, since too many waited.
    pub(crate) gave_up: bool,
    /// What it was last seen to wait for.
    pub(crate) waits_for: Option<(String, LockMode)>,
}

/// What a message may do to others before it is given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guard {
    /// How many may wait behind it.
    pub(crate) most_waiting: usize,
    /// How long it may wait for a lock that keeps others out, where the server has not been told.
    pub(crate) at_most: Option<Duration>,
}

/// Between two times that it is told; what is over sooner is not worth a word.
const TELL: Duration = Duration::from_secs(1);

impl<'m> Monitor<'m> {
    pub(crate) fn new(
        backend: Backend,
        guard: Option<Guard>,
        ear: &'m Ear,
        of: Option<(MigrationId, Option<u32>)>,
    ) -> Self {
        let (began, told, waits_for) = (Instant::now(), None, None);
        Self { backend, began, ear, of, told, guard, closing: None, gave_up: false, waits_for }
    }

    /// Does it harm others more than it may?
    fn is_too_much(&mut self, waits_for: Option<LockMode>, waiting: Option<usize>) -> bool {
        self.closing = match waits_for {
            Some(mode) if mode.is_strong() => self.closing.or_else(|| Some(Instant::now())),
            _ => None,
        };
        let Some(Guard { most_waiting, at_most }) = self.guard else { return false };
        let waited = self.closing.map(|since| since.elapsed());
        waiting.is_some_and(|n| n > most_waiting)
            || at_most.is_some_and(|at_most| waited.is_some_and(|waited| waited >= at_most))
    }

    async fn tell(&mut self, eye: &mut PgConnection, waiting: usize) -> Result<(), sqlx::Error> {
        let Some((id, statement)) = self.of else { return Ok(()) };
        if self.told.unwrap_or(self.began).elapsed() < TELL {
            return Ok(());
        }
        self.told = Some(Instant::now());
        let progress = progress(eye, self.backend.pid).await?;
        let blockers = in_the_way(eye, self.backend.pid).await?;
        let elapsed = self.began.elapsed();
        let (progress, blockers) = (progress.as_ref(), blockers.as_slice());
        self.ear.tell(&Event::Working { id, statement, elapsed, progress, blockers, waiting });
        Ok(())
    }
}

impl Look for Monitor<'_> {
    /// An attempt in the queue is over in no time, and has to be looked at often; what works for long has not, but
    /// where it may begin to queue at any time.
    fn period(&self) -> Duration {
        match self.guard {
            Some(_) if self.began.elapsed() < Duration::from_secs(2) => Duration::from_millis(20),
            Some(Guard { at_most: Some(_), .. }) => Duration::from_millis(100),
            _ => Duration::from_secs(1),
        }
    }

    async fn look(&mut self, eye: &mut PgConnection) -> Result<Sight, sqlx::Error> {
        let row = send(eye, sql::waiting(self.backend)).await?;
        let Some(row) = row.filter(|row| truth(row, "there")) else { return Ok(Sight::Gone) };
        let mode = text(&row, "mode").and_then(LockMode::of_shown);
        if let (Some(relation), Some(mode)) = (text(&row, "relation"), mode) {
            self.waits_for = Some((relation.to_owned(), mode));
        }
        let waiting = number(&row, "waiting").and_then(|count| usize::try_from(count).ok());
        if self.is_too_much(mode, waiting) && !self.gave_up {
            self.gave_up = true; // also where nobody hears any more whether it was
            let ended = send(eye, sql::cancel(self.backend, number(&row, "sent"))).await?;
            self.gave_up = ended.is_some_and(|row| truth(&row, "ended"));
        }
        self.tell(eye, waiting.unwrap_or_default()).await?;
        Ok(Sight::There)
    }
}
