//! Who fills, each as its user would have it, and who does not.
//!
//! The SQL is in `backfill`, a file each, sent over a connection as psql would send it. Knows nothing of what is measured.

use std::time::Duration;

use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use super::{Size, child};
use crate::Result;
use crate::server::Bench;

/// Who is at work beside the load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// Nobody: the load alone, before each of the others.
    None,
    /// Nobody either, but one more session that only computes: what the machine's processors have to do with it.
    BusyBackend,
    /// One UPDATE.
    GiantUpdate,
    /// The loop of the tutorials: any rows that are not done and not locked, until there are none.
    DoLoop,
    /// A loop over the primary key, in SQL.
    SqlKeyset,
    /// Ours, over the primary key.
    MigrateKeyset,
    /// Ours, over the pages of the table.
    MigratePages,
    /// Ours, over the pages of the table in stripes.
    MigrateStriped,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 8] = [
        Tool::None,
        Tool::BusyBackend,
        Tool::GiantUpdate,
        Tool::DoLoop,
        Tool::SqlKeyset,
        Tool::MigrateKeyset,
        Tool::MigratePages,
        Tool::MigrateStriped,
    ];
    /// Those who have a turn.
    pub const TAKE_TURNS: [Tool; 7] = [
        Tool::BusyBackend,
        Tool::GiantUpdate,
        Tool::DoLoop,
        Tool::SqlKeyset,
        Tool::MigrateKeyset,
        Tool::MigratePages,
        Tool::MigrateStriped,
    ];
    /// Ours.
    pub const OURS: [Tool; 3] = [Tool::MigrateKeyset, Tool::MigratePages, Tool::MigrateStriped];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Tool::None => "none",
            Tool::BusyBackend => "busy-backend",
            Tool::GiantUpdate => "giant-update",
            Tool::DoLoop => "do-loop",
            Tool::SqlKeyset => "sql-keyset",
            Tool::MigrateKeyset => "migrate-keyset",
            Tool::MigratePages => "migrate-pages",
            Tool::MigrateStriped => "migrate-striped",
        }
    }

    /// Does it fill, or is it there to be compared with?
    pub fn fills(self) -> bool {
        !matches!(self, Tool::None | Tool::BusyBackend)
    }

    /// Is it still worth a figure when it does not get to the end? The loop of the tutorials passes over what is locked
    /// and may go on for hours; what it had done by then is told.
    pub(super) fn may_leave_rows(self) -> bool {
        self == Tool::DoLoop || !self.fills()
    }

    /// Fills, and tells the most memory that it had where it is a process of its own.
    pub(super) async fn run(
        self,
        bench: &Bench,
        database: &str,
        size: Size,
    ) -> Result<Option<f64>> {
        let text = match self {
            Tool::None => return Ok(None),
            Tool::BusyBackend => include_str!("../../backfill/busy-backend.sql"),
            Tool::GiantUpdate => include_str!("../../backfill/giant-update.sql"),
            Tool::DoLoop => include_str!("../../backfill/do-loop.sql"),
            Tool::SqlKeyset => include_str!("../../backfill/sql-keyset.sql"),
            Tool::MigrateKeyset | Tool::MigratePages | Tool::MigrateStriped => {
                return child::start(self, bench, database).await.map(Some);
            }
        };
        sql(bench, database, text, size.patience).await?;
        Ok(None)
    }
}

/// A tool that is not done in time is stopped by the server; what it has committed stays.
async fn sql(bench: &Bench, database: &str, text: &'static str, patience: Duration) -> Result<()> {
    let mut connection = bench.options(database).connect().await?;
    let timeout = format!("SET statement_timeout = {}", patience.as_millis());
    sqlx::raw_sql(AssertSqlSafe(timeout)).execute(&mut connection).await?;
    match sqlx::raw_sql(text).execute(&mut connection).await {
        Err(error) if !is_timeout(&error) => return Err(error.into()),
        _ => {}
    }
    Ok(connection.close().await?)
}

fn is_timeout(error: &sqlx::Error) -> bool {
    const QUERY_CANCELED: &str = "57014";
    error.as_database_error().and_then(|error| error.code()).as_deref() == Some(QUERY_CANCELED)
}
