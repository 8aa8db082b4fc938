//! What would keep a backfill from going on at this moment: hidden, for the tests of this workspace, until a backfill is
//! what asks.
//!
//! Owns the way from a migrator to that question. Decides nothing.

use super::Migrator;
use crate::error::Error;
use crate::session::Database;
use crate::throttle::{Closed, Limits, Question, Signals, ask};

#[doc(hidden)]
impl Migrator {
    /// What was seen, what closes, and what is only to be told. Reads only.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn held(
        &self,
        database: impl Into<Database>,
        table: &str,
        filler: Option<i32>,
        limits: &Limits,
        earlier: Option<&Signals>,
    ) -> Result<(Signals, Vec<Closed>, Vec<Closed>), Error> {
        self.reading(database.into(), async |at, eye| {
            let brake = at.options.brake.as_ref().map(|brake| &*brake.0);
            let question = Question { table, filler, limits, brake };
            let answer = ask(eye.connection(), question, earlier).await?;
            Ok((answer.signals, answer.closed, answer.warned))
        })
        .await
    }
}
