//! Carrying out a plan.
//!
//! The only place that matches on the kinds of work and touches the database with them. Decides nothing: which
//! migrations, in which order and in which transactions is the plan's. What a unit of work did and its row in
//! the history commit together; what cannot be in a transaction is recorded before and after.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use migrate_core::sql::Statement;
use migrate_core::{
    Action, Deferred, Direction, Down, Entry, Header, Held, MigrationId, Notice, Plan, Reason,
    Script, Set, State, Step, Targets, TextOf, Unit, units,
};

use tracing::Instrument;

use crate::error::{Error, sqlstate};
use crate::history::{self, Clerk, Ran, Row};
use crate::monitor::{Guard, Monitor};
use crate::observe::{Ear, Event};
use crate::options::Options;
use crate::report::{Applied, Report, Unfinished};
use crate::retry::{self, Attempts};
use crate::session::Session;
use crate::source::Source;
use crate::sql::{self, Names};
use crate::wanted::Wanted;
use crate::watch::{Gone, Watch};

use send::{Ends, Failure};

mod code;
mod fill;
mod leased;
mod locking;
pub(crate) mod pieces;
mod send;
mod standalone;
mod together;

/// What a run works with.
pub(crate) struct Runner<'r> {
    pub(crate) session: &'r mut Session,
    pub(crate) names: &'r Names,
    pub(crate) ours: &'r Options,
    pub(crate) source: &'r Source,
    pub(crate) set: &'r Set,
    pub(crate) ear: &'r Ear,
    pub(crate) clerk: Clerk<'r>,
    pub(crate) targets: Option<&'r [Targets]>,
    pub(crate) watch: Watch,
    /// The migration, and which of its statements where each runs by itself.
    pub(crate) now: Option<(MigrationId, Option<u32>)>,
    pub(crate) tally: &'r mut Tally,
    pub(crate) effort: Effort,
    /// When the time for backfills is over; `None` where nobody waits for them.
    pub(crate) fill_until: Option<Instant>,
}

/// What was done, over all connections of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) applied: Vec<Applied>,
    /// What is being done, and since when: lost with the connection, only the history knows what became of it.
    pub(crate) under_way: Vec<(MigrationId, String, Direction, Instant)>,
    fell_back: bool,
    /// Backfills that are left to others or to the next run.
    pub(crate) unfilled: Vec<Unfinished>,
    /// Somebody has looked who works and who else is there.
    knows_roles: bool,
    /// What the history is to say beside a contract: how its gate was opened.
    pub(crate) reasons: BTreeMap<MigrationId, String>,
}

impl Tally {
    /// What is not to run now.
    pub(crate) fn held(&self) -> Held {
        let mut held = Held::default();
        self.unfilled.iter().for_each(|left| held.hold(left.id, Reason::Unfilled));
        held
    }

    /// Is this the first time that somebody asks?
    pub(crate) fn looks_at_roles(&mut self) -> bool {
        !std::mem::replace(&mut self.knows_roles, true)
    }

    pub(crate) fn ids(&self) -> Vec<MigrationId> {
        self.applied.iter().map(|applied| applied.id).collect()
    }

    /// What a run says that has left nothing to do but what is deferred.
    pub(crate) fn report(&mut self, deferred: Vec<Deferred>, notices: Vec<Notice>) -> Report {
        let (applied, left) =
            (std::mem::take(&mut self.applied), std::mem::take(&mut self.unfilled));
        let fell_back = self.fell_back;
        Report { applied, deferred, left, notices, fell_back, took: Duration::ZERO }
    }
}

/// What it took to get the locks of a migration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Effort {
    attempts: u32,
    foreseen: bool,
}

impl Effort {
    pub(crate) const NONE: Effort = Effort { attempts: 0, foreseen: true };
}

/// One action with everything that carrying it out needs.
pub(crate) struct Job<'j> {
    action: &'j Action,
    direction: Direction,
    steps: Cow<'j, [Step]>,
    entry: Option<&'j Entry>,
    targets: Option<&'j [Targets]>,
    reason: Option<String>,
}

impl<'r> Runner<'r> {
    /// Carries out a plan, in its order, up to a backfill that is not done: what comes behind it may have to wait.
    pub(crate) async fn carry_out(&mut self, plan: &Plan) -> Result<(), Error> {
        let mut actions = plan.actions.as_slice();
        let left = self.tally.unfilled.len();
        while let Some(first) = actions.first().filter(|_| self.tally.unfilled.len() == left) {
            let together =
                actions.iter().take_while(|a| a.group.is_some() && a.group == first.group).count();
            let (now, later) = actions.split_at(together.max(1));
            let done = self.together_or_each(now, plan.direction).await;
            done.map_err(|error| error.after(&self.tally.ids()))?;
            actions = later;
        }
        Ok(())
    }

    /// Many in one transaction where the plan says so; a transaction each when the server objects to that.
    async fn together_or_each(
        &mut self,
        actions: &[Action],
        direction: Direction,
    ) -> Result<(), Error> {
        if actions.len() > 1 && !self.tally.fell_back {
            match self.together(actions, direction).await {
                Err(error) if error.sqlstate().is_some_and(wants_own_transaction) => {
                    self.tally.fell_back = true;
                    self.ear
                        .tell(&Event::FellBack { sqlstate: error.sqlstate().unwrap_or_default() });
                }
                done => return done,
            }
        }
        for action in actions {
            self.one(action, direction).instrument(span(action, direction)).await?;
        }
        Ok(())
    }

    /// One action by itself.
    async fn one(&mut self, action: &Action, direction: Direction) -> Result<(), Error> {
        let job = self.job(action, direction).await?;
        let began = Instant::now();
        match (&*job.steps, action.done_units, action.interrupted) {
            ([Step::Transaction(script)], 0, false) => self.transaction(&job, script).await?,
            ([Step::Code(code)], 0, false) if code.transaction => self.code(&job).await?,
            ([Step::Backfill(backfill)], ..) if job.direction == Direction::Up => {
                if !self.fill(&job, backfill).await? {
                    return Ok(());
                }
            }
            _ => self.journalled(&job).await?,
        }
        self.finish(action.id, action.name.clone(), direction, began.elapsed());
        Ok(())
    }

    async fn job<'j>(&mut self, action: &'j Action, direction: Direction) -> Result<Job<'j>, Error>
    where
        'r: 'j,
    {
        let set: &'r Set = self.set;
        let entry = set.get(action.id);
        let steps = match (action.text, entry, direction) {
            (TextOf::History, ..) => Cow::Owned(vec![self.step_from_history(action.id).await?]),
            (TextOf::Declared, Some(entry), Direction::Up) => Cow::Borrowed(entry.up()),
            (TextOf::Declared, Some(entry), Direction::Down) => match entry.down() {
                Down::Steps(steps) => Cow::Borrowed(steps),
                _ => return Err(gone(action.id)),
            },
            (TextOf::Declared, None, _) => return Err(gone(action.id)),
        };
        let targets = self.targets.filter(|_| !self.source.is_beside(action.id));
        let reason = self.tally.reasons.get(&action.id).cloned();
        Ok(Job { action, direction, steps, entry, targets, reason })
    }

    /// The way back of a migration that nobody declares any more.
    async fn step_from_history(&mut self, id: MigrationId) -> Result<Step, Error> {
        let connection = &mut self.session.connection;
        let (_, down) = history::texts(connection, self.names, id).await?;
        let text = down.ok_or_else(|| gone(id))?;
        let (header, _) = Header::parse(&text);
        let script = Script::parse(format!("the way back of {id} in the history"), text);
        let script = script.map_err(|_| gone(id))?;
        Ok(Step::of_file(&header, script))
    }

    fn start(&mut self, job: &Job<'_>, statement: Option<u32>) -> Instant {
        let Action { id, name, .. } = job.action;
        let began = Instant::now();
        self.now = Some((*id, statement));
        if !self.tally.under_way.iter().any(|under_way| under_way.0 == *id) {
            self.tally.under_way.push((*id, name.clone(), job.direction, began));
        }
        self.ear.tell(&Event::Started { id: *id, name, direction: job.direction, statement });
        began
    }

    /// Watches over the next message; of an attempt in the queue, who waits behind it.
    fn monitor(&self, guard: Option<Guard>) -> Monitor<'r> {
        Monitor::new(self.session.facts.backend, guard, self.ear, self.now)
    }

    /// Of an attempt that the server ends when it has waited for long enough.
    fn guard(&self) -> Guard {
        Guard { most_waiting: self.ours.waits.most_waiting, at_most: None }
    }

    fn finish(&mut self, id: MigrationId, name: String, direction: Direction, took: Duration) {
        self.ear.tell(&Event::Done { id, name: &name, direction, took });
        self.tally.under_way.clear();
        let Effort { attempts, foreseen } = std::mem::replace(&mut self.effort, Effort::NONE);
        self.tally.applied.push(Applied { id, name, direction, took, attempts, foreseen });
    }

    /// A migration that is one transaction.
    async fn transaction(&mut self, job: &Job<'_>, script: &Script) -> Result<(), Error> {
        self.start(job, None);
        match self.script_with_rows(job, script, &job.final_rows()).await {
            Ok(()) => Ok(()),
            Err(failure) => Err(self.failed(job, failure).await.undone(NOTHING_STAYED)),
        }
    }

    /// A script and its rows in a transaction of their own, tried again while locks are not to be had.
    async fn script_with_rows(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        rows: &[Row<'_>],
    ) -> Result<(), Failure> {
        let mut locking = self.locking(job, &script.statements);
        loop {
            let asking = self.next_attempt(job, &mut locking).await?;
            let written = self.clerk.statement(rows, 1);
            match self.send_script(job, script, &asking, Ends::BOTH, &written).await {
                Ok(()) => {
                    self.clerk.last_seq += i64::try_from(rows.len()).unwrap_or_default();
                    self.note_effort(&locking);
                    return Ok(());
                }
                Err(failure) if self.goes_on(job, &failure, &asking, &mut locking) => {}
                Err(failure) => return Err(Failure { blockers: locking.blockers, ..failure }),
            }
        }
    }

    /// Writes rows of the history in a transaction of their own.
    async fn write(&mut self, rows: &[Row<'_>]) -> Result<(), Error> {
        let mut monitor = self.monitor(None);
        let writing = self.clerk.write(self.session, rows);
        let written = self.watch.over(&mut monitor, writing).await;
        written
            .unwrap_or_else(|Gone| Err(Error::driver("write the history", self.session.gave_up())))
    }

    /// Attempts at what nobody has looked at before.
    fn attempts(&self, job: &Job<'_>) -> Attempts<'r> {
        Attempts::new(&self.ours.waits, job.lock_timeout(), self.session.facts.deadlock_timeout)
    }

    /// Waits before another attempt, if there is to be one.
    async fn pause(
        &mut self,
        job: &Job<'_>,
        error: &sqlx::Error,
        attempts: &mut Attempts<'_>,
    ) -> bool {
        let Some(state) = sqlstate(error).filter(|state| retry::is_worth_it(state)) else {
            return false;
        };
        let Some(pause) = self.refused(job, &state, attempts) else { return false };
        self.session.rest(self.names, pause).await;
        true
    }

    /// Counts an attempt that was refused its locks; how long to pause, where time is not up.
    fn refused(
        &self,
        job: &Job<'_>,
        sqlstate: &str,
        attempts: &mut Attempts<'_>,
    ) -> Option<Duration> {
        let pause = attempts.pause()?;
        let (id, attempt) = (job.action.id, attempts.made());
        self.ear.tell(&Event::Retrying { id, attempt, pause, sqlstate });
        Some(pause)
    }

    /// What settles a migration: its own row, and those of the phases that its way back undoes too.
    fn rows_in_the_end(&self, job: &Job<'_>) -> String {
        self.clerk.statement(&job.final_rows(), 1)
    }

    /// Makes an error of a failed attempt, and leaves a row that says so.
    async fn failed(&mut self, job: &Job<'_>, failure: Failure) -> Error {
        if self.clerk.was_refused(&failure.error) {
            return self.clerk.refused(failure.error);
        }
        let state = sqlstate(&failure.error);
        let error = job.error(failure);
        match state {
            Some(state) if retry::is_worth_it(&state) => {}
            Some(state) => self.record_failure(job, &format!("SQLSTATE {state}")).await,
            None if error.is_connection() => {}
            None => self.record_failure(job, OF_THE_CODE).await,
        }
        error
    }

    async fn record_failure(&mut self, job: &Job<'_>, reason: &str) {
        let row = Row { reason: Some(reason), ..job.row(State::Failed, job.action.id) };
        if let Err(error) = self.write(&[row]).await {
            tracing::warn!(%error, "migrate: the failure could not be recorded");
        }
    }
}

/// The span of one migration.
fn span(action: &Action, direction: Direction) -> tracing::Span {
    let Action { id, name, .. } = action;
    tracing::info_span!("migration", version = id.version.get(), phase = %id.phase, name, %direction)
}

/// What the history says where the server had nothing to say against it.
const OF_THE_CODE: &str = "an error of the code";

const NOTHING_STAYED: &str = "nothing of it stayed";

impl<'j> Job<'j> {
    fn script(&self) -> Option<&Script> {
        self.steps.first().and_then(Step::script)
    }

    /// What the linter says that these statements of it lock.
    fn wanted(&self, statements: &[Statement]) -> Wanted {
        let is_judged = self.direction == Direction::Up && self.action.text == TextOf::Declared;
        match self.targets.filter(|_| is_judged) {
            Some(targets) => Wanted::of(targets, self.action.id, statements),
            None => Wanted::unknown(),
        }
    }

    fn lock_timeout(&self) -> Option<Duration> {
        self.entry.and_then(|entry| entry.lock_timeout())
    }

    fn verb(&self) -> &'static str {
        if self.direction == Direction::Up { "apply" } else { "revert" }
    }

    /// What failed, for an error.
    fn what(&self) -> String {
        format!("{} {} {}", self.verb(), self.action.id, self.action.name)
    }

    /// Shown by `pg_stat_activity` beside the work.
    fn comment(&self) -> String {
        sql::comment(self.verb(), self.action.id, &self.action.name)
    }

    /// A row about all of one migration.
    fn row(&self, state: State, id: MigrationId) -> Row<'_> {
        let kind = migrate_core::plan::kind_of(&self.steps);
        match (self.entry, self.direction) {
            (Some(entry), Direction::Up) => {
                Row { reason: self.reason.as_deref(), ..Row::whole(&**entry, kind, state) }
            }
            _ => Row {
                id,
                name: &self.action.name,
                kind,
                direction: self.direction,
                state,
                unit: None,
                checksum: units(&self.steps)
                    .first()
                    .map_or(migrate_core::Checksum::of_sql(""), Unit::checksum),
                up_sql: None,
                down_sql: None,
                reason: None,
                ran: Ran::Now,
            },
        }
    }

    fn final_rows(&self) -> Vec<Row<'_>> {
        let state = if self.direction == Direction::Up { State::Done } else { State::Reverted };
        self.action.covers.iter().map(|id| self.row(state, *id)).collect()
    }

    fn rows_in_the_end(&self) -> i64 {
        i64::try_from(self.action.covers.len()).unwrap_or_default()
    }

    fn error(&self, failure: Failure) -> Error {
        let error = Error::driver(&self.what(), failure.error).blocked_by(&failure.blockers);
        let Some((script, before, from)) = failure.script else { return error };
        let statement = failure.statement.and_then(|statement| script.statements.get(statement));
        let error = error.in_script(&script, before, from);
        match statement {
            Some(statement) => error.at_least_at(&script, statement.start),
            None if error.place().is_none() => error.without_secrets_of(&script, None),
            None => error,
        }
    }

    fn not_a_script(&self) -> Error {
        gone(self.action.id)
    }
}

fn gone(id: MigrationId) -> Error {
    Error::declaration(format!("failed to find what {id} does: it is not declared"))
        .next("Run it with a program that declares it.")
}

/// A new enum value that is used, pending trigger events, a full lock table, a statement that wants no
/// transaction around it, and locks that others hold: by itself each may well succeed.
fn wants_own_transaction(sqlstate: &str) -> bool {
    matches!(sqlstate, "55P04" | "55006" | "53200" | "25001") || retry::is_worth_it(sqlstate)
}
