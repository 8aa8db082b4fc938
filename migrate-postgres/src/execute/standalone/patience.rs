//! How long a statement outside transactions may take, and what it is told about waiting.
//!
//! Owns the deadline of ours, and what is exempt from the timeouts of the server. Knows no statement by its meaning.

use std::time::Duration;

use migrate_core::sql::classify;

use super::Runner;
use crate::error::sqlstate;
use crate::session::{Sent, text};
use crate::sql;

/// A message that did not succeed.
pub(super) struct Missed {
    pub(super) error: sqlx::Error,
    /// It was not done by its deadline, and the server has ended it.
    pub(super) late: bool,
}

impl From<sqlx::Error> for Missed {
    fn from(error: sqlx::Error) -> Self {
        Self { error, late: false }
    }
}

/// What works concurrently blocks nobody while it waits, and a timeout would leave something broken behind.
pub(super) fn is_concurrent(statement: &str) -> bool {
    let refused = classify::refuses_transaction(statement);
    refused.is_some_and(|name| name.ends_with("CONCURRENTLY"))
}

impl Runner<'_> {
    /// Sends it without the timeouts of the session. The statements after it have theirs again, also those that
    /// the file has set.
    pub(super) async fn without_timeouts(
        &mut self,
        message: String,
        patience: Duration,
    ) -> Result<(), Missed> {
        let before = self.session.send(sql::lift_timeouts().to_owned()).await?;
        let sent = self.until_deadline(message, patience).await;
        let answered =
            sent.as_ref().map_or_else(|missed| sqlstate(&missed.error).is_some(), |()| true);
        let restore = before.as_ref().and_then(|row| text(row, "restore")).filter(|_| answered);
        let restored = match restore {
            Some(restore) => self.session.send(restore.to_owned()).await.map(drop),
            None => Ok(()),
        };
        sent.and(restored.map_err(Missed::from))
    }

    /// Sends it, and ends it on the server when it is not done by then.
    pub(super) async fn until_deadline(
        &mut self,
        message: String,
        patience: Duration,
    ) -> Result<(), Missed> {
        let waits = &self.ours.waits;
        match self.session.send_within(message, patience, waits).await {
            Sent::InTime(answer) => answer.map_err(Missed::from),
            Sent::Late(answer) => answer.map_err(|error| Missed {
                late: sqlstate(&error).as_deref() == Some("57014"),
                error,
            }),
            Sent::Never => {
                let waited = format!(
                    "it was not done within {} s, and the server could not be told to end it",
                    patience.as_secs_f64()
                );
                Err(sqlx::Error::Io(std::io::Error::other(waited)).into())
            }
        }
    }
}
