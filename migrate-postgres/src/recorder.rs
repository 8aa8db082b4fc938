//! What a run did, moment by moment, to be read by people who were not there.
//!
//! Owns the recording and how events become one. Decides nothing, writes nothing: what becomes of a recording is for
//! whoever has it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use migrate_core::{Direction, MigrationId, calendar};

use crate::blocker::Blocker;
use crate::observe::{Event, Observer};

mod tape;

use tape::Tape;

/// An observer that records a run. Clones record the same.
///
/// ```
/// use migrate_postgres::{Migrations, Migrator, Recorder};
///
/// # async fn start(migrations: impl Migrations, pool: sqlx::PgPool) -> Result<(), migrate_postgres::Error> {
/// let recorder = Recorder::new();
/// let done = Migrator::new(migrations).observer(recorder.clone()).run(&pool).await;
/// for track in recorder.recording().tracks {
///     println!("{} held its locks for {:?}", track.name, track.held);
/// }
/// # done.map(drop)
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Recorder {
    began: Instant,
    tape: Arc<Mutex<Tape>>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// One for a run that is about to begin.
    #[must_use]
    pub fn new() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let recording = Recording { began: utc(since.as_secs()), ..Recording::default() };
        Self { began: Instant::now(), tape: Arc::new(Mutex::new(Tape::new(recording))) }
    }

    /// What was recorded until now.
    #[must_use]
    pub fn recording(&self) -> Recording {
        let tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.until(self.began.elapsed())
    }
}

impl Observer for Recorder {
    fn event(&self, event: &Event<'_>) {
        let mut tape = self.tape.lock().unwrap_or_else(PoisonError::into_inner);
        tape.hear(self.began.elapsed(), event);
    }
}

/// What a run did. Times count from its beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Recording {
    /// When it began, by the clock of the program, in UTC: `2026-11-21T09:30:12Z`.
    pub began: String,
    /// All of it, or as much as there is of it.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "took_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub took: Duration,
    /// How many migrations were to be applied or taken back.
    pub planned: usize,
    /// How many waited, for another phase or for each other.
    pub deferred: usize,
    /// Each migration, or each statement of one where they run by themselves, in the order in which they began.
    pub tracks: Vec<Track>,
    /// What was said on the way.
    pub remarks: Vec<Remark>,
    /// Why it ended, where it did not end well.
    pub stopped: Option<Stopped>,
}

/// A migration, a statement of one, or the wait for another migrator.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Track {
    /// Which migration; none is the wait for another migrator.
    pub id: Option<MigrationId>,
    /// Its name, or that of the other migrator.
    pub name: String,
    /// Forward or back.
    pub direction: Direction,
    /// The statement, from 1, where each runs by itself.
    pub statement: Option<u32>,
    /// When it began.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "from_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub from: Duration,
    /// When it ended.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "to_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub to: Duration,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did, one after the other.
    pub spans: Vec<Span>,
    /// When it held the locks that others wait for.
    pub held: Vec<Span>,
    /// How often it was tried again.
    pub retries: u32,
    /// Who was in its way.
    pub blockers: Vec<Met>,
    /// Sessions that waited behind it, at most.
    pub waiting: usize,
    /// Batches of a backfill, as far as this program did them.
    pub batches: u64,
    /// Rows that they changed.
    pub changed: u64,
    /// Pauses between them, all together: too short to be drawn one by one, they are part of the time worked.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "paused_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub paused: Duration,
}

/// How a track ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Outcome {
    /// It has not.
    #[default]
    Open,
    /// Well.
    Done,
    /// With the error that ended the run.
    Failed,
    /// It was undone with what shared its transaction.
    Undone,
    /// A backfill was left to others, or to the next run.
    Left,
}

/// A stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Span {
    /// With what it was spent.
    pub doing: Doing,
    /// The phase of the server's command, the pass of a backfill or what it waited for, or why it was tried again; often
    /// empty.
    pub what: String,
    /// From then.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "from_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub from: Duration,
    /// Until then.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "to_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub to: Duration,
}

/// With what time is spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Doing {
    /// Another migrator had the lock of the set.
    WaitingForMigrator,
    /// Others held what it needs; it looked on and kept nobody waiting.
    Looking,
    /// It asked for locks, and those behind it waited too.
    Queueing,
    /// A pause before it was tried again.
    Pausing,
    /// A backfill waited for something that comes first.
    Braked,
    #[default]
    /// It worked; a concurrent build may wait for others in a phase of its work.
    Working,
    /// It had the locks.
    Holding,
}

/// Somebody in the way, as last seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Met {
    /// Who.
    pub blocker: Blocker,
    /// First seen.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "from_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub from: Duration,
    /// Last seen.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "to_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub to: Duration,
}

/// Something that was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Remark {
    /// When.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "at_ms", serialize_with = "crate::data::milliseconds")
    )]
    pub at: Duration,
    /// About which migration.
    pub id: Option<MigrationId>,
    /// What.
    pub text: String,
}

/// An error, without what may hold values of rows or is the text of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Stopped {
    /// What went wrong, what the database looks like now and what to do, a line each.
    pub message: String,
    /// The server's code.
    pub sqlstate: Option<String>,
    /// The file, where it is in one.
    pub file: Option<String>,
    /// Its line there.
    pub line: Option<u32>,
}

impl Recording {
    /// How long all tracks together spent with something.
    #[must_use]
    pub fn spent(&self, doing: Doing) -> Duration {
        let spans = self.tracks.iter().flat_map(|track| track.spans.iter().chain(&track.held));
        spans.filter(|span| span.doing == doing).map(|span| span.to.saturating_sub(span.from)).sum()
    }
}

/// Seconds since 1970 as people write them.
fn utc(seconds: u64) -> String {
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = calendar::date(i64::try_from(days).unwrap_or_default());
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::utc;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(utc(0), "1970-01-01T00:00:00Z");
        assert_eq!(utc(951_782_399), "2000-02-28T23:59:59Z");
        assert_eq!(utc(951_782_400), "2000-02-29T00:00:00Z");
        assert_eq!(utc(1_795_950_657), "2026-11-29T11:10:57Z");
        assert_eq!(utc(4_107_542_400), "2100-03-01T00:00:00Z");
    }
}
