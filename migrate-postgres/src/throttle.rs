//! How much of a server a backfill may take, and when it has to wait.
//!
//! Three parts, of which two are pure: [`Controller`] sizes batches and pauses, the gates say what keeps the next batch
//! from beginning, and [`Signals`] are what one look at the server finds. The [`Limits`] belong to all of them. Owns the
//! one question that a backfill asks before a batch. Knows nothing of backfills: what a batch is, who waits and for how
//! long, and what is written down of it is theirs.

use std::time::Duration;

use sqlx::PgConnection;

use crate::brake::Brake;
use crate::error::Error;

mod controller;
mod gates;
mod limited_by;
mod limits;
mod load;
mod signals;
#[cfg(test)]
mod testing;
mod units;
mod window;

pub(crate) use controller::{Controller, Measured};
pub use gates::Closed;
pub use limited_by::LimitedBy;
pub use limits::{Limits, OnUnknown, Retention, WalRate};
pub(crate) use load::wal_a_second;
pub use signals::{Position, Signal, Signals};
pub use window::Window;

/// Who asks, and about what.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    /// The table that is filled, as SQL names it.
    pub(crate) table: &'q str,
    /// The process of the session that fills, unless it is the one that asks.
    pub(crate) filler: Option<i32>,
    pub(crate) limits: &'q Limits,
    /// The application's own.
    pub(crate) brake: Option<&'q dyn Brake>,
}

/// What was found: all of it goes into the next question, for what can only be told from one to the next.
pub(crate) struct Answer {
    pub(crate) signals: Signals,
    /// Nothing may begin while there is something.
    pub(crate) closed: Vec<Closed>,
    /// What is only to be told.
    pub(crate) warned: Vec<Closed>,
}

/// May the next batch begin?
pub(crate) async fn ask(
    connection: &mut PgConnection,
    question: Question<'_>,
    earlier: Option<&Signals>,
) -> Result<Answer, Error> {
    let Question { table, filler, limits, brake } = question;
    let signals = Signals::look(connection, table, filler, limits, earlier).await?;
    let mut closed = gates::closed(&signals, limits, signals.minute);
    if let Some(brake) = brake {
        closed.extend(braked(brake).await);
    }
    let warned = gates::warned(&signals, limits);
    Ok(Answer { signals, closed, warned })
}

/// How long an application may think about it.
const PATIENCE: Duration = Duration::from_secs(5);

/// One that fails, or does not answer, says no.
async fn braked(brake: &dyn Brake) -> Option<Closed> {
    let opens = "when the application's brake says so";
    let why = match tokio::time::timeout(PATIENCE, brake.holds()).await {
        Ok(Ok(None)) => return None,
        Ok(Ok(Some(why))) => why,
        Ok(Err(error)) => format!("the application's brake failed: {error}"),
        Err(_) => format!("the application's brake did not answer in {}", units::about(PATIENCE)),
    };
    Some(Closed::new(LimitedBy::Callback, why, opens))
}
