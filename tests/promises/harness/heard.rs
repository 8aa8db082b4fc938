//! An observer that keeps what it hears.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use migrate_postgres::{Blocker, Event, Observer};

/// Every event so far, a line each, without what takes time. Clones hear and keep the same.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Observer for Heard {
    fn event(&self, event: &Event<'_>) {
        self.0.lock().expect("no panic").push(line(event));
    }
}

pub(super) fn line(event: &Event<'_>) -> String {
    match event {
        Event::Planned { actions, deferred } => format!("planned {actions}, waits {deferred}"),
        Event::Started { id, name, direction, statement } => {
            let statement = statement.map(|n| format!(" statement {n}")).unwrap_or_default();
            format!("started {direction} {id} {name}{statement}")
        }
        Event::Done { id, name, direction, .. } => format!("done {direction} {id} {name}"),
        Event::Retrying { id, attempt, sqlstate, .. } => {
            format!("retrying {id} {attempt} {sqlstate}")
        }
        Event::FellBack { sqlstate } => format!("fell back {sqlstate}"),
        Event::Finished { actions, .. } => format!("finished {actions}"),
        Event::Notice { id, text } => format!("notice {id} {text}"),
        Event::Recovered { id, found } => format!("recovered {id} {found}"),
        Event::WaitingForMigrator { holder, .. } => format!("waiting for {holder}"),
        Event::WaitingForPromotion { .. } => "waiting for promotion".to_owned(),
        Event::Blocked { id, blockers, .. } => format!("blocked {id} {}", list(blockers)),
        Event::Queueing { id, attempt, at_most, .. } => {
            format!("queueing {id} {attempt} {}", at_most.as_millis())
        }
        Event::Reconnecting { attempt, .. } => format!("reconnecting {attempt}"),
        Event::Locked { id, .. } => format!("locked {id}"),
        Event::Working { statement, progress, blockers, waiting, .. } => {
            let statement = statement.map(|n| format!(" {n}")).unwrap_or_default();
            let progress = progress.map(|p| format!("{}: {p}", p.command)).unwrap_or_default();
            format!("working{statement} [{progress}] [{}] {waiting}", list(blockers))
        }
        Event::Batch { id, steps, limited_by, .. } => {
            format!("batch {id} pass {}, {} seen, {limited_by}", steps.pass, steps.seen)
        }
        Event::Braked { id, why, .. } => format!("braked {id} {why}"),
        Event::Left { id, why } => format!("left {id} {why}"),
        Event::Failed { error } => format!("failed {:?}", error.sqlstate()),
        Event::Ended { id, blocker, terminated } => {
            let how = if *terminated { "terminated" } else { "cancelled" };
            format!("ended {id} {how}: {blocker}")
        }
        other => format!("{other:?}"),
    }
}

fn list(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl Heard {
    pub fn all(&self) -> Vec<String> {
        self.0.lock().expect("no panic").clone()
    }

    /// What was heard since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }

    /// The events that begin with these words.
    pub fn with(&self, words: &str) -> Vec<String> {
        self.all().into_iter().filter(|event| event.starts_with(words)).collect()
    }

    /// Waits for an event that begins with these words.
    pub async fn wait_for(&self, words: &str) -> String {
        for _ in 0..6000 {
            if let Some(event) = self.with(words).pop() {
                return event;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("never heard `{words}`, but {:#?}", self.all());
    }
}
