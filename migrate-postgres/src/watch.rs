//! A second connection that looks at the first while it works.
//!
//! Owns when it is opened, which is when there is something to look at, and how often it looks. A run goes on
//! without it where there is no second connection to be had.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use sqlx::{Connection, PgConnection};

use crate::error::Error;
use crate::session::Door;

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
    async fn look(&mut self, eye: &mut PgConnection) -> Result<(), sqlx::Error>;
}

impl Watch {
    /// One that will come in by the same door as the session, where it has one.
    pub(crate) fn new(door: Option<Door>) -> Self {
        Self { door, eye: None }
    }

    /// Does the work and looks at it meanwhile.
    pub(crate) async fn over<T>(
        &mut self,
        look: &mut impl Look,
        work: impl Future<Output = T>,
    ) -> T {
        let Some(door) = self.door.take() else { return work.await };
        let (done, blind) = {
            let looking = pin!(look_on(&door, &mut self.eye, look));
            match select(pin!(work), looking).await {
                Either::Left((done, _)) => (done, None),
                Either::Right((error, work)) => (work.await, Some(error)),
            }
        };
        match blind {
            None => self.door = Some(door),
            Some(error) => tracing::debug!(%error, "migrate: nobody watches any more"),
        }
        done
    }

    /// Closes the eye in good order.
    pub(crate) async fn close(self) {
        if let Some(eye) = self.eye
            && let Err(error) = eye.close().await
        {
            tracing::debug!(%error, "migrate: the watching connection did not close in good order");
        }
    }
}

/// Until it fails, or nobody waits for it any more.
async fn look_on(door: &Door, eye: &mut Option<PgConnection>, look: &mut impl Look) -> Error {
    loop {
        tokio::time::sleep(look.period()).await;
        if eye.is_none() {
            match door.open().await {
                Ok(connection) => *eye = Some(connection),
                Err(error) => return error,
            }
        }
        if let Some(connection) = eye
            && let Err(error) = look.look(connection).await
        {
            return Error::driver("watch the session", error);
        }
    }
}
