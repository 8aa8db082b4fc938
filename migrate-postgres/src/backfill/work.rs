//! Working through one range: batch after batch, at the pace that the server and the application leave room for.
//!
//! Owns what follows a batch: how large the next is, how long it waits, what becomes of rows that are locked. What a
//! batch is, it does not know.

use std::time::{Duration, Instant};

use super::batch::{Ended, Patience};
use super::rows::Next;
use super::state::{Range, Wanted};
use super::statements::{TABLE_LOCKED, VACUUM};
use super::{Filler, Left, VACUUM_AGAIN};
use crate::error::Error;
use crate::observe::Event;
use crate::session::Session;
use crate::sql::{self, literal};
use crate::throttle::{Controller, Measured};
use crate::wire::truth;

/// How the work at a range ended.
pub(super) enum Worked {
    /// Everything in it was gone through.
    Through,
    /// Somebody else has it by now.
    Lost,
    Left(Left),
}

/// What a batch may wait for a row that the application has locked.
const FOR_ROWS: Duration = Duration::from_millis(300);

/// What one statement may take: row locks are held as long.
const FOR_STATEMENT: Duration = Duration::from_secs(1);
const AT_MOST: Duration = Duration::from_secs(60);

/// How often a range that waits says that it is not forgotten.
const RENEW: Duration = Duration::from_secs(10);

/// What has kept a range from going on, since when.
struct Stuck {
    since: Option<Instant>,
    pause: Duration,
    statement: Duration,
}

impl Stuck {
    const NOT: Stuck =
        Stuck { since: None, pause: Duration::from_millis(250), statement: FOR_STATEMENT };

    /// How long to pause now: longer each time.
    fn pause(&mut self) -> Duration {
        self.pause = (self.pause * 2).min(Duration::from_secs(10));
        self.pause
    }

    fn since(&mut self) -> Duration {
        self.since.get_or_insert_with(Instant::now).elapsed()
    }
}

impl Filler<'_> {
    /// Works through a range that is ours; where that fails, it is nobody's until somebody has mended the cause.
    pub(super) async fn work(
        &mut self,
        session: &mut Session,
        range: Range,
    ) -> Result<Worked, Error> {
        let (no, fence) = (range.no, range.fence);
        let worked = self.work_through(session, range).await;
        if let Err(error) = &worked
            && !error.is_connection()
        {
            self.about.release(session, no, fence).await;
        }
        worked
    }

    async fn work_through(
        &mut self,
        session: &mut Session,
        mut range: Range,
    ) -> Result<Worked, Error> {
        self.controller = Controller::new(&self.limits, self.first_batch(&range));
        let mut stuck = Stuck::NOT;
        loop {
            if let Some(left) = self.wait_for_room(session, &range).await? {
                self.about.release(session, range.no, range.fence).await;
                return Ok(Worked::Left(left));
            }
            self.vacuum_by_need(session, &range.relation).await;
            let patience = Patience { lock: FOR_ROWS, statement: stuck.statement };
            let rows = self.controller.rows();
            match self.batch(session, &mut range, rows, patience).await? {
                Ended::Done { seen, changed, took, wal, is_last } => {
                    stuck = Stuck::NOT;
                    self.after_batch(session, (seen, changed), (took, wal)).await;
                    if is_last {
                        return Ok(Worked::Through);
                    }
                }
                Ended::Refused { next, sqlstate } => {
                    let ended =
                        self.after_refusal(session, &mut range, next, &sqlstate, &mut stuck);
                    if let Some(worked) = ended.await? {
                        return Ok(worked);
                    }
                }
                Ended::Unwanted(wanted, reason) => {
                    self.about.release(session, range.no, range.fence).await;
                    return Ok(Worked::Left(unwanted(wanted, reason)));
                }
                Ended::Lost => return Ok(Worked::Lost),
            }
        }
    }

    /// As large as the last one was, by whomever; of rows that were locked, few at a time.
    fn first_batch(&self, range: &Range) -> u32 {
        let last = range.batch_rows.and_then(|rows| u32::try_from(rows).ok());
        let first = last.unwrap_or(self.ground.batch).max(1);
        if range.is_hole { (first / 8).max(1) } else { first }
    }

    async fn after_batch(
        &mut self,
        session: &mut Session,
        (seen, changed): (i64, i64),
        (took, wal): (Duration, i64),
    ) {
        let count = |number: i64| u64::try_from(number).unwrap_or_default();
        let measured = Measured {
            rows_seen: count(seen),
            rows_changed: count(changed),
            took,
            wal: count(wal),
        };
        let Some(signals) = &self.signals else { return };
        let pace = self.controller.after(&measured, signals);
        self.limited_by = pace.limited_by.as_str().to_owned();
        self.why.clear();
        self.progress.add(seen, changed);
        self.tell_of_batch(pace.pause);
        self.rest(session, pace.pause).await;
    }

    /// Waits while something else comes first; tells whether that is for others to do.
    async fn wait_for_room(
        &mut self,
        session: &mut Session,
        range: &Range,
    ) -> Result<Option<Left>, Error> {
        let mut renewed: Option<Instant> = None;
        loop {
            if self.is_over() {
                return Ok(Some(Left::Budget));
            }
            let Some(closed) = self.closed(session, &range.relation).await? else {
                return Ok(None);
            };
            self.limited_by = closed.by.as_str().to_owned();
            self.why.clone_from(&closed.why);
            self.tell_of_brake(&closed);
            if renewed.is_none_or(|at| at.elapsed() >= RENEW) {
                renewed = Some(Instant::now());
                self.about.renew(session, range, &self.limited_by, &self.why).await?;
            }
            if let Some(left) = self.look_what_is_wanted(session).await? {
                return Ok(Some(left));
            }
            self.rest(session, Duration::from_secs(1)).await;
        }
    }

    /// Clears away dead rows where they have become many, without the indexes: new versions of rows find room then. What
    /// is not done now, for want of a lock or of a right, is told and left, and the next time comes soon.
    async fn vacuum_by_need(&mut self, session: &mut Session, relation: &str) {
        let wanted = self.signals.as_ref().is_some_and(|seen| seen.wants_vacuum(&self.limits));
        let recently = self
            .vacuumed
            .is_some_and(|(at, took)| at.elapsed() < VACUUM_AGAIN.max(took.saturating_mul(5)));
        if !wanted || recently {
            return;
        }
        let began = Instant::now();
        if let Err(error) = session.send(sql::fill(VACUUM, &[("relation", relation)])).await {
            let text = format!("{relation} was not vacuumed: {error}");
            self.ear.tell(&Event::Warning { text: &text });
        }
        self.vacuumed = Some((Instant::now(), began.elapsed()));
    }

    /// A batch that waits is not asked for; what is wanted by now is looked up.
    async fn look_what_is_wanted(&mut self, session: &mut Session) -> Result<Option<Left>, Error> {
        let Some(standing) = self.about.standing(session).await? else { return Ok(None) };
        self.limits_say(&standing.limits);
        let is_wanted = standing.wanted == Wanted::Run;
        Ok((!is_wanted).then(|| unwanted(standing.wanted, standing.reason)))
    }

    /// Rows were locked, or the statement took too long.
    async fn after_refusal(
        &mut self,
        session: &mut Session,
        range: &mut Range,
        next: Option<Box<Next>>,
        sqlstate: &str,
        stuck: &mut Stuck,
    ) -> Result<Option<Worked>, Error> {
        let is_lock = sqlstate == "55P03";
        let is_table =
            is_lock && (next.is_none() || self.is_table_locked(session, &range.relation).await?);
        self.controller.refused();
        if let Some(next) = next.filter(|_| is_lock && !is_table && !range.is_hole) {
            return self.leave(session, range, &next).await;
        }
        if sqlstate == "57014" && self.controller.rows() <= *self.limits.rows.start() {
            stuck.statement = (stuck.statement * 2).min(AT_MOST);
        }
        if stuck.since() >= self.ours.waits.lock_deadline {
            return Err(self.gave_up(sqlstate, is_table, range));
        }
        let why = match (is_table, sqlstate) {
            (true, _) => format!("somebody has locked {}", range.relation),
            (_, "57014") => format!("a batch took longer than {:?}", stuck.statement),
            (_, "55P03") => "some of the rows left are locked by others".to_owned(),
            _ => format!("the server took back a batch (SQLSTATE {sqlstate})"),
        };
        self.limited_by = "locks".to_owned();
        self.why = why;
        self.tell_of_refusal(is_table);
        self.about.renew(session, range, &self.limited_by, &self.why).await?;
        self.rest(session, stuck.pause()).await;
        Ok(None)
    }

    fn tell_of_refusal(&mut self, is_table: bool) {
        if self.braked.is_due() {
            let opens = match is_table {
                true => "when whoever has locked it ends",
                false => "soon, with fewer rows at a time",
            };
            self.ear.tell(&Event::Braked { id: self.about.id, why: &self.why, opens });
        }
    }

    /// Goes on behind rows that are locked; they come back at the end of the pass.
    async fn leave(
        &mut self,
        session: &mut Session,
        range: &mut Range,
        next: &Next,
    ) -> Result<Option<Worked>, Error> {
        self.limited_by = "locks".to_owned();
        self.why = format!("about {} rows are left for later: some are locked", next.seen);
        let ended = self.leave_hole(session, range, next).await?;
        self.tell_of_batch(Duration::ZERO);
        Ok(match ended {
            Ended::Done { is_last: true, .. } => Some(Worked::Through),
            Ended::Done { .. } | Ended::Refused { .. } => None,
            Ended::Unwanted(wanted, reason) => {
                self.about.release(session, range.no, range.fence).await;
                Some(Worked::Left(unwanted(wanted, reason)))
            }
            Ended::Lost => Some(Worked::Lost),
        })
    }

    async fn is_table_locked(&self, session: &mut Session, relation: &str) -> Result<bool, Error> {
        let look = sql::fill(TABLE_LOCKED, &[("relation", &literal(relation))]);
        let message = session.as_ourselves(&self.about.names) + &look;
        let row = session.send(message).await;
        let row = row.map_err(|error| Error::driver("look who has locked a table", error))?;
        Ok(row.is_some_and(|row| truth(&row, "locked")))
    }

    fn gave_up(&self, sqlstate: &str, is_table: bool, range: &Range) -> Error {
        let id = self.about.id;
        let (what, next) = match (is_table, sqlstate) {
            (true, _) => ("its table is locked", "Run again when whoever has locked it has ended."),
            (_, "57014") => (
                "a batch of the fewest rows takes too long",
                "Look at the plan of its statement: its condition should find the rows of a batch by their key.",
            ),
            _ => (
                "rows of it stay locked",
                "Look for a transaction that was forgotten (`status --watch` names it), end it, and run again.",
            ),
        };
        Error::busy(format!("failed to go on with backfill {id} in {}: {what}", range.relation))
            .now("all other rows were gone through, and the next run goes on here")
            .next(next)
    }

    /// Waits, but not beyond the budget.
    pub(super) async fn rest(&self, session: &mut Session, pause: Duration) {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        session.rest(&self.about.names, left.map_or(pause, |left| left.min(pause))).await;
    }
}

pub(super) fn unwanted(wanted: Wanted, reason: Option<String>) -> Left {
    match wanted {
        Wanted::Cancel => Left::Cancelled(reason),
        Wanted::Pause | Wanted::Run => Left::Paused(reason),
    }
}
