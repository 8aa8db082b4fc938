//! A second connection that looks at the first while it works.
//!
//! Owns when it is opened and how often it looks. What it sees it tells; it changes nothing, and a run goes on
//! without it where there is no second connection to be had.

use std::pin::pin;
use std::time::Duration;

use futures_util::future::{Either, select};
use sqlx::{Connection, PgConnection};

use crate::options::Waits;
use crate::session::Session;

/// Looks at the session of a run.
#[derive(Default)]
pub(crate) struct Watch {
    eye: Eye,
}

#[derive(Default)]
enum Eye {
    #[default]
    Closed,
    Open(Box<PgConnection>),
    /// There is none to be had, or it was lost: it is not tried again.
    Blind,
}

/// What a look leads to.
pub(crate) trait Look {
    /// Until the next look.
    fn period(&self) -> Duration;

    /// Looks once.
    async fn look(&mut self, eye: &mut PgConnection) -> Result<(), sqlx::Error>;
}

impl Watch {
    /// Opens the eye, where that can be done.
    pub(crate) async fn open(&mut self, session: &Session, waits: &Waits) {
        if !matches!(self.eye, Eye::Closed) {
            return;
        }
        self.eye = match session.another(waits).await {
            Some(Ok(connection)) => Eye::Open(Box::new(connection)),
            Some(Err(error)) => {
                tracing::debug!(%error, "migrate: nobody watches, there is no second connection");
                Eye::Blind
            }
            None => Eye::Blind,
        };
    }

    /// Does the work and looks at it meanwhile.
    pub(crate) async fn over<T>(&mut self, look: &mut impl Look, work: impl Future<Output = T>) -> T {
        let Eye::Open(eye) = &mut self.eye else { return work.await };
        let looking = pin!(look_on(eye, look));
        let failed = match select(pin!(work), looking).await {
            Either::Left((done, _)) => return done,
            Either::Right((error, work)) => {
                tracing::debug!(%error, "migrate: nobody watches any more");
                work
            }
        };
        let done = failed.await;
        self.eye = Eye::Blind;
        done
    }

    /// Closes the eye in good order.
    pub(crate) async fn close(self) {
        if let Eye::Open(connection) = self.eye
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "migrate: the watching connection did not close in good order");
        }
    }
}

async fn look_on(eye: &mut PgConnection, look: &mut impl Look) -> sqlx::Error {
    loop {
        tokio::time::sleep(look.period()).await;
        if let Err(error) = look.look(eye).await {
            return error;
        }
    }
}
