//! A backfill that is tried: its batches in the transaction of somebody who takes all of it back.
//!
//! Owns what of a backfill takes time: both passes over the rows, what is verified in the end and the proof. Where it is
//! is left nowhere, and nobody rests in between. What the numbers are good for is the rehearsal's to know.

use std::sync::Arc;
use std::time::{Duration, Instant};

use migrate_core::Backfill as Declared;
use migrate_core::sql::quote;
use sqlx::PgConnection;

use super::Backfill;
use super::batch::AS_A_BATCH;
use super::change::{Change, change};
use super::ground::Ground;
use super::rows::Next;
use super::state::Range;
use super::statements::{ADD_PROOF, HOLDS, VALIDATE_PROOF};
use crate::error::{BoxError, Error};
use crate::sql;
use crate::wire::{rows, send, text};

/// What it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rehearsed {
    pub(crate) first: Duration,
    pub(crate) second: Duration,
    /// Conditions, and the scan of the proof.
    pub(crate) verified: Duration,
    /// Until the proof was there, with everybody kept out.
    pub(crate) proof: Option<Duration>,
    /// The batch that took longest.
    pub(crate) longest: Duration,
}

/// Why it did not come to its end.
pub(crate) enum Broken {
    Ours(Box<Error>),
    Code(BoxError),
}

impl From<Error> for Broken {
    fn from(error: Error) -> Self {
        Broken::Ours(Box::new(error))
    }
}

impl From<sqlx::Error> for Broken {
    fn from(error: sqlx::Error) -> Self {
        Broken::Code(Box::new(error))
    }
}

impl From<Change> for Broken {
    fn from(change: Change) -> Self {
        match change {
            Change::Driver(error) => error.into(),
            Change::Code(error) => Broken::Code(error),
        }
    }
}

/// A batch is as large as the declaration says, up to this many rows.
const LARGEST: u32 = 20_000;

/// Goes through the table twice, and verifies. `direct` says conditions of what is there.
pub(crate) async fn rehearse(
    connection: &mut PgConnection,
    backfill: &Declared,
    code: Option<&Arc<dyn Backfill>>,
    direct: impl Fn(&str) -> String,
) -> Result<Rehearsed, Broken> {
    let ground = Ground::look(connection, "", backfill).await?;
    let mut done = Rehearsed::default();
    let work = Work { ground: &ground, backfill, code };
    (done.first, done.longest) = work.pass(connection, 1).await?;
    done.second = work.pass(connection, 2).await?.0;
    let header = backfill.header();
    let began = Instant::now();
    for condition in &header.verify {
        let condition = direct(condition);
        send(connection, sql::fill(HOLDS, &[("condition", &condition)])).await?;
    }
    if let Some(condition) = &header.prove {
        done.proof = Some(work.prove(connection, &direct(condition)).await?);
    }
    done.verified = began.elapsed();
    Ok(done)
}

struct Work<'w> {
    ground: &'w Ground,
    backfill: &'w Declared,
    code: Option<&'w Arc<dyn Backfill>>,
}

impl Work<'_> {
    /// All batches; how long they took and how long the slowest.
    async fn pass(
        &self,
        connection: &mut PgConnection,
        pass: i64,
    ) -> Result<(Duration, Duration), Broken> {
        let (mut all, mut longest) = (Duration::ZERO, Duration::ZERO);
        let size = self.ground.batch.min(LARGEST);
        for part in &self.ground.parts {
            let mut range = Range::whole(part);
            loop {
                let began = Instant::now();
                let Some(next) = self.next(connection, &range, size, pass).await? else { break };
                change(connection, self.backfill, self.code, &next.rows).await?;
                all += began.elapsed();
                longest = longest.max(began.elapsed());
                range.go_behind(&next);
                if next.is_last {
                    break;
                }
            }
        }
        Ok((all, longest))
    }

    async fn next(
        &self,
        connection: &mut PgConnection,
        range: &Range,
        size: u32,
        pass: i64,
    ) -> Result<Option<Next>, sqlx::Error> {
        let look = self.ground.look_for_next(range, size);
        let back = "SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT";
        let found = rows(connection, format!("{AS_A_BATCH}{look} {back}")).await?;
        let mut found = found.iter().filter(|row| text(row, "set_config").is_none());
        Ok(found.next().and_then(|row| self.ground.next(range, row, size, pass == 1)))
    }

    /// Adds the constraint and has it validated; how long everybody was kept out.
    async fn prove(
        &self,
        connection: &mut PgConnection,
        condition: &str,
    ) -> Result<Duration, sqlx::Error> {
        let name = quote::Ident::new("migrate_proof").map(|name| name.to_string());
        let name = name.unwrap_or_default();
        let mut closed = Duration::ZERO;
        for part in &self.ground.parts {
            let values = [("relation", &**part), ("name", &*name), ("condition", condition)];
            let began = Instant::now();
            send(connection, sql::fill(ADD_PROOF, &values)).await?;
            closed = closed.max(began.elapsed());
            send(connection, sql::fill(VALIDATE_PROOF, &values)).await?;
        }
        Ok(closed)
    }
}
