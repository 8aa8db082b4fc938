//! A migration that is a backfill, within the time that a run has for it.
//!
//! Owns the bridge: what the worker is told, and the row of the history when everything holds. How rows are changed is
//! not known here.

use migrate_core::Backfill;

use super::{Job, Runner};
use crate::backfill::{Filled, Filler, Job as Filling};
use crate::error::Error;
use crate::observe::Event;
use crate::report::Unfinished;

impl Runner<'_> {
    /// Goes on with it. Is it done?
    pub(super) async fn fill(&mut self, job: &Job<'_>, backfill: &Backfill) -> Result<bool, Error> {
        self.start(job, None);
        match self.filled(job, backfill).await {
            Ok(done) => Ok(done),
            Err(error) => {
                if !error.is_connection() && !error.is_busy() {
                    let reason = error.sqlstate().map(|state| format!("SQLSTATE {state}"));
                    self.record_failure(job, reason.as_deref().unwrap_or(UNVERIFIED)).await;
                }
                Err(error)
            }
        }
    }

    async fn filled(&mut self, job: &Job<'_>, backfill: &Backfill) -> Result<bool, Error> {
        let (id, name) = (job.action.id, &*job.action.name);
        let filling = Filling { id, name, backfill, code: self.source.filling(id) };
        let told = (self.ours, self.ear);
        let mut filler =
            Filler::open(self.session, self.names, told, filling, self.fill_until).await?;
        match filler.fill(self.session).await? {
            Filled::Verified(said) => {
                let rows = job.final_rows();
                let rows: Vec<_> = rows.into_iter().map(|row| row.because(&said)).collect();
                self.clerk.write_with(self.session, &rows, &filler.done(&said)).await?;
                filler.tidy(self.session, true).await;
                Ok(true)
            }
            Filled::Left(left) => {
                let why = left.words();
                self.ear.tell(&Event::Left { id, why: &why });
                self.tally.unfilled.push(Unfinished::new(id, name, &left, why));
                self.tally.under_way.clear();
                Ok(false)
            }
        }
    }
}

/// What the history says where the server had nothing to say against it.
const UNVERIFIED: &str = "what was promised does not hold";
