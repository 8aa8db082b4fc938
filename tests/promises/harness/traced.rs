//! Keeps what is told to `tracing`, of spans and events alike.

use std::cell::RefCell;
use std::fmt::{Debug, Write};
use std::sync::Once;

use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Metadata, span};

/// What this thread tells `tracing`, fields and all, from here on.
///
/// One subscriber for the process: with one a thread, `tracing` takes the first thread that comes by a place
/// for the only one.
pub fn trace_this_thread() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(Traced).expect("the only one"));
    TRACED.set(Some(String::new()));
}

/// What it told until here.
pub fn traced() -> String {
    TRACED.take().expect("traced")
}

thread_local! {
    static TRACED: RefCell<Option<String>> = const { RefCell::new(None) };
}

struct Traced;

impl Traced {
    fn add(name: &str, record: impl FnOnce(&mut dyn Visit)) {
        let mut line = Line(name.to_owned());
        record(&mut line);
        TRACED
            .with_borrow_mut(|traced| traced.as_mut().expect("traced").push_str(&(line.0 + "\n")));
    }
}

struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {}={value:?}", field.name()).expect("room");
    }
}

impl tracing::Subscriber for Traced {
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        TRACED.with_borrow(Option::is_some)
    }

    fn new_span(&self, span: &span::Attributes<'_>) -> span::Id {
        Self::add(span.metadata().name(), |line| span.record(line));
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        Self::add("record", |line| values.record(line));
    }

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        Self::add(event.metadata().target(), |line| event.record(line));
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
