//! Many migrations in one transaction, as on a fresh database.
//!
//! A message each, as ever. Their rows are written together, which costs the server a fraction of what each by
//! itself does: with the last of them, and whenever the texts have become too long to be put off.

use std::time::Instant;

use migrate_core::{Action, Direction, Script, Step};

use tracing::Instrument;

use super::send::{Ends, Failure};
use super::{Job, Runner, span, wants_own_transaction};
use crate::error::{Error, sqlstate};
use crate::history::{Ran, Row};

/// Bytes of text that wait for their rows: what is sent twice is kept from growing without bound.
const ENOUGH: usize = 1 << 20;

/// A migration of the transaction, and when it ran.
struct Member<'j> {
    job: Job<'j>,
    began: Instant,
    ended: Instant,
}

impl Runner<'_> {
    pub(super) async fn together(
        &mut self,
        actions: &[Action],
        direction: Direction,
    ) -> Result<(), Error> {
        let (mut members, mut written) = (Vec::<Member<'_>>::new(), 0);
        for (action, number) in actions.iter().zip(1..) {
            let job = self.job(action, direction).await?;
            let Some(script) = job.script() else { return Err(job.not_a_script()) };
            let ends = Ends { first: number == 1, last: number == actions.len() };
            let waiting = members.get(written..).unwrap_or_default();
            let mut rows = String::new();
            if ends.last || length(waiting) + script.text.len() > ENOUGH {
                rows = self.rows(waiting, &job, written);
                written = number;
            }
            let began = self.start(&job, None);
            let sent = self.send_together(&job, script, ends, &rows);
            if let Err(failure) = sent.instrument(span(action, direction)).await {
                return Err(self.together_failed(&job, failure, actions.len()).await);
            }
            members.push(Member { job, began, ended: Instant::now() });
        }
        self.clerk.last_seq += i64::try_from(written).unwrap_or_default();
        for Member { job, began, ended } in members {
            self.finish(job.action.id, job.action.name.clone(), direction, ended - began);
        }
        Ok(())
    }

    async fn send_together(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        ends: Ends,
        rows: &str,
    ) -> Result<(), Failure> {
        let asking = self.briefly(job);
        self.send_script(job, script, &asking, ends, rows).await.map(drop)
    }

    /// The rows of those that ran and of the one that is about to.
    fn rows(&self, waiting: &[Member<'_>], last: &Job<'_>, written: usize) -> String {
        let rows: Vec<Row<'_>> =
            waiting.iter().flat_map(Member::rows).chain(last.final_rows()).collect();
        self.clerk.statement(&rows, i64::try_from(written).unwrap_or_default() + 1)
    }

    async fn together_failed(&mut self, job: &Job<'_>, failure: Failure, count: usize) -> Error {
        if sqlstate(&failure.error).is_some_and(|state| wants_own_transaction(&state)) {
            return job.error(failure);
        }
        let stayed =
            format!("nothing of the {count} migrations that shared its transaction stayed");
        self.failed(job, failure).await.undone(&stayed)
    }
}

impl Member<'_> {
    fn rows(&self) -> Vec<Row<'_>> {
        let ran = Ran::Before { began: self.began, ended: self.ended };
        self.job.final_rows().into_iter().map(|row| Row { ran, ..row }).collect()
    }
}

fn length(members: &[Member<'_>]) -> usize {
    let scripts =
        members.iter().filter_map(|member| member.job.steps.first().and_then(Step::script));
    scripts.map(|script| script.text.len()).sum()
}
