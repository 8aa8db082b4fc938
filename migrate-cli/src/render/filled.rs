//! What `backfill` came to, and what one looks like when somebody has told it something.
//!
//! Owns the words for results. How far one is, `filling` says.

use migrate_postgres::{BackfillReport, BackfillState, MigrationId, Wanted};
use serde::Serialize;

use super::filling::{next, which};
use super::words::{clean, count, duration, first_word, migration, some};
use super::{Ink, Look, Show};

/// What `backfill` did. Each that is done has had its line.
#[derive(Serialize)]
pub(crate) struct Filled<'f> {
    pub(crate) database: String,
    #[serde(flatten)]
    pub(crate) report: &'f BackfillReport,
    /// Their turn has not come.
    pub(crate) waiting: Vec<Waiting>,
    #[serde(skip)]
    pub(crate) program: &'f str,
}

/// A backfill that comes after other migrations.
#[derive(Serialize)]
pub(crate) struct Waiting {
    pub(crate) id: MigrationId,
    pub(crate) name: String,
}

impl Show for Filled<'_> {
    fn text(&self, look: Look) -> String {
        let BackfillReport { done, left, took, .. } = self.report;
        let program = self.program;
        let mut lines = some(done, |done| {
            let said = format!("verified  {}: {}", done.id, clean(&done.said));
            first_word(look, Ink::Good, &look.wrap(&said, "          "))
        });
        lines.extend(some(left, |(id, why)| {
            let (why, which) = (clean(why), which(*id));
            let text = format!("left      {id}: {why}; go on: {program} backfill resume {which}");
            first_word(look, Ink::Warn, &look.wrap(&text, "          "))
        }));
        lines.extend(some(&self.waiting, |Waiting { id, name }| {
            let subject = migration(*id, name);
            let text = format!(
                "waits     {subject}: migrations before it have not run; first: {program} run"
            );
            first_word(look, Ink::Warn, &look.wrap(&text, "          "))
        }));
        let rest = match left.len() + self.waiting.len() {
            0 => String::new(),
            1 => "; 1 backfill is not done".to_owned(),
            many => format!("; {many} backfills are not done"),
        };
        lines.push(match done.len() {
            0 if rest.is_empty() => "nothing to fill".to_owned(),
            0 => rest.trim_start_matches("; ").to_owned(),
            many => format!("{} done in {}{rest}", count(many, "backfill"), duration(*took)),
        });
        lines.join("\n")
    }
}

/// A backfill that was told something.
#[derive(Serialize)]
pub(crate) struct Turned<'t> {
    pub(crate) database: String,
    pub(crate) state: BackfillState,
    #[serde(skip)]
    pub(crate) limits: bool,
    #[serde(skip)]
    pub(crate) program: &'t str,
}

impl Show for Turned<'_> {
    fn text(&self, look: Look) -> String {
        let BackfillState { id, name, limits, wanted, .. } = &self.state;
        let subject = migration(*id, name);
        let what = match (self.limits, wanted) {
            (true, _) if limits.is_empty() => "has no limits of its own any more".to_owned(),
            (true, _) => format!("keeps to {} from its next batch on", clean(limits)),
            (_, Wanted::Pause) => "waits before its next batch".to_owned(),
            (_, Wanted::Cancel) => "ends before its next batch".to_owned(),
            (_, Wanted::Run) => "may go on".to_owned(),
        };
        let what = look.wrap(&format!("{subject} {what}"), "  ");
        format!(
            "{what}\n{}",
            look.wrap(&format!("  next: {}", next(&self.state, self.program)), "    ")
        )
    }
}
