//! Looks at what is there before a unit runs.
//!
//! Owns what follows from what the catalog shows: what useless things an attempt left goes, what is half done is
//! finished, what another session is at is waited for, and a unit that a run before has begun is only repeated when
//! that is known to be right. Knows no kind of statement: that is for `recognise`.

use std::time::{Duration, Instant};

use migrate_core::Unit;

use super::patience::{Patience, is_concurrent};
use super::recognise::{self, Found, Traces, Verdict};
use super::{Piece, Runner, words};
use crate::error::Error;
use crate::observe::Event;

/// What a look before a unit found.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    Done,
    NotDone,
}

/// Between two looks at what another session builds.
const POLL: Duration = Duration::from_millis(250);

/// For clearing away what a statement left that took too long already.
const CLEARING: Duration = Duration::from_secs(10);

impl Runner<'_> {
    /// Before a unit runs for the first time in this run.
    pub(super) async fn look(&mut self, piece: Piece<'_>) -> Result<Looked, Error> {
        if let Unit::Code(_) = piece.unit {
            self.code_of(piece.job)?;
        }
        match (piece.text().and_then(recognise::traces), piece.was_begun()) {
            (Some(traces), begun) => self.follow(piece, &traces, begun).await,
            (None, true) => Err(words::unprovable(piece)),
            (None, false) => Ok(Looked::NotDone),
        }
    }

    /// Before another attempt of a statement that the server has refused.
    pub(super) async fn look_again(&mut self, piece: Piece<'_>) -> Result<Looked, Error> {
        match piece.text().and_then(recognise::traces) {
            Some(traces) => self.follow(piece, &traces, false).await,
            None => Ok(Looked::NotDone),
        }
    }

    /// What is done by something that was not begun is somebody else's, and for the statement to meet.
    async fn follow(
        &mut self,
        piece: Piece<'_>,
        traces: &Traces,
        begun: bool,
    ) -> Result<Looked, Error> {
        let (mut begun, began, mut told) = (begun, Instant::now(), None);
        let Some(look) = traces.look.as_ref().filter(|_| begun || traces.litters) else {
            return Ok(Looked::NotDone);
        };
        while let Some(found) = self.find(look).await? {
            match found.verdict {
                Verdict::Done if begun => {
                    self.recovered(piece, &found.found);
                    return Ok(Looked::Done);
                }
                Verdict::Done => return Ok(Looked::NotDone),
                Verdict::Foreign if traces.yields => return Err(words::foreign(piece, &found)),
                Verdict::Foreign => {
                    self.notice(piece, &found.found);
                    return Ok(Looked::NotDone);
                }
                Verdict::Busy => {
                    if told.replace(found.builder) != Some(found.builder) {
                        self.notice(piece, &format!("{}, which is waited for", found.found));
                    }
                    if began.elapsed() >= self.ours.waits.standalone {
                        return Err(words::busy(piece, &found));
                    }
                    tokio::time::sleep(POLL).await;
                }
                Verdict::Leftover | Verdict::Half => {
                    self.repair(piece, &found, self.ours.waits.standalone).await?;
                    begun |= found.verdict == Verdict::Half;
                }
            }
        }
        Ok(Looked::NotDone)
    }

    /// Clears away what a statement left that was ended because it took too long. What then remains, in words.
    pub(super) async fn clear_away(&mut self, piece: Piece<'_>) -> Result<&'static str, Error> {
        let Some(look) = piece.text().and_then(recognise::traces).and_then(|traces| traces.look)
        else {
            return Ok("what it left, if anything, is for you to look at");
        };
        while let Some(found) = self.find(&look).await? {
            match found.verdict {
                Verdict::Leftover => {
                    self.repair(piece, &found, CLEARING.min(self.ours.waits.standalone)).await?;
                }
                Verdict::Half => return Ok("half of it is there, and the next run finishes it"),
                _ => break,
            }
        }
        Ok("nothing of it stayed")
    }

    async fn find(&mut self, look: &str) -> Result<Option<Found>, Error> {
        let row = self.session.send(look.to_owned()).await;
        let row = row.map_err(|error| Error::driver("look at what is there", error))?;
        Ok(row.as_ref().and_then(Found::read))
    }

    async fn repair(
        &mut self,
        piece: Piece<'_>,
        found: &Found,
        patience: Duration,
    ) -> Result<(), Error> {
        self.recovered(piece, &found.found);
        let message = format!("{} {}", piece.job.comment(), found.repair);
        let repaired = match piece.unit {
            Unit::Statement(_, statement) if !is_concurrent(&found.repair) => {
                self.second_half(piece, statement, message, patience).await
            }
            _ => self.without_timeouts(message, Patience::until(patience)).await,
        };
        repaired.map_err(|missed| words::unrepaired(piece, found, missed))
    }

    fn recovered(&self, piece: Piece<'_>, found: &str) {
        self.ear.tell(&Event::Recovered { id: piece.job.action.id, found });
    }

    fn notice(&self, piece: Piece<'_>, text: &str) {
        self.ear.tell(&Event::Notice { id: piece.job.action.id, text });
    }
}
