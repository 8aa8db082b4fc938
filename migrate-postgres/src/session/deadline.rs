//! A message that has to be answered by some time.
//!
//! Owns the end of one that is not: the server is told on a second connection to cancel what it does, and what it
//! then answers is what happened. To drop the connection would not do: before PostgreSQL 14 a server goes on with a
//! statement for which nobody waits. Knows nothing of what is sent.

use std::pin::pin;
use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::timeout;

use super::{Session, close, connect};
use crate::options::Waits;
use crate::sql;
use crate::wire::{Backend, Told, number, send, send_counting};

/// How a message ended.
pub(crate) enum Sent {
    /// The server answered in time.
    InTime(Result<(), sqlx::Error>),
    /// It answered when it had been told to cancel; it may have been done by then.
    Late(Result<(), sqlx::Error>),
    /// It could not be brought to an answer, and the connection is of no use any more.
    Never,
}

/// How often a server is told, and how long each time it may take to answer.
const TIMES: u32 = 10;
const EACH: Duration = Duration::from_secs(1);

impl Session {
    /// Sends one message, and ends it on the server when it is not answered by then.
    pub(crate) async fn send_within(
        &mut self,
        message: String,
        told: &mut Told,
        patience: Duration,
        waits: &Waits,
    ) -> Sent {
        if let Err(error) = self.hears() {
            return Sent::InTime(Err(error));
        }
        let Self { connection, options, facts, .. } = self;
        let mut sent = pin!(send_counting(connection, message, told));
        if let Ok(answer) = timeout(patience, &mut sent).await {
            return Sent::InTime(answer);
        }
        let Some(options) = options else { return Sent::Never };
        let mut second = match connect(options, waits.connect).await {
            Ok(second) => second,
            Err(error) => {
                tracing::warn!(%error, "migrate: no second connection to cancel a statement with");
                return Sent::Never;
            }
        };
        let mut end = Sent::Never;
        for _ in 0..TIMES {
            cancel(&mut second, facts.backend, waits.connect).await;
            if let Ok(answer) = timeout(EACH, &mut sent).await {
                end = Sent::Late(answer);
                break;
            }
        }
        close(second).await;
        end
    }
}

/// Cancels what is under way, which is the message that nobody has heard the answer of yet. It cannot meet a later one:
/// the signal is delivered when this returns, and where that was not waited for, it looks for its message itself.
async fn cancel(second: &mut PgConnection, backend: Backend, patience: Duration) {
    let cancel = async {
        let found = send(second, sql::under_way(backend)).await?;
        let sent = found.and_then(|row| number(&row, "sent"));
        send(second, sql::cancel(backend, sent)).await
    };
    match timeout(patience, cancel).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, "migrate: a statement could not be cancelled"),
        Err(_) => tracing::warn!("migrate: a statement could not be cancelled in time"),
    }
}
