//! How fast a new column of a large table is filled, and what an application feels of it meanwhile.
//!
//! Each tool makes the same change to a fresh copy of the same table, under the same load. Owns the story and the names
//! of the figures. Who loads, who fills and what the table is are rooms below.

mod child;
mod load;
mod table;
mod tool;

use std::time::{Duration, Instant};

use sqlx::{ConnectOptions, Connection};

use crate::figures::{Figures, Key};
use crate::server::Bench;
use crate::{Result, progress};

use load::{Latencies, Load};
use table::Sizes;

pub use child::child;
pub use tool::Tool;

/// Rows filled in a second, from the start of the tool until it says that it is done.
pub const SPEED: &str = "rows_per_second";
/// The share of the rows that are as they should be in the end.
pub const FILLED: &str = "filled_share";
/// The middle one of the load's statements.
pub const P50: &str = "load_p50_ms";
/// 99 of 100 of the load's statements took no longer.
pub const P99: &str = "load_p99_ms";
/// The longest of the load's statements.
pub const MAX: &str = "load_max_ms";
/// What was written to the WAL meanwhile, by everybody.
pub const WAL: &str = "wal_bytes";
/// By how much the table grew.
pub const HEAP: &str = "heap_bytes";
/// By how much its indexes grew.
pub const INDEX: &str = "index_bytes";
/// The most memory that the runner had; only of tools that are a process.
pub const PEAK: &str = "peak_rss_bytes";
/// The rows of the table.
pub const ROWS: &str = "rows";

/// How large a measurement is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    rows: i64,
    /// How often every tool has its turn.
    rounds: usize,
    /// How long the load is looked at where nobody fills anything.
    alone: Duration,
    /// How long a tool may take.
    patience: Duration,
}

/// The one that counts.
pub const FULL: Size = Size {
    rows: 5_000_000,
    rounds: 1,
    alone: Duration::from_secs(60),
    patience: Duration::from_secs(150),
};
/// For a look meanwhile.
pub const QUICK: Size = Size {
    rows: 500_000,
    rounds: 1,
    alone: Duration::from_secs(10),
    patience: Duration::from_secs(30),
};

/// The load runs this long before a tool begins.
const WARM_UP: Duration = Duration::from_secs(2);

/// The figure of a tool.
pub fn key(measure: &'static str, tool: Tool) -> Key {
    Key { measure, tool: tool.name(), mode: "under load", migrations: 1 }
}

/// Measures every tool, who take turns. Did all of them do their work? Of one that did not nothing is noted, and it
/// has no further turn.
///
/// # Errors
/// When the load meets an error, or the server does.
pub async fn measure(figures: &mut Figures, bench: &Bench, size: Size) -> Result<bool> {
    let table = table::make(bench, size.rows).await?;
    let mut tools = Tool::ALL.to_vec();
    for _ in 0..size.rounds {
        for tool in tools.clone() {
            match one(bench, &table, tool, size).await? {
                Ok(outcome) => {
                    outcome.tell(tool, size.rows);
                    outcome.note(figures, tool, size.rows);
                }
                Err(reason) => {
                    progress(&format!("{} FAILED: {reason}", tool.name()));
                    tools.retain(|other| *other != tool);
                }
            }
        }
    }
    for tool in Tool::ALL {
        figures.compare(key(SPEED, tool), key(SPEED, Tool::GiantUpdate));
        figures.compare(key(P99, tool), key(P99, Tool::None));
        figures.compare(key(WAL, tool), key(WAL, Tool::SqlKeyset));
    }
    Ok(tools.len() == Tool::ALL.len())
}

/// What one fill did.
struct Outcome {
    took: Duration,
    /// Rows that are not as they should be.
    left: i64,
    load: Latencies,
    wal: f64,
    grown: Sizes,
    /// Of a tool that is a process of its own.
    peak: Option<f64>,
}

impl Outcome {
    fn note(&self, figures: &mut Figures, tool: Tool, rows: i64) {
        let mut add = |measure, value| figures.add(key(measure, tool), value);
        add(ROWS, rows as f64);
        if tool != Tool::None {
            add(SPEED, self.speed(rows));
            add(FILLED, self.filled(rows) / rows as f64);
        }
        add(P50, self.load.share(0.5));
        add(P99, self.load.share(0.99));
        add(MAX, self.load.share(1.0));
        add(WAL, self.wal);
        add(HEAP, self.grown.heap);
        add(INDEX, self.grown.index);
        if let Some(peak) = self.peak {
            add(PEAK, peak);
        }
    }

    fn filled(&self, rows: i64) -> f64 {
        rows.saturating_sub(self.left) as f64
    }

    fn speed(&self, rows: i64) -> f64 {
        self.filled(rows) / self.took.as_secs_f64()
    }

    fn tell(&self, tool: Tool, rows: i64) {
        let Self { took, left, load, wal, .. } = self;
        let (p99, max, wal) = (load.share(0.99), load.share(1.0), wal / 1e6);
        progress(&format!(
            "{}: {:.1} s, {:.0} rows/s, {left} rows left, {wal:.0} MB of WAL, p99 {p99:.1} ms and at most {max:.1} ms of {} statements",
            tool.name(),
            took.as_secs_f64(),
            self.speed(rows),
            load.count(),
        ));
    }
}

/// The inner error is the tool's own: others may still have their turn.
async fn one(
    bench: &Bench,
    table: &str,
    tool: Tool,
    size: Size,
) -> Result<std::result::Result<Outcome, String>> {
    let database = bench.copy(table).await?;
    let options = bench.options(&database);
    let mut eye = options.connect().await?;
    let before = table::sizes(&mut eye).await?;
    let load = Load::start(&options, size.rows)?;
    tokio::time::sleep(WARM_UP).await;
    let written = table::written(&mut eye).await?;
    let began = Instant::now();
    let end = tool.run(bench, &database, size).await;
    let done = Instant::now();
    let wal = table::written(&mut eye).await? - written;
    let load = load.stop(began, done)?;
    let after = table::sizes(&mut eye).await?;
    let left = table::left(&mut eye).await?;
    eye.close().await?;
    bench.drop(&database).await?;
    let peak = match end {
        Ok(peak) => peak,
        Err(error) => return Ok(Err(error.to_string())),
    };
    if left > 0 && !tool.may_leave_rows() {
        return Ok(Err(format!("not filled, {left} rows are left")));
    }
    let grown = Sizes { heap: after.heap - before.heap, index: after.index - before.index };
    Ok(Ok(Outcome { took: done - began, left, load, wal, grown, peak }))
}
