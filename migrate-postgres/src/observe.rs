//! What a migrator tells while it works.
//!
//! Owns the events and how they become `tracing` events; every event goes both ways. Decides nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use migrate_core::{Direction, MigrationId};

use crate::blocker::Blocker;
use crate::error::Error;
use crate::progress::{Progress, Steps};

/// Hears of everything a migrator does, as it does it.
///
/// Called from the task that migrates: return soon.
///
/// ```
/// use migrate_postgres::{Event, Observer};
///
/// struct Lines;
/// impl Observer for Lines {
///     fn event(&self, event: &Event<'_>) {
///         eprintln!("{event:?}");
///     }
/// }
/// ```
pub trait Observer: Send + Sync {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// Both hear of everything.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn event(&self, event: &Event<'_>) {
        self.0.event(event);
        self.1.event(event);
    }
}

/// Hears of everything if it is there.
impl<O: Observer> Observer for Option<O> {
    fn event(&self, event: &Event<'_>) {
        if let Some(observer) = self {
            observer.event(event);
        }
    }
}

/// Something a migrator does.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Event<'e> {
    /// There is work to do, and this much.
    Planned {
        /// Migrations to apply or revert.
        actions: usize,
        /// Migrations that wait.
        deferred: usize,
    },
    /// Another migrator works on the same set.
    WaitingForMigrator {
        /// Who it is, as far as the server tells.
        holder: &'e str,
        /// Since when this one waits.
        waited: Duration,
    },
    /// The server is a standby, and there is something to do when it is a primary.
    WaitingForPromotion {
        /// Since when.
        waited: Duration,
    },
    /// A migration, or a statement of it, begins.
    Started {
        /// Which one.
        id: MigrationId,
        /// Its name.
        name: &'e str,
        /// Forward or back.
        direction: Direction,
        /// The statement, from 1, where each runs by itself.
        statement: Option<u32>,
    },
    /// Others hold what a migration needs, and would for a while: nothing is queued behind them, and it is looked
    /// again soon. Told at once, and then every few seconds.
    Blocked {
        /// Which migration.
        id: MigrationId,
        /// Who they are.
        blockers: &'e [Blocker],
        /// Since when.
        waited: Duration,
    },
    /// An attempt begins that asks for locks in the queue: while it waits, those behind it wait too.
    Queueing {
        /// Which migration.
        id: MigrationId,
        /// Attempts before it.
        attempt: u32,
        /// How long it waits at most.
        at_most: Duration,
        /// Who was in the way just before.
        blockers: &'e [Blocker],
    },
    /// The locks were had, the work under them is done and they are given back.
    Locked {
        /// Which migration.
        id: MigrationId,
        /// From asking for them to having them, in the attempt that had them.
        waited: Duration,
        /// From having them to the end of the transaction.
        held: Duration,
    },
    /// A migration, or a statement of it, takes longer than a second. Told about once a second.
    Working {
        /// Which migration.
        id: MigrationId,
        /// The statement, from 1, where each runs by itself.
        statement: Option<u32>,
        /// Since it was sent.
        elapsed: Duration,
        /// How far it is, where the server tells.
        progress: Option<&'e Progress>,
        /// Whom it waits for.
        blockers: &'e [Blocker],
        /// Sessions that wait behind it.
        waiting: usize,
    },
    /// A batch of a backfill was committed.
    Batch {
        /// Which migration.
        id: MigrationId,
        /// How far it is.
        steps: &'e Steps,
        /// What kept the batch from being larger or sooner.
        limited_by: &'e str,
        /// Until the next one.
        pause: Duration,
    },
    /// A backfill waits for something that comes first. Told at once, and then every few seconds.
    Braked {
        /// Which migration.
        id: MigrationId,
        /// What it is.
        why: &'e str,
        /// When or by what it goes on, as in `it goes on when it has caught up`.
        opens: &'e str,
    },
    /// A run leaves a backfill to others, or to the next run.
    Left {
        /// Which migration.
        id: MigrationId,
        /// Why.
        why: &'e str,
    },
    /// A session that was in the way was ended, as the migrator was told to.
    Ended {
        /// Which migration.
        id: MigrationId,
        /// Who it was.
        blocker: &'e Blocker,
        /// Its session was closed, not only what it did.
        terminated: bool,
    },
    /// The connection was lost; a new one looks at the history, and the run goes on from there.
    Reconnecting {
        /// Connections lost without anything done in between.
        attempt: u32,
        /// Until it is tried.
        pause: Duration,
    },
    /// A lock was not to be had at once, or a deadlock was broken; the same work is tried again.
    Retrying {
        /// Which migration.
        id: MigrationId,
        /// Attempts so far.
        attempt: u32,
        /// Until the next one.
        pause: Duration,
        /// Why, as a SQLSTATE.
        sqlstate: &'e str,
    },
    /// What a run before left behind was looked at.
    Recovered {
        /// Which migration.
        id: MigrationId,
        /// What was found and done.
        found: &'e str,
    },
    /// A migration is complete and recorded.
    Done {
        /// Which one.
        id: MigrationId,
        /// Its name.
        name: &'e str,
        /// Forward or back.
        direction: Direction,
        /// From the first message to the last answer.
        took: Duration,
    },
    /// The migrations of a fresh database do not fit one transaction; each gets its own.
    FellBack {
        /// Why, as a SQLSTATE.
        sqlstate: &'e str,
    },
    /// Something is unusual and tolerated.
    Notice {
        /// Which migration.
        id: MigrationId,
        /// What about it.
        text: &'e str,
    },
    /// Something is not as it should be, or failed, without consequence for the result.
    Warning {
        /// What.
        text: &'e str,
    },
    /// The run, or the way back, ended with an error, which the caller gets too.
    Failed {
        /// What went wrong.
        error: &'e Error,
    },
    /// The run ended well.
    Finished {
        /// Migrations applied or reverted.
        actions: usize,
        /// All of it.
        took: Duration,
    },
}

/// What goes on for a while is told at once, and then seldom.
#[derive(Default)]
pub(crate) struct Seldom(Option<Instant>);

impl Seldom {
    /// Between two times.
    const PERIOD: Duration = Duration::from_secs(5);

    /// Is it time to tell? Then it is taken as told.
    pub(crate) fn is_due(&mut self) -> bool {
        let due = self.0.is_none_or(|told| told.elapsed() >= Self::PERIOD);
        if due {
            self.0 = Some(Instant::now());
        }
        due
    }
}

/// Where events go.
#[derive(Clone, Default)]
pub(crate) struct Ear(pub(crate) Option<Arc<dyn Observer>>);

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.is_some() { "Ear(observer)" } else { "Ear" })
    }
}

impl Ear {
    pub(crate) fn tell(&self, event: &Event<'_>) {
        trace(event);
        #[cfg(feature = "metrics")]
        crate::measure::measure(event);
        if let Some(observer) = &self.0 {
            observer.event(event);
        }
    }
}

/// Inside the spans `migrate` (`call`, `set`) and `migration` (`version`, `phase`, `name`, `direction`).
/// The names of the fields are a promise, which `docs/watching.md` makes and a test below keeps.
fn trace(event: &Event<'_>) {
    use tracing::{debug, error, info, warn};
    match event {
        Event::Planned { actions, deferred } => info!(actions, deferred, "migrate: planned"),
        Event::WaitingForMigrator { holder, waited } => {
            info!(holder, waited_ms = millis(*waited), "migrate: waiting for another migrator");
        }
        Event::Blocked { id, blockers, waited } => {
            let (waited_ms, blockers) = (millis(*waited), list(blockers));
            warn!(version = id.version.get(), phase = %id.phase, waited_ms, blockers, "migrate: blocked");
        }
        Event::Queueing { id, attempt, at_most, blockers } => {
            let (at_most_ms, blockers) = (millis(*at_most), list(blockers));
            info!(version = id.version.get(), phase = %id.phase, attempt, at_most_ms, blockers, "migrate: queueing");
        }
        Event::Locked { id, waited, held } => {
            let (waited_ms, held_ms) = (millis(*waited), millis(*held));
            info!(version = id.version.get(), phase = %id.phase, waited_ms, held_ms, "migrate: locked");
        }
        Event::Working { id, statement, elapsed, progress, blockers, waiting } => {
            let (elapsed_ms, blockers) = (millis(*elapsed), list(blockers));
            let progress = progress.map(ToString::to_string).unwrap_or_default();
            debug!(version = id.version.get(), phase = %id.phase, statement, elapsed_ms, progress, blockers, waiting, "migrate: working");
        }
        Event::Batch { .. } | Event::Braked { .. } | Event::Left { .. } => trace_filling(event),
        Event::Failed { error } => {
            let line = error.place().map(|(_, line, _)| line);
            error!(sqlstate = error.sqlstate(), line, "migrate: failed");
        }
        Event::Ended { id, blocker, terminated } => {
            warn!(version = id.version.get(), phase = %id.phase, %blocker, terminated, "migrate: ended a blocker");
        }
        Event::Reconnecting { attempt, pause } => {
            warn!(attempt, pause_ms = millis(*pause), "migrate: reconnecting");
        }
        Event::WaitingForPromotion { waited } => {
            info!(waited_ms = millis(*waited), "migrate: waiting for a standby to be promoted");
        }
        Event::Started { id, name, direction, statement } => {
            info!(version = id.version.get(), phase = %id.phase, name, %direction, statement, "migrate: started");
        }
        Event::Retrying { id, attempt, pause, sqlstate } => {
            let pause_ms = millis(*pause);
            warn!(version = id.version.get(), phase = %id.phase, attempt, pause_ms, sqlstate, "migrate: retrying");
        }
        Event::Recovered { id, found } => {
            warn!(version = id.version.get(), phase = %id.phase, found, "migrate: recovered");
        }
        Event::Done { id, name, direction, took } => {
            let took_ms = millis(*took);
            info!(version = id.version.get(), phase = %id.phase, name, %direction, took_ms, "migrate: done");
        }
        Event::FellBack { sqlstate } => warn!(sqlstate, "migrate: a transaction each"),
        Event::Notice { id, text } => {
            warn!(version = id.version.get(), phase = %id.phase, text, "migrate: notice");
        }
        Event::Warning { text } => warn!(text, "migrate: warning"),
        Event::Finished { actions, took } => {
            info!(actions, took_ms = millis(*took), "migrate: finished");
        }
    }
}

/// The same of a backfill.
fn trace_filling(event: &Event<'_>) {
    use tracing::{debug, info};
    match event {
        Event::Batch { id, steps, limited_by, pause } => {
            let Steps { pass, seen, changed, expected, rate, .. } = steps;
            let (left_ms, pause_ms) = (steps.left().map(millis), millis(*pause));
            debug!(version = id.version.get(), phase = %id.phase, pass, seen, changed, expected, rate, left_ms, limited_by, pause_ms, "migrate: batch");
        }
        Event::Braked { id, why, opens } => {
            info!(version = id.version.get(), phase = %id.phase, why, opens, "migrate: braked");
        }
        Event::Left { id, why } => {
            info!(version = id.version.get(), phase = %id.phase, why, "migrate: left");
        }
        _ => {}
    }
}

fn list(blockers: &[Blocker]) -> String {
    blockers.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::fmt::Debug;
    use std::sync::Mutex;

    use migrate_core::{Phase, Version};
    use tracing::field::{Field, Visit};
    use tracing::{Metadata, Subscriber, span};

    use super::*;

    /// A row of the documented table for each event that is heard.
    #[derive(Clone, Default)]
    struct Rows(Arc<Mutex<Vec<String>>>);

    #[derive(Default)]
    struct Names(String, Vec<String>);

    impl Visit for Names {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            match field.name() {
                "message" => self.0 = format!("{value:?}"),
                name => self.1.push(format!("`{name}`")),
            }
        }
    }

    impl Subscriber for Rows {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &tracing::Event<'_>) {
            let mut names = Names::default();
            event.record(&mut names);
            let level = event.metadata().level().to_string().to_lowercase();
            let Names(message, fields) = names;
            self.0
                .lock()
                .unwrap()
                .push(format!("| `{message}` | {level} | {} |", fields.join(", ")));
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    fn each(tell: impl Fn(&Event<'_>)) {
        let id = MigrationId::new(Version::new(1), Phase::Expand);
        let (name, direction, statement, attempt) = ("a", Direction::Up, Some(1), 1);
        let (waited, held, took) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let (pause, at_most, elapsed) = (Duration::ZERO, Duration::ZERO, Duration::ZERO);
        let (holder, found, text, sqlstate) = ("x", "x", "x", "55P03");
        let (blocker, progress, waiting, terminated) =
            (&Blocker::default(), Some(&Progress::default()), 1, true);
        let blockers = std::slice::from_ref(blocker);
        let script = migrate_core::Script::parse("1.sql", "SELECT 1").unwrap();
        let refused = sqlx::Error::PoolClosed;
        let error = &Error::driver("do it", refused).at_least_at(&script, 0);
        tell(&Event::Planned { actions: 1, deferred: 1 });
        tell(&Event::WaitingForMigrator { holder, waited });
        tell(&Event::WaitingForPromotion { waited });
        tell(&Event::Started { id, name, direction, statement });
        tell(&Event::Blocked { id, blockers, waited });
        tell(&Event::Queueing { id, attempt, at_most, blockers });
        tell(&Event::Locked { id, waited, held });
        tell(&Event::Working { id, statement, elapsed, progress, blockers, waiting });
        let steps = &Steps { rate: 1.0, expected: 1, ..Steps::default() };
        tell(&Event::Batch { id, steps, limited_by: "rows", pause });
        tell(&Event::Braked { id, why: "a", opens: "b" });
        tell(&Event::Left { id, why: "a" });
        tell(&Event::Ended { id, blocker, terminated });
        tell(&Event::Reconnecting { attempt, pause });
        tell(&Event::Retrying { id, attempt, pause, sqlstate });
        tell(&Event::Recovered { id, found });
        tell(&Event::Done { id, name, direction, took });
        tell(&Event::FellBack { sqlstate });
        tell(&Event::Notice { id, text });
        tell(&Event::Warning { text });
        tell(&Event::Failed { error });
        tell(&Event::Finished { actions: 1, took });
    }

    #[test]
    fn what_is_traced_is_what_the_book_promises() {
        let rows = Rows::default();
        tracing::subscriber::with_default(rows.clone(), || each(trace));
        let rows = rows.0.lock().unwrap();
        let (source, _) = include_str!("observe.rs").split_once("mod tests {").unwrap();
        assert_eq!(rows.len(), source.matches("\"migrate: ").count(), "an event is left out");
        let book = include_str!("../../docs/watching.md");
        let promised: Vec<_> =
            book.lines().filter(|line| line.starts_with("| `migrate: ")).collect();
        // An error of the server has a code too.
        let told = rows
            .iter()
            .map(|row| row.replace("| error | `line` |", "| error | `sqlstate`, `line` |"));
        assert_eq!(told.collect::<Vec<_>>().join("\n"), promised.join("\n"));
    }
}
