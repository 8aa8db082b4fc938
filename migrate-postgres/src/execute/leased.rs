//! What cannot be done by a lease.
//!
//! Owns which work needs a session of its own. Knows nothing of the lease.

use migrate_core::{Plan, Step};

use super::{Job, Runner};
use crate::error::Error;

impl Runner<'_> {
    /// Refuses a plan with work that outlives a transaction, where a pooler keeps nothing for longer; before any of
    /// it is run.
    pub(crate) async fn refuse_what_needs_a_session(&mut self, plan: &Plan) -> Result<(), Error> {
        if self.session.lease.is_none() {
            return Ok(());
        }
        for action in &plan.actions {
            let job = self.job(action, plan.direction).await?;
            if !job.is_one_transaction() {
                return Err(Error::needs_a_session(&job.what()));
            }
        }
        Ok(())
    }
}

impl Job<'_> {
    /// Does all of it, and its row in the history, commit at once?
    fn is_one_transaction(&self) -> bool {
        let (done, interrupted) = (self.action.done_units, self.action.interrupted);
        match (&*self.steps, done, interrupted) {
            ([Step::Transaction(_)], 0, false) => true,
            ([Step::Code(code)], 0, false) => code.transaction,
            ([Step::Backfill(_)], ..) => true, // each of its batches does
            _ => false,
        }
    }
}
