//! What a run says while it works: a bar and what goes on on a terminal, plain lines in a pipe.
//!
//! Owns the words for the events, and how often a pipe hears of the same. What is done is a result and goes to stdout
//! as it happens, so that a run which fails has said what it had done; all else goes to stderr.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use migrate_postgres::{Blocker, Direction, Event, MigrationId, Observer};

use super::filling::Filling;
use super::live::{Live, waits};
use super::words::{clean, duration, first_word, grouped, migration, since};
use super::{Ink, Look};

/// Hears a run.
#[derive(Clone)]
pub(crate) struct Progress {
    /// On a terminal.
    bar: Option<ProgressBar>,
    /// How what is done goes to stdout, line by line; `None` where one object follows.
    results: Option<Look>,
    asides: Look,
    state: Arc<Mutex<State>>,
}

/// What is remembered from one event to the next.
#[derive(Default)]
struct State {
    live: Live,
    filling: Filling,
    /// The migration that was begun last.
    name: Option<(MigrationId, String)>,
    pipe: Pipe,
    /// How long a migration had its locks.
    held: BTreeMap<MigrationId, Duration>,
}

impl Progress {
    pub(super) fn new(results: Option<Look>, asides: Look) -> Self {
        let bar = std::io::stderr().is_terminal().then(bar);
        Self { bar, results, asides, state: Arc::default() }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes on now: beside the bar, or a line of a pipe where it is news.
    fn now(&self, event: &Event<'_>) {
        let Some(text) = passing(event) else { return };
        match &self.bar {
            Some(bar) if !is_said_below(event) => bar.set_message(text),
            // The lines below the bar say it, and the bar goes on to say what is being applied.
            Some(_) => {}
            None if self.state().pipe.is_news(event, Instant::now()) => super::tell(&text),
            None => {}
        }
    }

    /// A backfill goes on, or waits for something that comes first.
    fn fill(&self, id: MigrationId, event: &Event<'_>) {
        let mut state = self.state();
        let now = Instant::now();
        state.filling.hear(event, now);
        let Some(bar) = &self.bar else {
            let is_news = state.pipe.is_news(event, now);
            let line = state.filling.line(id).filter(|_| is_news);
            return line.iter().for_each(|line| super::tell(line));
        };
        let named = state.name.as_ref().filter(|(known, _)| *known == id);
        let subject = named.map_or_else(|| id.to_string(), |(_, name)| migration(id, name));
        bar.set_message(format!("filling   {subject}"));
        let lines = state.filling.lines(self.asides, id);
        bar.set_style(style(bar.length().is_some(), !lines.is_empty()));
        bar.set_prefix(lines.join("\n"));
    }

    /// What goes on, in lines below the bar.
    fn below(&self, event: &Event<'_>) {
        let Some(bar) = &self.bar else { return };
        if let Some(lines) = self.state().live.lines(self.asides, event) {
            bar.set_style(style(bar.length().is_some(), !lines.is_empty()));
            bar.set_prefix(lines.join("\n"));
        }
    }

    /// What has to stay to be read.
    fn tell(&self, text: &str) {
        let text = first_word(self.asides, Ink::Warn, &self.asides.wrap(text, "  "));
        self.beside_bar(|| super::tell(&text));
    }

    fn beside_bar(&self, write: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn done(&self, line: &str) {
        if let Some(look) = self.results {
            let line = first_word(look, Ink::Good, line);
            self.beside_bar(|| super::print(&line));
        }
        self.bar.iter().for_each(|bar| bar.inc(1));
    }

    fn planned(&self, actions: usize) {
        if let Some(bar) = &self.bar {
            bar.set_length(actions.try_into().unwrap_or(u64::MAX));
            bar.set_style(style(true, false));
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style(false, false));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The templates are constants; a wrong one costs no more than its look.
fn style(knows_length: bool, has_more: bool) -> ProgressStyle {
    let template = match (knows_length, has_more) {
        (false, false) => "{spinner} {elapsed}  {wide_msg}",
        (false, true) => "{spinner} {elapsed}  {wide_msg}\n{prefix}",
        (true, false) => "{bar:12} {pos}/{len}  {elapsed}  {wide_msg}",
        (true, true) => "{bar:12} {pos}/{len}  {elapsed}  {wide_msg}\n{prefix}",
    };
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Planned { actions, .. } => self.planned(*actions),
            Event::Locked { id, held, .. } => {
                *self.state().held.entry(*id).or_default() += *held;
            }
            Event::Done { id, name, direction, took } => {
                let held = self.state().held.remove(id);
                let changed = self.state().filling.end(*id);
                self.below(event);
                let verb = changed.map_or_else(|| participle(*direction), |_| "filled   ");
                let line = format!("{verb} {}", migration(*id, name));
                self.done(&format!("{line}  {}{}{}", duration(*took), locks(held), rows(changed)));
            }
            Event::Batch { id, .. } | Event::Braked { id, .. } => self.fill(*id, event),
            // The result says why.
            Event::Left { .. } => self.below(event),
            Event::Started { id, name, statement, .. } => {
                let before = self.state().name.replace((*id, (*name).to_owned()));
                // Several workers begin the same.
                if statement.is_some() || before.is_none_or(|(before, _)| before != *id) {
                    self.now(event);
                    self.below(event);
                }
            }
            // The result has the notices, with their names, and the error.
            Event::Notice { .. } | Event::Finished { .. } | Event::Failed { .. } => {}
            _ => match lasting(event) {
                Some(text) => self.tell(&text),
                None => {
                    self.now(event);
                    self.below(event);
                }
            },
        }
    }
}

/// Worth a word where somebody may have noticed.
fn locks(held: Option<Duration>) -> String {
    let held = held.filter(|held| *held >= Duration::from_millis(100));
    held.map(|held| format!(", held its locks for {}", duration(held))).unwrap_or_default()
}

fn rows(changed: Option<u64>) -> String {
    let changed = changed.map(|rows| format!(", {} rows changed", grouped(rows)));
    changed.unwrap_or_default()
}

fn is_said_below(event: &Event<'_>) -> bool {
    use Event::{Blocked, Queueing, Retrying, Working};
    matches!(event, Blocked { .. } | Queueing { .. } | Retrying { .. } | Working { .. })
}

/// True for a while.
pub(super) fn passing(event: &Event<'_>) -> Option<String> {
    let text = match event {
        Event::Started { id, name, direction, statement } => {
            let verb = if *direction == Direction::Up { "applying " } else { "reverting" };
            format!("{verb} {}{}", migration(*id, name), of_statement(*statement))
        }
        Event::WaitingForMigrator { holder, waited } => match waited.as_secs() {
            0 => format!("waiting for {}", clean(holder)),
            seconds => format!("waiting {seconds} s for {}", clean(holder)),
        },
        Event::WaitingForPromotion { waited } => {
            format!("waiting {} s for this standby to become a primary", waited.as_secs())
        }
        Event::Blocked { id, blockers, waited } => {
            let long =
                if waited.as_secs() == 0 { String::new() } else { format!(",{}", since(*waited)) };
            format!("blocked   {id}{long}: {}", named(blockers))
        }
        Event::Queueing { id, at_most, .. } => {
            format!("queueing  {id}, for {} at most", duration(*at_most))
        }
        Event::Retrying { id, attempt, pause, sqlstate } => {
            let why = if *sqlstate == "40P01" { "a deadlock" } else { "a lock is held" };
            let pause = duration(*pause);
            format!("retrying in {pause}, {why}: {id} (attempt {attempt}, {sqlstate})")
        }
        Event::Working { id, statement, elapsed, progress, blockers, waiting } => {
            let mut text =
                format!("working   {id}{},{}", of_statement(*statement), since(*elapsed));
            text += &progress.map(|p| format!(": {}", clean(&p.to_string()))).unwrap_or_default();
            if !blockers.is_empty() {
                text += &format!("; waits for {}", named(blockers));
            }
            if *waiting > 0 {
                text += &format!("; {} behind it", waits(*waiting));
            }
            text
        }
        _ => return None,
    };
    Some(text)
}

fn of_statement(statement: Option<u32>) -> String {
    statement.map(|number| format!(", statement {number}")).unwrap_or_default()
}

/// The one in the way for longest stands for all.
fn named(blockers: &[Blocker]) -> String {
    let Some(first) = longest(blockers) else {
        return "somebody who is gone by now".to_owned();
    };
    let more = match blockers.len() {
        1 => String::new(),
        many => format!("; and {} more", many - 1),
    };
    clean(&first.to_string()) + &more
}

fn longest(blockers: &[Blocker]) -> Option<&Blocker> {
    blockers.iter().max_by_key(|blocker| blocker.age)
}

/// True for good.
fn lasting(event: &Event<'_>) -> Option<String> {
    let text = match event {
        Event::Recovered { id, found } => format!("note: {id}: {found}"),
        Event::FellBack { sqlstate } => format!(
            "note: these migrations do not fit one transaction ({sqlstate}); each gets its own"
        ),
        Event::Ended { blocker, terminated, .. } => {
            let verb = if *terminated { "ended" } else { "cancelled" };
            format!("{verb:9} {}", clean(&blocker.to_string()))
        }
        Event::Reconnecting { attempt, pause } => format!(
            "note: the connection was lost; attempt {attempt} to go on is in {}",
            duration(*pause)
        ),
        Event::Warning { text } => format!("warning: {text}"),
        _ => return None,
    };
    Some(text)
}

fn participle(direction: Direction) -> &'static str {
    if direction == Direction::Up { "applied  " } else { "reverted " }
}

/// What a pipe was told last, so that it does not hear the same every second.
#[derive(Default)]
pub(super) struct Pipe {
    last: Option<(String, Instant)>,
    /// Backfills, and when it heard of each: they go on for hours.
    filling: BTreeMap<(MigrationId, u32), Instant>,
}

/// So often a pipe hears that nothing has changed.
const AGAIN: Duration = Duration::from_secs(10);
/// And how far a backfill is, or what it waits for.
const FILLING: Duration = Duration::from_secs(30);

impl Pipe {
    /// Is it something else than was said last, or long ago?
    pub(super) fn is_news(&mut self, event: &Event<'_>, now: Instant) -> bool {
        if let Some(backfill) = backfill(event) {
            let is_old = |at: &Instant| now - *at < FILLING;
            let is_news = !self.filling.get(&backfill).is_some_and(is_old);
            is_news.then(|| self.filling.insert(backfill, now));
            return is_news;
        }
        let Some(topic) = topic(event) else { return true };
        let is_old = |(last, at): &(String, Instant)| *last == topic && now - *at < AGAIN;
        if self.last.as_ref().is_some_and(is_old) {
            return false;
        }
        self.last = Some((topic, now));
        true
    }
}

/// Which one goes on, in which pass; 0 is one that waits.
fn backfill(event: &Event<'_>) -> Option<(MigrationId, u32)> {
    match event {
        Event::Batch { id, steps, .. } => Some((*id, steps.pass)),
        Event::Braked { id, .. } => Some((*id, 0)),
        _ => None,
    }
}

/// What an event is about, without what changes from second to second.
fn topic(event: &Event<'_>) -> Option<String> {
    let topic = match event {
        Event::Blocked { id, blockers, .. } => {
            format!("blocked {id} {:?}", longest(blockers).map(|blocker| blocker.pid))
        }
        // Asking for moments, being refused and asking again is one thing.
        Event::Queueing { id, .. } | Event::Retrying { id, .. } => format!("asking {id}"),
        Event::Working { id, statement, progress, blockers, waiting, .. } => {
            let phase = progress.map(|progress| &progress.phase);
            let troubled = (blockers.is_empty(), *waiting == 0);
            format!("working {id} {statement:?} {phase:?} {troubled:?}")
        }
        _ => return None,
    };
    Some(topic)
}
