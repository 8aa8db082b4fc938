//! Keeps what a migrator tells: to an observer and to `tracing`.

use std::fmt::{Debug, Write};
use std::sync::{Arc, Mutex};

use migrate_postgres::{Event, Observer};
use tracing::field::{Field, Visit};
use tracing::span;

/// An observer that remembers the events, a line each, without what takes time.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Vec<String>>>);

impl Heard {
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().expect("no panic"))
    }
}

impl Observer for Heard {
    fn event(&self, event: &Event<'_>) {
        let line = match event {
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
            Event::WaitingForMigrator { .. } => "waiting for another migrator".to_owned(),
            other => format!("{other:?}"),
        };
        self.0.lock().expect("no panic").push(line);
    }
}

/// A subscriber that keeps every event and span of everybody, fields and all.
#[derive(Clone, Default)]
pub struct Traced(Arc<Mutex<String>>);

impl Traced {
    pub fn text(&self) -> String {
        self.0.lock().expect("no panic").clone()
    }

    fn add(&self, name: &str, record: impl FnOnce(&mut dyn Visit)) {
        let mut line = Line(name.to_owned());
        record(&mut line);
        self.0.lock().expect("no panic").push_str(&(line.0 + "\n"));
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("room");
    }
}

impl tracing::Subscriber for Traced {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        self.add(span.metadata().name(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        self.add("record", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        self.add(event.metadata().target(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
