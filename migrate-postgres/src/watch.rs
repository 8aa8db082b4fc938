//! A second connection that looks at the first while it works.
//!
//! Owns when it is opened, which is when there is something to look at, how often it looks, and when it is believed that
//! the session is gone, so that no answer comes any more. A run goes on without it where there is no second connection to
//! be had.

use std::pin::{Pin, pin};
use std::time::Duration;

use futures_util::future::{Either, select};
use sqlx::PgConnection;
use tokio::time::{sleep, timeout};

use crate::error::Error;
use crate::session::{Door, close, no_answer};

/// Looks at the session of a run.
pub(crate) struct Watch {
    /// Closed for good when there was no second connection to be had.
    door: Option<Door>,
    eye: Option<PgConnection>,
}

/// What is looked for.
pub(crate) trait Look {
    /// Until the next look.
    fn period(&self) -> Duration;

    /// Looks once.
    async fn look(&mut self, eye: &mut PgConnection) -> Result<Sight, sqlx::Error>;
}

/// Whether the server still has the session.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    There,
    Gone,
}

/// The server has the session no more, and the connection has not told.
pub(crate) struct Gone;

/// How the time until the next look, and the look, went.
enum Turn<T> {
    Done(T),
    Seen(Sight),
    /// There was nobody to look.
    Missed,
}

/// For a look when nobody needs it any more.
const TO_THE_END: Duration = Duration::from_secs(1);

/// What a session says when it ends is on its way for a moment.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

impl Watch {
    /// One that will come in by the same door as the session, where it has one.
    pub(crate) fn new(door: Option<Door>) -> Self {
        Self { door, eye: None }
    }

    /// Does the work and looks at it meanwhile; gives it up when two looks in a row do not find the session.
    pub(crate) async fn over<T>(
        &mut self,
        look: &mut impl Look,
        work: impl Future<Output = T>,
    ) -> Result<T, Gone> {
        let mut work = pin!(work);
        let mut last = Sight::There;
        while let Some(door) = self.door.take() {
            let pause = match last {
                Sight::There => look.period(),
                Sight::Gone => look.period().max(ON_ITS_WAY),
            };
            let turn = self.turn(&door, pause, look, work.as_mut()).await;
            self.door = Some(door);
            match turn {
                Ok(Turn::Done(done)) => return Ok(done),
                Ok(Turn::Seen(Sight::Gone)) if last == Sight::Gone => return Err(Gone),
                Ok(Turn::Seen(seen)) => last = seen,
                Ok(Turn::Missed) => {}
                Err(error) => {
                    tracing::debug!(%error, "migrate: nobody watches any more");
                    self.door = None;
                }
            }
        }
        Ok(work.await)
    }

    async fn turn<W: Future>(
        &mut self,
        door: &Door,
        pause: Duration,
        look: &mut impl Look,
        mut work: Pin<&mut W>,
    ) -> Result<Turn<W::Output>, Error> {
        if let Either::Left(done) = first(work.as_mut(), sleep(pause)).await {
            return Ok(Turn::Done(done));
        }
        let mut eye = match self.eye.take() {
            Some(eye) => eye,
            None => match first(work.as_mut(), door.open()).await {
                Either::Left(done) => return Ok(Turn::Done(done)),
                Either::Right(Ok(eye)) => eye,
                Either::Right(Err(error)) => return missed(error),
            },
        };
        let (done, seen) = look_to_the_end(work, look, &mut eye, door.patience).await;
        if seen.is_ok() {
            self.eye = Some(eye);
        }
        match (done, seen) {
            (Some(done), _) => Ok(Turn::Done(done)),
            (None, Ok(seen)) => Ok(Turn::Seen(seen)),
            (None, Err(error)) => missed(Error::driver("watch the session", error)),
        }
    }

    /// Closes the eye in good order.
    pub(crate) async fn close(self) {
        if let Some(eye) = self.eye {
            close(eye).await;
        }
    }
}

/// A server that does not answer may do so again; where it has no connection for us there is none.
fn missed<T>(error: Error) -> Result<Turn<T>, Error> {
    if error.is_connection() && (error.is_lost() || error.sqlstate().is_none()) {
        tracing::debug!(%error, "migrate: nobody could look");
        return Ok(Turn::Missed);
    }
    Err(error)
}

/// A look that is under way when the work is done comes to its end, unless it takes long: it may be about to cancel what
/// it looks at, and that is over.
async fn look_to_the_end<W: Future>(
    work: Pin<&mut W>,
    look: &mut impl Look,
    eye: &mut PgConnection,
    patience: Duration,
) -> (Option<W::Output>, Result<Sight, sqlx::Error>) {
    let looking = pin!(timeout(patience, look.look(eye)));
    let (done, seen) = match select(work, looking).await {
        Either::Left((done, looking)) => (Some(done), timeout(TO_THE_END, looking).await),
        Either::Right((seen, _)) => (None, Ok(seen)),
    };
    let seen = seen.and_then(|seen| seen).unwrap_or_else(|_| Err(no_answer()));
    (done, seen)
}

/// What is over first; the other is given up, but for the work.
async fn first<W: Future, F: Future>(work: Pin<&mut W>, other: F) -> Either<W::Output, F::Output> {
    match select(work, pin!(other)).await {
        Either::Left((done, _)) => Either::Left(done),
        Either::Right((other, _)) => Either::Right(other),
    }
}
