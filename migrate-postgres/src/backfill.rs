//! Changes of data in batches.
//!
//! A backfill goes through a table, range by range, until a whole pass finds nothing left to change; then what was
//! promised of it is verified, and only then is it done. How far it is stands in the database, in the same transaction
//! as the rows: whoever comes next goes on there, and no batch is done twice. Owns that story. Which migration is to be
//! filled, and who writes the history, is the migrator's.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use migrate_core::{Backfill as Declared, MigrationId};
use sqlx::PgConnection;

use crate::error::{BoxError, Error};
use crate::observe::{Ear, Event, Seldom};
use crate::options::Options;
use crate::session::{self, Session};
use crate::sql::Names;
use crate::throttle::{Answer, Closed, Controller, Limits, Question, Signals, ask};

mod batch;
mod change;
mod ground;
mod limits;
mod next;
mod rehearsed;
mod report;
mod rows;
mod split;
mod state;
mod statement;
mod statements;
mod steps;
mod tidy;
mod verify;
mod work;

pub(crate) use rehearsed::{Broken, rehearse};
pub use report::{BackfillDone, BackfillReport, BackfillState};
pub(crate) use report::{limit, states, want};
pub use rows::Rows;
pub use state::Wanted;

use ground::Ground;
use state::Standing;
use statements::About;
use steps::Gone;
use work::Worked;

/// A backfill written in Rust: what changes the rows of one batch.
///
/// ```
/// use migrate_postgres::{Backfill, BoxError, PgConnection, Rows, async_trait};
/// use sqlx::Row;
///
/// struct Slugs;
///
/// #[async_trait]
/// impl Backfill for Slugs {
///     async fn batch(&self, connection: &mut PgConnection, rows: &Rows) -> Result<u64, BoxError> {
///         let select = format!("SELECT id, title FROM posts WHERE {rows} AND slug IS NULL FOR NO KEY UPDATE");
///         let found = sqlx::query(sqlx::AssertSqlSafe(select)).fetch_all(&mut *connection).await?;
///         for row in &found {
///             let slug = row.get::<String, _>("title").to_lowercase().replace(' ', "-");
///             sqlx::query("UPDATE posts SET slug = $1 WHERE id = $2")
///                 .bind(slug)
///                 .bind(row.get::<i64, _>("id"))
///                 .execute(&mut *connection)
///                 .await?;
///         }
///         Ok(found.len() as u64)
///     }
/// }
/// ```
#[async_trait]
pub trait Backfill: Send + Sync {
    /// Changes those rows of the batch that are not yet as they should be, and says how many it changed: 0 for a batch
    /// in which there was nothing left to do. It runs in a transaction that the place behind the rows is written in
    /// too, and a batch that fails is taken back.
    async fn batch(&self, connection: &mut PgConnection, rows: &Rows) -> Result<u64, BoxError>;
}

/// What is to be filled.
pub(crate) struct Job<'j> {
    pub(crate) id: MigrationId,
    pub(crate) name: &'j str,
    pub(crate) backfill: &'j Declared,
    pub(crate) code: Option<Arc<dyn Backfill>>,
}

/// How a backfill was left.
#[derive(Clone, Debug)]
pub(crate) enum Filled {
    /// Nothing is left to change, and what was promised holds; the words for the history.
    Verified(String),
    Left(Left),
}

/// Why a backfill does not go on here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Left {
    /// The time of a run is over.
    Budget,
    /// Others work at what is left.
    Others(String),
    /// Somebody wants it to pause, for a reason.
    Paused(Option<String>),
    /// Somebody wants it to stop.
    Cancelled(Option<String>),
}

impl Left {
    /// As a report says it.
    pub(crate) fn words(&self) -> String {
        let because = |reason: &Option<String>| match reason {
            Some(reason) => format!(": {reason}"),
            None => String::new(),
        };
        match self {
            Left::Budget => "the time that a run takes for backfills was over".to_owned(),
            Left::Others(who) => format!("{who} works at it"),
            Left::Paused(reason) => format!("it is paused{}", because(reason)),
            Left::Cancelled(reason) => format!("it was cancelled{}", because(reason)),
        }
    }
}

/// Works at one backfill.
pub(crate) struct Filler<'f> {
    about: About,
    ours: &'f Options,
    ear: &'f Ear,
    name: &'f str,
    backfill: &'f Declared,
    code: Option<Arc<dyn Backfill>>,
    ground: Ground,
    limits: Limits,
    /// The limits that the table has now.
    said: String,
    controller: Controller,
    signals: Option<Signals>,
    looked: Option<Instant>,
    /// When the table was vacuumed last, and how long that took.
    vacuumed: Option<(Instant, Duration)>,
    limited_by: String,
    why: String,
    /// When the time is over; `None` is never.
    until: Option<Instant>,
    progress: Gone,
    braked: Seldom,
    warned: Seldom,
    /// Nobody has seen yet that a batch that is repeated changes nothing.
    is_unproven: bool,
}

/// Passes over a table: the first changes, the second finds what was changed behind the cursor, one finds nothing.
const PASSES: i64 = 5;

/// How often the server is looked at while batches are done: before each of them, but for the smallest.
const LOOK: Duration = Duration::from_millis(15);

/// Between two times that a table is vacuumed by whoever fills it; and five times as long as the last time took.
const VACUUM_AGAIN: Duration = Duration::from_secs(5);

const UNVERIFIED: &str = "what was promised of it does not hold";

const ANOTHER_BUILD: &str = "another build, which declares it otherwise,";

/// How often it is looked whether what others work at is done.
const POLL: Duration = Duration::from_secs(1);

/// A range is ours for so long after the last word of us; a pause between batches is shorter.
const LASTS: Duration = Duration::from_secs(60);

impl<'f> Filler<'f> {
    /// Begins a backfill or joins it.
    pub(crate) async fn open(
        session: &mut Session,
        names: &Names,
        (ours, ear): (&'f Options, &'f Ear),
        job: Job<'f>,
        until: Option<Instant>,
    ) -> Result<Self, Error> {
        let Job { id, name, backfill, code } = job;
        let lasts = LASTS.max(ours.waits.lease);
        let readers = ours.readable_by.clone();
        let checksum = state::checksum(backfill);
        let about = About { names: names.clone(), id, checksum, me: worker(), lasts, readers };
        let identity = session.as_ourselves(names);
        let workers = ours.filling.workers;
        let (ground, anew) = about.open(session, name, backfill, workers, &identity).await?;
        let limits = ours.filling.limits.clone();
        let filler = Self {
            controller: Controller::new(&limits, ground.batch),
            progress: Gone::default(),
            signals: None,
            looked: None,
            vacuumed: None,
            limited_by: "nothing".to_owned(),
            why: String::new(),
            said: String::new(),
            braked: Seldom::default(),
            warned: Seldom::default(),
            is_unproven: true,
            about,
            ours,
            ear,
            name,
            backfill,
            code,
            ground,
            limits,
            until,
        };
        if anew {
            filler.note_indexes(session).await;
        }
        Ok(filler)
    }

    /// Works at it until it is done, or somebody else is to go on.
    pub(crate) async fn fill(&mut self, session: &mut Session) -> Result<Filled, Error> {
        loop {
            let standing = self.standing(session).await?;
            if standing.checksum != self.about.checksum {
                return Ok(Filled::Left(Left::Others(ANOTHER_BUILD.to_owned())));
            }
            if standing.is_verified {
                return Ok(Filled::Verified(standing.reason.unwrap_or_default()));
            }
            if standing.wanted != Wanted::Run {
                return Ok(Filled::Left(work::unwanted(standing.wanted, standing.reason)));
            }
            self.limits_say(&standing.limits);
            self.progress.begin(&standing);
            if let Some(range) = self.about.take(session).await? {
                match self.work(session, range).await? {
                    Worked::Through | Worked::Lost => continue,
                    Worked::Left(left) => return Ok(Filled::Left(left)),
                }
            }
            let standing = self.standing(session).await?;
            if standing.done == standing.ranges {
                if standing.checksum != self.about.checksum || standing.is_verified {
                    continue;
                }
                if let Some(said) = self.end_of_pass(session, &standing).await? {
                    return Ok(Filled::Verified(said));
                }
                continue;
            }
            let others = standing.holders.unwrap_or_else(|| "another worker".to_owned());
            if self.until.is_some() && !others.is_empty() || self.is_over() {
                return Ok(Filled::Left(Left::Others(others)));
            }
            session.rest(&self.about.names, POLL).await;
        }
    }

    /// The statement that says it is done, to be sent with the row of the history.
    pub(crate) fn done(&self, said: &str) -> String {
        self.about.done(said)
    }

    async fn standing(&self, session: &mut Session) -> Result<Standing, Error> {
        let standing = self.about.standing(session).await?;
        // No range at all is not every range done.
        standing.filter(|standing| standing.ranges > 0).ok_or_else(|| {
            Error::busy(format!(
                "failed to go on with backfill {}: somebody has deleted it",
                self.about.id
            ))
            .next("Run again: it begins anew, and changes only what is not changed yet.")
        })
    }

    /// Every range was gone through. Was there nothing left to change, and does everything hold?
    async fn end_of_pass(
        &mut self,
        session: &mut Session,
        standing: &Standing,
    ) -> Result<Option<String>, Error> {
        if self.has_more_parts(session, standing).await? {
            return Ok(None);
        }
        if standing.changed_now == 0 && !standing.is_elsewhere {
            return self.verified(session, standing).await.map(Some);
        }
        if standing.changed_now > 0 && standing.pass >= PASSES {
            let why = format!(
                "pass {} over the table still changed {} rows",
                standing.pass, standing.changed_now
            );
            self.about.set(session, "failed", Some(&why)).await?;
            return Err(Error::declaration(format!("failed to finish backfill {}: {why}", self.about.id))
                .now("the rows that were changed stay; it is not recorded as done")
                .next(
                    "Something writes rows that have to be changed again: keep the new column up to date with a trigger, or \
                     deploy code that does, then run again.",
                ));
        }
        self.about.next_pass(session, standing).await?;
        Ok(None)
    }

    async fn verified(
        &mut self,
        session: &mut Session,
        standing: &Standing,
    ) -> Result<String, Error> {
        self.about.set(session, "filled", None).await?;
        let verified = self.verify(session, standing).await;
        if let Err(error) = &verified
            && !error.is_connection()
            && !error.is_busy()
        {
            self.about.set(session, "failed", Some(UNVERIFIED)).await?;
        }
        verified
    }

    /// Takes up parts of the table that came while the others were gone through.
    async fn has_more_parts(
        &mut self,
        session: &mut Session,
        standing: &Standing,
    ) -> Result<bool, Error> {
        self.look_at_the_ground(session).await?;
        let is_new = |part: &&String| !standing.relations.contains(part);
        let more: Vec<_> = self.ground.parts.iter().filter(is_new).cloned().collect();
        if !more.is_empty() {
            self.about.add_parts(session, standing, &more).await?;
        }
        Ok(!more.is_empty())
    }

    async fn look_at_the_ground(&mut self, session: &mut Session) -> Result<(), Error> {
        let identity = session.as_ourselves(&self.about.names);
        self.ground = Ground::look(&mut session.connection, &identity, self.backfill).await?;
        Ok(())
    }

    /// What has become of a filling that others have recorded already: the table is to say so too.
    pub(crate) async fn settle(&self, session: &mut Session, said: &str) -> Result<(), Error> {
        self.about.set(session, "done", Some(said)).await
    }

    fn is_over(&self) -> bool {
        self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Takes over limits that were changed in the table.
    fn limits_say(&mut self, said: &str) {
        if self.said == said {
            return;
        }
        said.clone_into(&mut self.said);
        self.limits = self.limits_of(said);
        self.controller.limit(&self.limits);
    }

    /// The program's own, and above them those of the table.
    fn limits_of(&self, said: &str) -> Limits {
        let mut limits = self.ours.filling.limits.clone();
        for one in limits::each(said) {
            if let Err(error) = limits.set(&one) {
                self.ear.tell(&Event::Warning { text: &error.to_string() });
            }
        }
        limits
    }

    /// What keeps the next batch from being done now.
    async fn closed(
        &mut self,
        session: &mut Session,
        relation: &str,
    ) -> Result<Option<Closed>, Error> {
        if self.looked.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(None);
        }
        let brake = self.ours.brake.as_ref().map(|brake| &*brake.0);
        let question = Question { table: relation, filler: None, limits: &self.limits, brake };
        let answer = ask(&mut session.connection, question, self.signals.as_ref()).await?;
        let Answer { signals, closed, warned } = answer;
        self.signals = Some(signals);
        if let Some(first) = closed.into_iter().next() {
            return Ok(Some(first));
        }
        self.looked = Some(Instant::now());
        if let Some(first) = warned.first()
            && self.warned.is_due()
        {
            self.ear.tell(&Event::Warning { text: &first.to_string() });
        }
        Ok(None)
    }

    fn tell_of_brake(&mut self, closed: &Closed) {
        if self.braked.is_due() {
            let Closed { why, opens, .. } = closed;
            self.ear.tell(&Event::Braked { id: self.about.id, why, opens });
        }
    }

    fn tell_of_batch(&self, pause: Duration) {
        let steps = self.progress.steps();
        let (id, limited_by) = (self.about.id, &*self.limited_by);
        self.ear.tell(&Event::Batch { id, steps: &steps, limited_by, pause });
    }
}

/// Host and process of this program, and which of its workers.
fn worker() -> String {
    static WORKERS: AtomicU32 = AtomicU32::new(1);
    format!("{}/{}", session::host(), WORKERS.fetch_add(1, Ordering::Relaxed))
}
