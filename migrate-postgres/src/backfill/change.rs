//! Changing the rows of one batch: by the statement of a file, or by code.
//!
//! Owns what is sent for it inside of a transaction that somebody else has opened. Whether it is committed, and what a
//! failure means, is theirs.

use std::sync::Arc;

use migrate_core::Backfill as Declared;
use sqlx::PgConnection;

use super::Backfill;
use super::rows::Rows;
use super::statement::locks_what_it_reads;
use super::statements::LOCK_ROWS;
use crate::error::BoxError;
use crate::sql;
use crate::wire::{send, send_affecting};

/// Why rows were not changed.
pub(super) enum Change {
    Driver(sqlx::Error),
    Code(BoxError),
}

impl From<sqlx::Error> for Change {
    fn from(error: sqlx::Error) -> Self {
        Change::Driver(error)
    }
}

impl Change {
    pub(super) fn driver(&self) -> Option<&sqlx::Error> {
        match self {
            Change::Driver(error) => Some(error),
            Change::Code(error) => error.downcast_ref(),
        }
    }
}

/// Changes them; how many were changed.
pub(super) async fn change(
    connection: &mut PgConnection,
    backfill: &Declared,
    code: Option<&Arc<dyn Backfill>>,
    rows: &Rows,
) -> Result<i64, Change> {
    let changed = match code {
        Some(code) => code.batch(connection, rows).await.map_err(Change::Code)?,
        None => {
            let statement = backfill.statement().unwrap_or_default();
            if !locks_what_it_reads(statement) {
                // What is computed elsewhere must not change between its reading and its writing.
                let condition = rows.condition();
                let values = [("relation", rows.table()), ("condition", &condition)];
                send(connection, sql::fill(LOCK_ROWS, &values)).await?;
            }
            send_affecting(connection, rows.fill(statement)).await?
        }
    };
    Ok(i64::try_from(changed).unwrap_or(i64::MAX))
}
