//! An observer that holds a run up.

use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use migrate_postgres::{Error, Event, Migrator, Observer, Report};
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinHandle;

use super::heard::line;

/// Stops a run when it tells of something, until it is opened. The run needs a thread of its own.
#[derive(Clone)]
pub struct Gate(Arc<Shared>);

struct Shared {
    words: &'static str,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    reached: bool,
    open: bool,
}

impl Gate {
    /// Before an event that begins with these words, as `Heard` has them.
    pub fn before(words: &'static str) -> Self {
        Self(Arc::new(Shared { words, state: Mutex::default(), changed: Condvar::new() }))
    }

    /// Waits until the run has come to it.
    pub async fn reached(&self) {
        for _ in 0..6000 {
            if self.0.state.lock().expect("no panic").reached {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("nobody came to the gate before `{}`", self.0.words);
    }

    pub fn open(&self) {
        self.0.state.lock().expect("no panic").open = true;
        self.0.changed.notify_all();
    }
}

impl Observer for Gate {
    fn event(&self, event: &Event<'_>) {
        if line(event).starts_with(self.0.words) {
            let mut state = self.0.state.lock().expect("no panic");
            state.reached = true;
            // A test that has failed opens nothing, and its runtime waits for this thread.
            let patience = Duration::from_secs(60);
            let closed = |state: &mut State| !state.open;
            drop(self.0.changed.wait_timeout_while(state, patience, closed).expect("no panic"));
        }
    }
}

/// A run on a thread of its own, which a gate may stop.
pub fn aside(migrator: Migrator, way: PgConnectOptions) -> JoinHandle<Result<Report, Error>> {
    let runtime = tokio::runtime::Handle::current();
    tokio::task::spawn_blocking(move || runtime.block_on(migrator.run(&way)))
}
