//! Carrying out a plan.
//!
//! The only place that matches on the kinds of work and touches the database with them. Decides nothing: which
//! migrations, in which order and in which transactions is the plan's. What a unit of work did and its row in
//! the history commit together; what cannot be in a transaction is recorded before and after.

use std::borrow::Cow;
use std::ops::Range;
use std::time::{Duration, Instant};

use migrate_core::sql::Statement;
use migrate_core::{
    Action, Direction, Down, Entry, Header, LockMode, MigrationId, Plan, Script, Set, State, Step,
    Targets, TextOf, Unit, units,
};

use tracing::Instrument;

use crate::blocker::Blocker;
use crate::error::{Error, sqlstate};
use crate::history::{self, Clerk, Ran, Row};
use crate::monitor::Monitor;
use crate::observe::{Ear, Event};
use crate::options::{Names, Options};
use crate::report::Report;
use crate::retry::{self, Attempts};
use crate::session::{Scope, Session, Told};
use crate::source::Source;
use crate::sql::AS_WE_WRITE;
use crate::wanted::Wanted;
use crate::watch::Watch;

use locking::Asking;

mod code;
mod leased;
mod locking;
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
    pub(crate) tally: &'r mut Tally,
    pub(crate) effort: Effort,
}

/// What was done, over all connections of a run.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) applied: Vec<Applied>,
    /// What is being done, and since when: lost with the connection, only the history knows what became of it.
    pub(crate) under_way: Vec<(MigrationId, String, Direction, Instant)>,
    fell_back: bool,
}

impl Tally {
    pub(crate) fn ids(&self) -> Vec<MigrationId> {
        self.applied.iter().map(|applied| applied.id).collect()
    }

    pub(crate) fn take(&mut self) -> Vec<Applied> {
        std::mem::take(&mut self.applied)
    }

    /// What a run that has done its plan says.
    pub(crate) fn report(&mut self, plan: Plan) -> Report {
        let Plan { deferred, notices, .. } = plan;
        let fell_back = self.fell_back;
        Report { applied: self.take(), deferred, notices, fell_back, took: Duration::ZERO }
    }
}

/// A migration that a run carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Applied {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// Applied or taken back.
    pub direction: Direction,
    /// From the first message to the last answer.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::report::milliseconds")
    )]
    pub took: Duration,
    /// Attempts that did not get their locks.
    pub attempts: u32,
    /// It was known beforehand what it locks. Where it was not, as of a migration in Rust, a `DO` block, or a way back,
    /// nobody could be looked for before the first attempt: it asked in the queue.
    pub foreseen: bool,
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
}

impl<'r> Runner<'r> {
    /// Carries out a plan, in its order.
    pub(crate) async fn carry_out(&mut self, plan: &Plan) -> Result<(), Error> {
        let mut actions = plan.actions.as_slice();
        while let Some(first) = actions.first() {
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
        Ok(Job { action, direction, steps, entry, targets })
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
        if !self.tally.under_way.iter().any(|under_way| under_way.0 == *id) {
            self.tally.under_way.push((*id, name.clone(), job.direction, began));
        }
        self.ear.tell(&Event::Started { id: *id, name, direction: job.direction, statement });
        began
    }

    /// Watches over the next message; of an attempt in the queue, who waits behind it.
    fn monitor(&self, most_waiting: Option<usize>) -> Monitor {
        Monitor::new(self.session.facts.pid, most_waiting)
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
        let Some(pause) = attempts.pause() else { return false };
        let attempt = attempts.made();
        self.ear.tell(&Event::Retrying { id: job.action.id, attempt, pause, sqlstate: &state });
        self.session.rest(self.names, pause).await;
        true
    }

    /// Settings, the file, the rows of the history, and the ends of the transaction as the place in it demands: one
    /// message, or two where the locks are asked for in the middle.
    async fn send_script(
        &mut self,
        job: &Job<'_>,
        script: &Script,
        asking: &Asking,
        ends: Ends,
        rows: &str,
    ) -> Result<(), Failure> {
        let begin = if ends.first { self.session.begin(self.names, "BEGIN; ").await? } else { "" };
        let settings = self.session.settings(Scope::Transaction, self.ours, asking.limits);
        let head = format!("{} {begin}{settings}", job.comment());
        let triggers = if rows.is_empty() { "" } else { TRIGGERS_FIRST };
        let before = format!("{triggers}{}", self.before_rows(rows));
        let end = if ends.last { "COMMIT" } else { "" };
        let tail = format!("{before}{rows}{end}");
        let began = Instant::now();
        for part in parts(script, head, asking, &tail) {
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

    fn tell_locked(&self, job: &Job<'_>, waited: Option<Duration>, began: Instant) {
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
        let guard = asking.queues.then_some(self.ours.waits.most_waiting);
        let mut monitor = self.monitor(guard);
        let mut told = Told::default();
        let sending = self.session.send_counting(part.message(script), &mut told);
        let Err(error) = self.watch.over(&mut monitor, sending).await else { return Ok(told) };
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
    fn before_rows(&self, rows: &str) -> String {
        let lease = self.session.lease.as_ref();
        match (lease.map(|lease| (lease.undo(), lease.renew(self.names))), rows.is_empty()) {
            (None, true) => AS_WE_WRITE.to_owned(),
            (None, false) => format!("RESET ALL; {AS_WE_WRITE}{}", self.clerk.as_ourselves()),
            (Some((undo, _)), true) => undo,
            (Some((undo, renew)), false) => format!("{undo}{}{renew}", self.clerk.as_ourselves()),
        }
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
        if let Err(error) = self.clerk.write(self.session, &[row]).await {
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

/// Constraints and triggers that wait for the end of the transaction have their turn under the settings of the file.
const TRIGGERS_FIRST: &str = "SET CONSTRAINTS ALL IMMEDIATE; ";

const NOTHING_STAYED: &str = "nothing of it stayed";

/// Which ends of its transaction a script is at.
#[derive(Clone, Copy)]
struct Ends {
    first: bool,
    last: bool,
}

impl Ends {
    const BOTH: Ends = Ends { first: true, last: true };
}

/// An attempt that failed: why, and the script with what was sent ahead of it and from where.
struct Failure {
    error: sqlx::Error,
    script: Option<(Script, usize, usize)>,
    /// Which of its statements failed, from 0: the server does not give every error a position.
    statement: Option<usize>,
    /// It did not come to the file, for want of its locks.
    is_in_locks: bool,
    /// It was ended by us, since too many waited behind it.
    gave_up: bool,
    /// What it was last seen to wait for.
    waits_for: Option<(String, LockMode)>,
    /// Who was in the way.
    blockers: Vec<Blocker>,
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

fn statements_in(head: &str) -> usize {
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
        let name: String =
            self.action.name.chars().filter(|c| !matches!(c, '*' | '/' | '\0')).take(100).collect();
        format!("/* migrate: {} {} {name} */", self.verb(), self.action.id)
    }

    /// A row about all of one migration.
    fn row(&self, state: State, id: MigrationId) -> Row<'_> {
        let kind = migrate_core::plan::kind_of(&self.steps);
        match (self.entry, self.direction) {
            (Some(entry), Direction::Up) => Row::whole(&**entry, kind, state),
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

/// The server takes no byte order mark.
fn byte_order_mark(text: &str) -> usize {
    if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 }
}

/// A new enum value that is used, pending trigger events, a full lock table, a statement that wants no
/// transaction around it, and locks that others hold: by itself each may well succeed.
fn wants_own_transaction(sqlstate: &str) -> bool {
    matches!(sqlstate, "55P04" | "55006" | "53200" | "25001") || retry::is_worth_it(sqlstate)
}
