//! Going on after a lost connection.
//!
//! Nobody knows what became of a COMMIT whose answer was lost: a new connection looks at the history, and the run
//! goes on from what stands there. Owns which losses are survived, how often, and what a report says of them.

use std::time::{Duration, Instant};

use migrate_core::{Direction, MigrationId, Status, Version};

use super::At;
use crate::error::Error;
use crate::execute::Tally;
use crate::history::{self, Loaded};
use crate::observe::Event;
use crate::report::{Applied, Report};
use crate::session::Session;

/// What is to be done under the lock.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Errand {
    Forward,
    Back(Option<Version>),
}

/// Between two tries to connect.
const PAUSE: Duration = Duration::from_millis(250);

impl At<'_> {
    /// Carries out an errand, through lost connections where another one can be had.
    pub(super) async fn through(
        &self,
        mut session: Session,
        errand: Errand,
    ) -> Result<Report, Error> {
        let mut tally = Tally::default();
        let (mut losses, mut applied) = (0, 0);
        loop {
            let error = match self.locked(&mut session, errand, &mut tally).await {
                Ok(report) => {
                    session.close().await;
                    return Ok(report);
                }
                Err(error) => error,
            };
            losses = if tally.applied.len() > applied { 1 } else { losses + 1 };
            applied = tally.applied.len();
            let next = match error.is_lost() && losses <= self.options.waits.reconnects {
                true => self.reconnected(&session, &error, losses).await,
                false => None,
            };
            session.close().await;
            session = match next {
                Some(next) => next,
                None if tally.applied.is_empty() => return Err(error),
                None => return Err(error.after(&tally.ids())),
            };
        }
    }

    /// Another connection to where this one went, once the server is there again.
    pub(super) async fn reconnected(
        &self,
        lost: &Session,
        error: &Error,
        attempt: u32,
    ) -> Option<Session> {
        let began = Instant::now();
        loop {
            let ear = &self.migrator.ear;
            ear.tell(&Event::Reconnecting { attempt, pause: PAUSE });
            tokio::time::sleep(PAUSE).await;
            match lost.reopen(self.options).await? {
                // Somebody has ended this very session: who does that wants it ended.
                Ok(found) if error.was_ended() && found.facts.up_since == lost.facts.up_since => {
                    found.close().await;
                    return None;
                }
                // Another server may yet take over.
                Ok(found) if found.facts.standby => found.close().await,
                Ok(found) => return Some(found),
                Err(error) => tracing::debug!(%error, "migrate: no connection yet"),
            }
            if began.elapsed() >= self.options.waits.connect {
                return None;
            }
        }
    }

    /// Looks for what was under way, in a run that has no other reason to read the history.
    pub(super) async fn look_what_was_done(
        &self,
        session: &mut Session,
        tally: &mut Tally,
    ) -> Result<(), Error> {
        if !tally.under_way.is_empty() {
            let loaded = history::load_as_ourselves(session, &self.names).await?;
            self.tell_what_was_done(&loaded, tally);
        }
        Ok(())
    }

    /// What was under way when the connection was lost, and is done, says the history.
    pub(super) fn tell_what_was_done(&self, loaded: &Loaded, tally: &mut Tally) {
        for (id, name, direction, began) in std::mem::take(&mut tally.under_way) {
            if !is_done(loaded, id, direction) {
                continue;
            }
            let (ear, took) = (&self.migrator.ear, began.elapsed());
            let found = "it was committed before the connection was lost";
            ear.tell(&Event::Recovered { id, found });
            ear.tell(&Event::Done { id, name: &name, direction, took });
            let (attempts, foreseen) = (0, true);
            tally.applied.push(Applied { id, name, direction, took, attempts, foreseen });
        }
    }
}

fn is_done(loaded: &Loaded, id: MigrationId, direction: Direction) -> bool {
    let status = loaded.history.get(id).map(|applied| &applied.status);
    match direction {
        Direction::Up => matches!(status, Some(Status::Done)),
        Direction::Down => matches!(status, Some(Status::Reverted)),
    }
}
