//! How a script goes to the server: what is sent ahead of it and behind it, and what its failure says.
//!
//! Owns the message, or the two of them where the locks are asked for in the middle, and where in them the text of the
//! user is. Knows neither what is recorded nor whether it is tried again.

use std::ops::Range;
use std::time::{Duration, Instant};

use migrate_core::sql::{Statement, classify};
use migrate_core::{LockMode, Script};

use super::{Job, Runner};
use crate::blocker::Blocker;
use crate::observe::Event;
use crate::session::{Limits, Scope};
use crate::sql::{self, AS_WE_WRITE};
use crate::watch::Gone;
use crate::wire::Told;

/// How an attempt asks for its locks.
pub(super) struct Asking {
    /// The statements that take them.
    pub(super) locks: String,
    /// Where in the file: ahead of this statement.
    pub(super) at: usize,
    pub(super) limits: Limits,
    /// How long others may have to wait behind it; `None` is not at all.
    pub(super) queues: Option<Duration>,
}

impl Asking {
    /// What goes ahead of the work that needs the locks.
    pub(super) fn ahead(&self) -> String {
        match self.locks.as_str() {
            "" => String::new(),
            locks => format!("{locks}{}", sql::waited()),
        }
    }
}

/// Which ends of its transaction a script is at.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    pub(super) first: bool,
    pub(super) last: bool,
}

impl Ends {
    pub(super) const BOTH: Ends = Ends { first: true, last: true };
}

/// An attempt that failed: why, and the script with what was sent ahead of it and from where.
pub(super) struct Failure {
    pub(super) error: sqlx::Error,
    pub(super) script: Option<(Script, usize, usize)>,
    /// Which of its statements failed, from 0: the server does not give every error a position.
    pub(super) statement: Option<usize>,
    /// It did not come to the file, for want of its locks.
    pub(super) is_in_locks: bool,
    /// It was ended by us, since too many waited behind it.
    pub(super) gave_up: bool,
    /// What it was last seen to wait for.
    pub(super) waits_for: Option<(String, LockMode)>,
    /// Who was in the way.
    pub(super) blockers: Vec<Blocker>,
}

/// A part of a script, with what is sent around it.
struct Part {
    head: String,
    text: Range<usize>,
    tail: String,
    /// Its first statement, from 0.
    first: usize,
}

impl Part {
    fn message(&self, script: &Script) -> String {
        let text = script.text.get(self.text.clone()).unwrap_or_default();
        let Self { head, tail, .. } = self;
        format!(
            "{head}{text}
;
{tail}"
        )
    }
}

/// What a file asks for before its first query.
fn isolation_level(script: &Script) -> Option<&'static str> {
    let texts = script.statements.iter().map(|statement| script.statement(statement));
    texts.take_while(|text| classify::is_setting(text)).find_map(classify::isolation_level)
}

/// The locks are asked for as late as can be: what comes before is not to be done under them.
fn parts(script: &Script, head: String, asking: &Asking, tail: &str) -> Vec<Part> {
    let from = byte_order_mark(&script.text);
    let end = script.text.len();
    let is_before = |statement: &Statement| (statement.start as usize) < asking.at;
    let first = script.statements.iter().take_while(|one| is_before(one)).count();
    let tail = tail.to_owned();
    if asking.locks.is_empty() {
        return vec![Part { head: head + "\n", text: from..end, tail, first: 0 }];
    }
    let locks = asking.ahead() + "\n";
    if first == 0 {
        return vec![Part { head: head + &locks, text: from..end, tail, first }];
    }
    let earlier = Part { head: head + "\n", text: from..asking.at, tail: String::new(), first: 0 };
    vec![earlier, Part { head: locks, text: asking.at..end, tail, first }]
}

pub(super) fn statements_in(head: &str) -> usize {
    migrate_core::sql::statements(head).map_or(usize::MAX, |statements| statements.len())
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        Self {
            error,
            script: None,
            statement: None,
            is_in_locks: false,
            gave_up: false,
            waits_for: None,
            blockers: Vec::new(),
        }
    }
}

/// Constraints and triggers that wait for the end of the transaction have their turn under the settings of the file.
const TRIGGERS_FIRST: &str = "SET CONSTRAINTS ALL IMMEDIATE; ";

impl Runner<'_> {
    /// Settings, the file, the rows of the history, and the ends of the transaction as the place in it demands: one
    /// message, or two where the locks are asked for in the middle.
    pub(super) async fn send_script(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        asking: &Asking,
        ends: Ends,
        rows: &str,
    ) -> Result<(), Failure> {
        let begin = match ends.first {
            true => self.session.begin_at(self.names, "BEGIN; ", isolation_level(script)).await?,
            false => "",
        };
        let settings = self.session.settings(Scope::Transaction, self.ours, asking.limits);
        let head = format!("{} {begin}{settings}", job.comment());
        let triggers = if rows.is_empty() { "" } else { TRIGGERS_FIRST };
        let before = format!("{triggers}{}", self.before_rows(rows));
        let end = if ends.last { "COMMIT" } else { "" };
        let tail = format!("{before}{rows}{end}");
        for part in parts(script, head, asking, &tail) {
            let began = Instant::now();
            let waited = match self.send_part(script, &part, asking).await {
                Ok(told) => told.waited,
                Err(failure) => {
                    self.session.roll_back().await;
                    return Err(failure);
                }
            };
            self.tell_locked(job, waited, began);
        }
        Ok(())
    }

    pub(super) fn tell_locked(&self, job: &Job<'_>, waited: Option<Duration>, began: Instant) {
        if let Some(waited) = waited {
            let (id, held) = (job.action.id, began.elapsed().saturating_sub(waited));
            self.ear.tell(&Event::Locked { id, waited, held });
        }
    }

    async fn send_part(
        &mut self,
        script: &Script,
        part: &Part,
        asking: &Asking,
    ) -> Result<Told, Failure> {
        let guard = asking.queues.map(|_| self.guard());
        let mut monitor = self.monitor(guard);
        let mut told = Told::default();
        let sending = self.session.send_counting(part.message(script), &mut told);
        let sent = self.watch.over(&mut monitor, sending).await;
        let Err(error) = sent.unwrap_or_else(|Gone| Err(self.session.gave_up())) else {
            return Ok(told);
        };
        let done = told.done.checked_sub(statements_in(&part.head));
        Err(Failure {
            is_in_locks: done.is_none() && !asking.locks.is_empty(),
            statement: Some(part.first + done.unwrap_or_default()),
            script: Some((script.clone(), part.head.chars().count(), part.text.start)),
            gave_up: monitor.gave_up,
            waits_for: monitor.waits_for,
            ..Failure::from(error)
        })
    }

    /// What is between a text and the rows that tell of it.
    pub(super) fn before_rows(&self, rows: &str) -> String {
        let lease = self.session.lease.as_ref();
        match (lease.map(|lease| (lease.undo(), lease.renew(self.names))), rows.is_empty()) {
            (None, true) => AS_WE_WRITE.to_owned(),
            (None, false) => format!("RESET ALL; {AS_WE_WRITE}{}", self.clerk.as_ourselves()),
            (Some((undo, _)), true) => undo,
            (Some((undo, renew)), false) => format!("{undo}{}{renew}", self.clerk.as_ourselves()),
        }
    }
}

/// The server takes no byte order mark.
fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}
