//! What is put in order behind a backfill: the statistics that new code is planned by, and indexes that grew.
//!
//! Nothing of it decides whether the backfill is done. What fails is told, with the statement to do it by hand.

use std::fmt;
use std::time::{Duration, Instant};

use sqlx::postgres::PgRow;

use super::Filler;
use super::statements::{ANALYZE, GROWN, REINDEX_LEFT};
use crate::observe::Event;
use crate::session::Session;
use crate::sql::{self, literal};
use crate::wire::{self, number, text};

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

    /// The indexes that grew by more than a fifth since the backfill began; what nobody may know is none.
    pub(super) async fn grown(&self, session: &mut Session) -> Vec<Grown> {
        let look = session.as_ourselves(&self.about.names) + &self.about.fill(GROWN, &[]);
        match wire::rows(&mut session.connection, look).await {
            Ok(rows) => rows.iter().filter_map(Grown::read).collect(),
            Err(error) => {
                self.warn(&format!("the sizes of indexes were not looked at: {error}"));
                Vec::new()
            }
        }
    }

    /// Builds them anew where the file asks for it, once the backfill is recorded: nothing waits for it.
    pub(crate) async fn tidy(&self, session: &mut Session) {
        if !self.backfill.header().reindex {
            return;
        }
        for index in self.grown(session).await {
            if self.is_over() {
                self.not_rebuilt(&index, "the time of the run was over");
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
        let left = self.until.map(|until| until.saturating_duration_since(began));
        let most = self.ours.waits.standalone;
        let most = left.map_or(most, |left| left.min(most));
        match within(session, most, index.rebuild()).await {
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
        while let Ok(Some(row)) = session.send(look.clone()).await {
            let repair = match (text(&row, "verdict"), text(&row, "repair")) {
                (Some("leftover"), Some(repair)) => repair.to_owned(),
                _ => return,
            };
            if let Err(error) = within(session, CLEARING, repair.clone()).await {
                return self.warn(&format!("`{repair}` is left to be done: {error}"));
            }
        }
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

/// A concurrent statement waits for others by locks, which no lock timeout is to end.
async fn within(
    session: &mut Session,
    most: Duration,
    statement: String,
) -> Result<(), sqlx::Error> {
    let most = most.as_millis().max(1);
    let lift = format!("{}; SET statement_timeout = {most}", sql::lift_timeouts(Duration::ZERO));
    let before = session.send_quick(lift).await?;
    let sent = session.send(statement).await;
    if let Some(restore) = before.as_ref().and_then(|row| text(row, "restore")) {
        session.send_quick(restore.to_owned()).await?;
    }
    sent.map(drop)
}
