//! What is put in order behind a backfill: the statistics that new code is planned by, and indexes that grew.
//!
//! Nothing of it decides whether the backfill is done. What fails is told, with the statement to do it by hand.

use std::fmt;
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;

use super::Filler;
use super::statements::{ANALYZE, GROWN, NOTE_INDEXES, REINDEX_LEFT, place};
use crate::error::sqlstate;
use crate::observe::Event;
use crate::session::{Limits, Scope, Sent, Session};
use crate::sql::{self, literal};
use crate::wire::{Told, number, text};

/// An index that the batches made larger.
pub(super) struct Grown {
    /// As SQL names it.
    name: String,
    /// Bytes when the backfill began.
    before: i64,
    now: i64,
}

impl Grown {
    fn read(row: &PgRow) -> Option<Self> {
        Some(Self {
            name: text(row, "name")?.to_owned(),
            before: number(row, "before")?,
            now: number(row, "now")?,
        })
    }

    fn rebuild(&self) -> String {
        format!("REINDEX INDEX CONCURRENTLY {}", self.name)
    }
}

impl fmt::Display for Grown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mb = |bytes: i64| bytes / (1 << 20);
        write!(f, "index {} grew from {} to {} MB", self.name, mb(self.before), mb(self.now))
    }
}

impl Filler<'_> {
    /// New code is planned by the statistics of what was filled.
    pub(super) async fn analyze(&self, session: &mut Session) {
        for part in &self.ground.parts {
            let message = match self
                .head(session, "BEGIN READ WRITE; ", Duration::from_secs(5))
                .await
            {
                Ok(head) => format!("{head}{}COMMIT", sql::fill(ANALYZE, &[("relation", part)])),
                Err(error) => return self.warn(&format!("{part} was not analysed: {error}")),
            };
            if let Err(error) = session.send(message).await {
                session.roll_back().await;
                self.warn(&format!("{part} was not analysed: {error}"));
            }
        }
    }

    /// Remembers how large the indexes are before the first batch.
    pub(super) async fn note_indexes(&self, session: &mut Session) {
        let parts = place(Some(&self.ground.parts));
        let note = self.about.fill(NOTE_INDEXES, &[("parts", &parts)]);
        if let Err(error) = self.about.transaction(session, &note).await {
            self.warn(&format!("the sizes of indexes were not noted: {error}"));
        }
    }

    /// The indexes that grew by more than a fifth since the backfill began; what cannot be seen now is none.
    pub(super) async fn grown(&self, session: &mut Session) -> Vec<Grown> {
        match self.about.read(session, &self.about.fill(GROWN, &[])).await {
            Ok(rows) => rows.iter().filter_map(Grown::read).collect(),
            Err(error) => {
                self.warn(&format!("the sizes of indexes were not looked at: {error}"));
                Vec::new()
            }
        }
    }

    /// Builds anew what grew, where the file asks for it: once the backfill is recorded, by a worker that holds no lock of
    /// the set, so that nothing waits for it. Elsewhere it is told how to.
    pub(crate) async fn tidy(&self, session: &mut Session, is_under_lock: bool) {
        if !self.backfill.header().reindex {
            return;
        }
        for index in self.grown(session).await {
            if is_under_lock {
                self.not_rebuilt(&index, "other starts would wait for this run");
            } else if session.lease.is_some() {
                self.not_rebuilt(&index, "a pooler shares out the sessions");
            } else {
                self.rebuild(session, &index).await;
            }
        }
    }

    /// A concurrent rebuild blocks nobody; one that is ended leaves half an index, which goes at once.
    async fn rebuild(&self, session: &mut Session, index: &Grown) {
        let began = Instant::now();
        let most = self.ours.waits.standalone;
        match self.concurrently(session, index.rebuild(), most).await {
            Ok(()) => {
                let took = began.elapsed().as_secs_f64();
                let text = format!("{index}, and was built anew in {took:.1} s");
                self.ear.tell(&Event::Notice { id: self.about.id, text: &text });
            }
            Err(error) => {
                self.not_rebuilt(index, &error.to_string());
                self.clear_away(session, index).await;
            }
        }
    }

    async fn clear_away(&self, session: &mut Session, index: &Grown) {
        let name = literal(&index.name);
        let values = [("target", "'INDEX'"), ("name", name.as_str()), ("schema", "NULL")];
        let look = sql::fill(REINDEX_LEFT, &values);
        loop {
            let found = match session.send(look.clone()).await {
                Ok(None) => return,
                Ok(Some(row)) => row,
                Err(error) => return self.may_be_left(index, &error.to_string()),
            };
            let repair = match (text(&found, "verdict"), text(&found, "repair")) {
                (Some("leftover"), Some(repair)) => repair.to_owned(),
                _ => return self.may_be_left(index, text(&found, "found").unwrap_or_default()),
            };
            if let Err(error) = self.concurrently(session, repair.clone(), CLEARING).await {
                return self.warn(&format!("`{repair}` is left to be done: {error}"));
            }
        }
    }

    /// Waits for others by locks, which no timeout of the session is to end, and is told to end when it is late.
    async fn concurrently(
        &self,
        session: &mut Session,
        statement: String,
        most: Duration,
    ) -> Result<(), sqlx::Error> {
        let none = Limits { lock: Duration::ZERO, statement: Duration::ZERO };
        let settings = session.settings(Scope::Session, self.ours, none);
        session.send_quick(format!("{settings}SET default_transaction_read_only = off")).await?;
        let (mut told, waits) = (Told::default(), &self.ours.waits);
        let sent = match session.send_within(statement, &mut told, most, waits).await {
            Sent::InTime(answer) | Sent::Late(answer) => answer,
            Sent::Never => Err(session.gave_up()),
        };
        let answered = sent.as_ref().map_or_else(|error| sqlstate(error).is_some(), |()| true);
        if answered {
            session.send_quick(self.about.names.ourselves()).await?;
        }
        sent
    }

    fn may_be_left(&self, index: &Grown, why: &str) {
        self.warn(&format!(
            "half of a new index may be left beside {}, invalid and named with `_ccnew`: {why}; `DROP INDEX CONCURRENTLY` \
             takes it away",
            index.name
        ));
    }

    fn not_rebuilt(&self, index: &Grown, why: &str) {
        let rebuild = index.rebuild();
        self.warn(&format!("{index}, and was not built anew: {why}; `{rebuild}` does it"));
    }

    pub(super) fn warn(&self, text: &str) {
        self.ear.tell(&Event::Warning { text });
    }
}

/// For dropping what is left of an index.
const CLEARING: Duration = Duration::from_secs(10);
