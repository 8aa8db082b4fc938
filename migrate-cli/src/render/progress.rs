//! What a run says while it works: a bar on a terminal, plain lines in a pipe.
//!
//! Owns the words for the events. What is done is a result and goes to stdout as it happens, so that a run
//! which fails has said what it had done; all else goes to stderr.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use migrate_postgres::{Direction, Event, Observer};

use super::words::{clean, duration, first_word, migration};
use super::{Ink, Look};

/// Hears a run.
#[derive(Clone)]
pub(crate) struct Progress {
    /// On a terminal.
    bar: Option<ProgressBar>,
    /// How what is done goes to stdout, line by line; `None` where one object follows.
    results: Option<Look>,
    asides: Look,
}

impl Progress {
    pub(super) fn new(results: Option<Look>, asides: Look) -> Self {
        let bar = std::io::stderr().is_terminal().then(bar);
        Self { bar, results, asides }
    }

    /// Leaves the terminal as it was.
    pub(crate) fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }

    /// What goes on now: beside the bar, or a line.
    fn now(&self, text: String) {
        match &self.bar {
            Some(bar) => bar.set_message(text),
            None => super::tell(&text),
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
            bar.set_style(style("{bar:12} {pos}/{len}  {elapsed}  {wide_msg}"));
        }
    }
}

fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    bar.set_style(style("{spinner} {elapsed}  {wide_msg}"));
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

/// The templates are constants; a wrong one costs no more than its look.
fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Planned { actions, .. } => self.planned(*actions),
            Event::Done { id, name, direction, took } => {
                let line = format!("{} {}", participle(*direction), migration(*id, name));
                self.done(&format!("{line}  {}", duration(*took)));
            }
            Event::Started { .. }
            | Event::WaitingForMigrator { .. }
            | Event::WaitingForPromotion { .. }
            | Event::Retrying { .. } => {
                self.now(passing(event));
            }
            // The result has the notices, with their names.
            Event::Notice { .. } | Event::Finished { .. } => {}
            _ => self.tell(&lasting(event)),
        }
    }
}

/// True for a while.
fn passing(event: &Event<'_>) -> String {
    match event {
        Event::Started { id, name, direction, statement } => {
            let statement = statement.map(|n| format!(", statement {n}")).unwrap_or_default();
            let verb = if *direction == Direction::Up { "applying " } else { "reverting" };
            format!("{verb} {}{statement}", migration(*id, name))
        }
        Event::WaitingForMigrator { holder, waited } => match waited.as_secs() {
            0 => format!("waiting for {}", clean(holder)),
            seconds => format!("waiting {seconds} s for {}", clean(holder)),
        },
        Event::WaitingForPromotion { waited } => {
            format!("waiting {} s for this standby to become a primary", waited.as_secs())
        }
        Event::Retrying { id, attempt, pause, sqlstate } => {
            let why = if *sqlstate == "40P01" { "a deadlock" } else { "a lock is held" };
            let pause = duration(*pause);
            format!("retrying in {pause}, {why}: {id} (attempt {attempt}, {sqlstate})")
        }
        other => format!("{other:?}"),
    }
}

/// True for good.
fn lasting(event: &Event<'_>) -> String {
    match event {
        Event::Recovered { id, found } => format!("note: {id}: {found}"),
        Event::FellBack { sqlstate } => format!(
            "note: these migrations do not fit one transaction ({sqlstate}); each gets its own"
        ),
        Event::Warning { text } => format!("warning: {text}"),
        other => format!("note: {other:?}"),
    }
}

fn participle(direction: Direction) -> &'static str {
    if direction == Direction::Up { "applied  " } else { "reverted " }
}
