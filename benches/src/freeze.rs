//! How long an application stands still while a table that it uses is altered and somebody reads it for long.
//!
//! PostgreSQL queues: an ALTER that waits for a long reader makes everybody wait who comes after it. Each kind of ALTER
//! is migrated by each tool, on a database of its own, under a load, a second after somebody began to hold the
//! table; and once more where nobody does. Owns the story and the names of the figures. Who loads, who holds and who
//! migrates are rooms below.

mod holder;
mod kind;
mod load;
mod tool;

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, ConnectOptions};

use crate::figures::{Figures, Key};
use crate::server::Bench;
use crate::{Result, progress};

use holder::Holder;
use load::{Load, Stalls};

pub use kind::{KINDS, Kind};
pub use tool::Tool;

/// The mode under which all kinds of ALTER stand together.
pub const EVERY: &str = "every ALTER";
/// The longest statement of the load.
pub const STALL: &str = "max_stall_ms";
/// The longest time in which no statement of the load came to its end.
pub const GAP: &str = "longest_gap_ms";
/// From the end of the reader until the ALTER was done.
pub const DONE: &str = "done_after_reader_ms";
/// As [`STALL`], where nobody reads.
pub const ALONE: &str = "max_stall_without_reader_ms";
/// How long the reader still held the table when the tool began.
pub const READER: &str = "reader_ms";
/// 1 where the ALTER was there in the end, else 0.
pub const SUCCEEDED: &str = "succeeded";

/// From the reader's first row to the start of the tool; the time of the reader counts from there.
const HEAD_START: Duration = Duration::from_secs(1);
/// How long a tool may go on when the reader has gone, before it counts as one that did not succeed.
const PATIENCE: Duration = Duration::from_secs(90);
/// The load runs this long before and after everything.
const MARGIN: Duration = Duration::from_millis(500);

/// The figure of a tool; `mode` is the name of a kind, or [`EVERY`].
pub fn key(measure: &'static str, tool: Tool, mode: &'static str) -> Key {
    Key { measure, tool: tool.name(), mode, migrations: 1 }
}

/// Measures every kind with every tool, who take turns.
///
/// # Errors
/// When the load meets an error, or a tool one that does not come from waiting.
pub async fn measure(figures: &mut Figures, bench: &Bench, reads: Duration) -> Result<()> {
    for kind in &KINDS {
        for tool in Tool::ALL {
            let alone = one(bench, tool, kind, None).await?;
            add(figures, ALONE, tool, kind, millis(alone.stalls.longest));
        }
        for tool in Tool::ALL {
            let held = one(bench, tool, kind, Some(reads)).await?;
            held.tell(tool, kind);
            add(figures, STALL, tool, kind, millis(held.stalls.longest));
            add(figures, GAP, tool, kind, millis(held.stalls.gap));
            add(figures, READER, tool, kind, millis(held.reader));
            add(figures, SUCCEEDED, tool, kind, f64::from(u8::from(held.succeeded)));
            if held.succeeded {
                add(figures, DONE, tool, kind, held.done_after);
            }
            for mode in [EVERY, kind.name] {
                figures.compare(key(STALL, tool, mode), key(READER, tool, mode));
            }
        }
    }
    Ok(())
}

fn add(figures: &mut Figures, measure: &'static str, tool: Tool, kind: &Kind, value: f64) {
    for mode in [EVERY, kind.name] {
        figures.add(key(measure, tool, mode), value);
    }
}

/// What one ALTER did.
struct Outcome {
    stalls: Stalls,
    /// How long the table was held since the tool began.
    reader: Duration,
    /// In milliseconds; less than nothing where the tool did not wait.
    done_after: f64,
    succeeded: bool,
}

impl Outcome {
    fn tell(&self, tool: Tool, kind: &Kind) {
        let end = match self.succeeded {
            true => format!("done {:.0} ms after the reader's end", self.done_after),
            false => "not done".to_owned(),
        };
        let stall = millis(self.stalls.longest);
        progress(&format!("{} by {}: {stall:.0} ms of stall, {end}", kind.name, tool.name()));
    }
}

async fn one(bench: &Bench, tool: Tool, kind: &Kind, reads: Option<Duration>) -> Result<Outcome> {
    let database = bench.create().await?;
    let options = bench.options(&database);
    tool.prepare(bench, &database, kind).await?;
    let load = Load::start(options.clone())?;
    tokio::time::sleep(MARGIN).await;
    let holder = match reads {
        Some(reads) => Some(Holder::begin(&options, kind.holds, HEAD_START + reads).await?),
        None => None,
    };
    if holder.is_some() {
        tokio::time::sleep(HEAD_START).await;
    }
    let patience = reads.unwrap_or_default() + PATIENCE;
    let began = Instant::now();
    let end = tokio::time::timeout(patience, tool.run(bench, &database, kind)).await;
    let done = Instant::now();
    let ended = match holder {
        Some(holder) => holder.ended().await?,
        None => began,
    };
    tokio::time::sleep(MARGIN).await;
    let stalls = load.stop()?;
    match end {
        Ok(Ok(())) => {}
        Ok(Err(error)) => progress(&format!("{} says: {error}", tool.name())),
        Err(_) => progress(&format!("{} did not end", tool.name())),
    }
    let mut connection = options.connect().await?;
    let there = sqlx::query_scalar(AssertSqlSafe(kind.proof)).fetch_one(&mut connection).await?;
    let done_after = millis(done.saturating_duration_since(ended))
        - millis(ended.saturating_duration_since(done));
    Ok(Outcome { stalls, reader: ended - began, done_after, succeeded: there })
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
