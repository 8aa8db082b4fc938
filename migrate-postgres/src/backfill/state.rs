//! How far a backfill is, as the database has it.
//!
//! Owns the rows of its two tables: one for the whole, one for each range of the table. A range belongs to one worker
//! at a time, by a lease under a number that grows with each holder. Decides nothing.

use std::time::Duration;

use migrate_core::{Backfill, Checksum};
use sqlx::Row;
use sqlx::postgres::PgRow;

use super::ground::Ground;
use super::statements::{
    ADD_RANGE, About, CREATE, DROP_RANGES, END, GRANT, LOCK, NEXT_PASS, OPEN, RELEASE, RENEW, SET,
    STATE, TAKE, number as or_null, optional, place,
};
use crate::error::{Error, is_absent, sqlstate};
use crate::history;
use crate::session::Session;
use crate::sql::{ident, literal};
use crate::wire::{self, number, text, truth};

/// A place in the order of a table.
pub(super) type Place = Vec<String>;

/// What is wanted of a backfill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Wanted {
    /// To go on.
    Run,
    /// To wait until somebody wants it to go on.
    Pause,
    /// To stop, and to leave what was changed as it is.
    Cancel,
}

impl Wanted {
    pub(crate) fn of(word: Option<&str>) -> Self {
        match word {
            Some("pause") => Wanted::Pause,
            Some("cancel") => Wanted::Cancel,
            _ => Wanted::Run,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Wanted::Run => "run",
            Wanted::Pause => "pause",
            Wanted::Cancel => "cancel",
        }
    }
}

/// A backfill as a whole.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Of what was declared when it began.
    pub(super) checksum: String,
    /// The history says that it is done.
    pub(super) is_verified: bool,
    pub(super) wanted: Wanted,
    pub(super) limits: String,
    pub(super) reason: Option<String>,
    pub(super) pass: i64,
    pub(super) expected: i64,
    /// Rows changed in all passes.
    pub(super) changed: i64,
    /// Rows gone through and changed in this one.
    pub(super) seen: i64,
    pub(super) changed_now: i64,
    pub(super) batches: i64,
    pub(super) ranges: i64,
    pub(super) done: i64,
    /// Others who work at it.
    pub(super) holders: Option<String>,
    /// Rows have other places than when they were gone through.
    pub(super) is_elsewhere: bool,
    /// What its ranges are of.
    pub(super) relations: Vec<String>,
}

/// A range that is ours for now.
#[derive(Clone, Debug)]
pub(super) struct Range {
    pub(super) no: i64,
    pub(super) relation: String,
    pub(super) after: Option<Place>,
    pub(super) up_to: Option<Place>,
    pub(super) is_last: bool,
    pub(super) is_hole: bool,
    pub(super) cursor: Option<Place>,
    pub(super) filenode: Option<i64>,
    pub(super) fence: i64,
    pub(super) batch_rows: Option<i64>,
}

impl Range {
    /// All rows of a table that nobody else works at.
    pub(super) fn whole(relation: &str) -> Self {
        Self {
            no: 1,
            relation: relation.to_owned(),
            after: None,
            up_to: None,
            is_last: true,
            is_hole: false,
            cursor: None,
            filenode: None,
            fence: 0,
            batch_rows: None,
        }
    }
}

/// Rows that are to be gone through once more.
pub(super) struct Hole<'h> {
    pub(super) after: Option<&'h [String]>,
    pub(super) up_to: Option<&'h [String]>,
    /// The file in which its pages were counted.
    pub(super) filenode: Option<i64>,
}

impl About {
    /// Reads where the backfill stands; `None` where it was never begun.
    pub(super) async fn standing(&self, session: &mut Session) -> Result<Option<Standing>, Error> {
        let message = session.as_ourselves(&self.names) + &self.fill(STATE, &[]);
        match session.send(message).await {
            Ok(row) => Ok(row.as_ref().map(standing)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(Error::driver("look how far a backfill is", error)),
        }
    }

    /// Begins it, unless somebody has; anew where its declaration is another one than that which was begun. Was it begun
    /// here?
    pub(super) async fn open(
        &self,
        session: &mut Session,
        name: &str,
        backfill: &Backfill,
        workers: u32,
        identity: &str,
    ) -> Result<(Ground, bool), Error> {
        let ground = Ground::look(&mut session.connection, identity, backfill).await?;
        let ranges = self.ranges(session, &ground, workers, identity).await?.concat();
        let expected = ground.expected.to_string();
        let values = [("name", &*literal(name)), ("expected", &expected)];
        let open = self.fill(OPEN, &values);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.opened(session, &open, &ranges).await {
                Ok(anew) => return Ok((ground, anew)),
                Err(error) if is_absent(&error) && tries < 10 => self.create(session).await?,
                Err(error) => return Err(Error::driver("begin a backfill", error)),
            }
        }
    }

    /// Whoever comes second finds the ranges of whoever came first.
    async fn opened(
        &self,
        session: &mut Session,
        open: &str,
        ranges: &str,
    ) -> Result<bool, sqlx::Error> {
        let anew = self.begin(session, open).await?.is_some();
        let rest = if anew { self.fill(DROP_RANGES, &[]) + ranges } else { String::new() };
        self.commit(session, &rest).await?;
        Ok(anew)
    }

    /// Splits the parts of a table into ranges, one for each worker.
    async fn ranges(
        &self,
        session: &mut Session,
        ground: &Ground,
        workers: u32,
        identity: &str,
    ) -> Result<Vec<String>, Error> {
        let mut ranges = Vec::new();
        for part in &ground.parts {
            let bounds = match ground.parts.len() {
                1 => super::split::bounds(session, part, &ground.order, workers, identity).await?,
                _ => Vec::new(), // a partition for each is enough
            };
            let froms = std::iter::once(None).chain(bounds.iter().map(Some));
            let tos = bounds.iter().map(Some).chain(std::iter::once(None));
            for (after, up_to) in froms.zip(tos) {
                ranges.push(self.range(part, after.map(Vec::as_slice), up_to.map(Vec::as_slice)));
            }
        }
        Ok(ranges)
    }

    fn range(&self, part: &str, after: Option<&[String]>, up_to: Option<&[String]>) -> String {
        let is_last = up_to.is_none();
        self.add(part, &Hole { after, up_to, filenode: None }, is_last, false)
    }

    fn add(&self, part: &str, rows: &Hole<'_>, is_last: bool, is_hole: bool) -> String {
        let values = [
            ("relation", literal(part)),
            ("after", place(rows.after)),
            ("up_to", place(rows.up_to)),
            ("is_last", is_last.to_string()),
            ("is_hole", is_hole.to_string()),
            ("filenode", or_null(rows.filenode)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        self.fill(ADD_RANGE, &values)
    }

    /// Remembers rows that were locked.
    pub(super) fn hole(&self, part: &str, hole: &Hole<'_>) -> String {
        self.add(part, hole, false, true)
    }

    async fn create(&self, session: &mut Session) -> Result<(), Error> {
        let make = self.fill(CREATE, &[]) + &self.grants();
        match self.transaction(session, &make).await {
            Ok(_) => Ok(()),
            Err(error)
                if sqlstate(&error).is_some_and(|state| history::somebody_was_faster(&state)) =>
            {
                Ok(())
            }
            Err(error) => Err(Error::driver("make the tables of backfills", error)
                .now("no row was changed")
                .next_unless_known(
                    "Let the migrating role make tables in the schema of the history.",
                )),
        }
    }

    fn grants(&self) -> String {
        let grant = |role: &String| self.fill(GRANT, &[("reader", &ident(role))]);
        self.readers.iter().map(grant).collect()
    }

    /// Takes the next range that nobody works at; `None` when there is none.
    pub(super) async fn take(&self, session: &mut Session) -> Result<Option<Range>, Error> {
        let backend = session.facts.backend.pid.to_string();
        let take = self.fill(TAKE, &[("backend", &backend)]);
        let row = self.transaction(session, &take).await;
        let row = row.map_err(|error| Error::driver("take a range of a backfill", error))?;
        Ok(row.as_ref().map(range))
    }

    /// Gives it back; it would run out by itself.
    pub(super) async fn release(&self, session: &mut Session, no: i64, fence: i64) {
        let (no, fence) = (no.to_string(), fence.to_string());
        let release = self.fill(RELEASE, &[("no", &no), ("fence", &fence)]);
        let sent =
            tokio::time::timeout(Duration::from_secs(5), self.transaction(session, &release));
        match sent.await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "migrate: the range will run out"),
            Err(_) => tracing::debug!("migrate: the range will run out, the connection is busy"),
        }
    }

    /// Keeps it, and says what it waits for.
    pub(super) async fn renew(
        &self,
        session: &mut Session,
        range: &Range,
        limited_by: &str,
        why: &str,
    ) -> Result<(), Error> {
        let values = [
            ("no", range.no.to_string()),
            ("fence", range.fence.to_string()),
            ("limited_by", literal(limited_by)),
            ("why", literal(why)),
        ];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        let sent = self.transaction(session, &self.fill(RENEW, &values)).await;
        sent.map(drop).map_err(|error| Error::driver("keep a range of a backfill", error))
    }

    /// Ends a range of a part that is no longer there.
    pub(super) async fn end(&self, session: &mut Session, range: &Range) -> Result<(), Error> {
        let (no, fence) = (range.no.to_string(), range.fence.to_string());
        let end = self.fill(END, &[("no", &no), ("fence", &fence)]);
        let sent = self.transaction(session, &end).await;
        sent.map(drop).map_err(|error| Error::driver("end a range of a backfill", error))
    }

    /// Goes through all of it once more.
    pub(super) async fn next_pass(
        &self,
        session: &mut Session,
        seen: &Standing,
    ) -> Result<(), Error> {
        let next = self.fill(NEXT_PASS, &[]);
        self.unless_others_were_faster(session, seen, &next)
            .await
            .map_err(|error| Error::driver("go through a table once more", error))
    }

    /// Goes through parts that came later, in the pass in which they were found.
    pub(super) async fn add_parts(
        &self,
        session: &mut Session,
        seen: &Standing,
        parts: &[String],
    ) -> Result<(), Error> {
        let more: String = parts.iter().map(|part| self.range(part, None, None)).collect();
        self.unless_others_were_faster(session, seen, &more)
            .await
            .map_err(|error| Error::driver("go through a part that was added", error))
    }

    /// Of several workers who see that every range is done, one goes on for all of them.
    async fn unless_others_were_faster(
        &self,
        session: &mut Session,
        seen: &Standing,
        then: &str,
    ) -> Result<(), sqlx::Error> {
        let look = self.fill(LOCK, &[]) + &self.fill(STATE, &[]);
        let now = self.begin(session, &look).await?.as_ref().map(standing);
        let is_as_seen = now.is_some_and(|now| {
            let is_same = now.checksum == self.checksum && now.pass == seen.pass;
            is_same && !now.is_verified && now.done == now.ranges && now.ranges == seen.ranges
        });
        self.commit(session, if is_as_seen { then } else { "" }).await
    }

    /// What a transaction begins with in which something is done as ourselves.
    async fn opening(&self, session: &mut Session) -> Result<String, sqlx::Error> {
        const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ";
        let begin = session.begin_at(&self.names, BEGIN, Some("READ COMMITTED")).await?;
        Ok(format!("{begin}{}", history::as_ourselves_here(&self.names)))
    }

    /// Opens a transaction in which one statement is done as ourselves; after an error there is none.
    async fn begin(
        &self,
        session: &mut Session,
        statement: &str,
    ) -> Result<Option<PgRow>, sqlx::Error> {
        let message = self.opening(session).await? + statement;
        let sent = session.send(message).await;
        if sent.is_err() {
            session.roll_back().await;
        }
        sent
    }

    async fn commit(&self, session: &mut Session, rest: &str) -> Result<(), sqlx::Error> {
        let sent = session.send(format!("{rest}COMMIT")).await;
        if sent.is_err() {
            session.roll_back().await;
        }
        sent.map(drop)
    }

    /// Reads rows as ourselves, in a transaction of its own.
    pub(super) async fn read(
        &self,
        session: &mut Session,
        statement: &str,
    ) -> Result<Vec<PgRow>, sqlx::Error> {
        let message = format!("{}{statement}COMMIT", self.opening(session).await?);
        let read = wire::rows(&mut session.connection, message).await;
        if read.is_err() {
            session.roll_back().await;
        }
        read
    }

    /// Does one thing as ourselves, in a transaction of its own.
    pub(super) async fn transaction(
        &self,
        session: &mut Session,
        statements: &str,
    ) -> Result<Option<PgRow>, sqlx::Error> {
        let end = if statements.trim_end().ends_with(';') { "COMMIT" } else { "; COMMIT" };
        self.begin(session, &format!("{statements}{end}")).await
    }

    pub(super) async fn set(
        &self,
        session: &mut Session,
        state: &str,
        reason: Option<&str>,
    ) -> Result<(), Error> {
        let sent = self.transaction(session, &self.says(state, reason)).await;
        sent.map(drop).map_err(|error| Error::driver("note how far a backfill is", error))
    }

    /// The statement that says it is done.
    pub(super) fn done(&self, said: &str) -> String {
        self.says("done", Some(said))
    }

    fn says(&self, state: &str, reason: Option<&str>) -> String {
        let (state, reason) = (literal(state), optional(reason));
        self.fill(SET, &[("state", &state), ("reason", &reason)])
    }
}

/// Over everything that makes it do what it does; not how many rows are in a batch.
pub(super) fn checksum(backfill: &Backfill) -> String {
    let header = backfill.header();
    let order = header.backfill.map(|batches| format!("{} by {}", batches.table, batches.by));
    let checksum: Checksum = backfill.checksum();
    checksum.and(&order.unwrap_or_default()).to_string()
}

fn standing(row: &PgRow) -> Standing {
    let count = |column| number(row, column).unwrap_or_default();
    let words = |column| text(row, column).map(ToOwned::to_owned);
    let relations = row.try_get::<Option<Vec<String>>, _>("relations").ok().flatten();
    Standing {
        checksum: words("checksum").unwrap_or_default(),
        is_verified: text(row, "state") == Some("done"),
        wanted: Wanted::of(text(row, "wanted")),
        limits: words("limits").unwrap_or_default(),
        reason: words("reason"),
        pass: count("pass"),
        expected: count("expected"),
        changed: count("changed") + count("changed_now"),
        seen: count("seen"),
        changed_now: count("changed_now"),
        batches: count("batches"),
        ranges: count("ranges"),
        done: count("done"),
        holders: words("holders"),
        is_elsewhere: truth(row, "is_elsewhere"),
        relations: relations.unwrap_or_default(),
    }
}

fn range(row: &PgRow) -> Range {
    let count = |column| number(row, column).unwrap_or_default();
    let place = |column: &str| row.try_get::<Option<Place>, _>(column).ok().flatten();
    Range {
        no: count("no"),
        relation: text(row, "relation").unwrap_or_default().to_owned(),
        after: place("after_place"),
        up_to: place("up_to_place"),
        is_last: truth(row, "is_last"),
        is_hole: truth(row, "is_hole"),
        cursor: place("cursor_place"),
        filenode: number(row, "filenode"),
        fence: count("fence"),
        batch_rows: number(row, "batch_rows"),
    }
}
