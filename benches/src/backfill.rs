//! How fast a new column of a large table is filled, and what an application feels of it meanwhile.
//!
//! Each tool makes the same change to a fresh copy of the same table, under the same load, which is
//! looked at alone before. Owns the story and the names
//! of the figures. Who loads, who fills and what the table is are rooms below.

mod child;
mod load;
mod table;
mod tool;

use std::time::Duration;

use sqlx::{ConnectOptions, Connection};

use crate::figures::{Figures, Key};
use crate::server::Bench;
use crate::{Result, progress};

use load::{Latencies, Load};
use table::Mark;

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
/// The share of the machine's processors that neither the server had nor who fills or loads: where it is not small, the
/// latencies are others' doing.
pub const OTHERS: &str = "others_cpu_share";
/// The rows of the table.
pub const ROWS: &str = "rows";

/// How large a measurement is.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    rows: i64,
    /// How often every tool has its turn.
    rounds: usize,
    /// How long the load is looked at before a fill.
    alone: Duration,
    /// How long a tool in SQL may take: several times what it needs where nobody else is at work.
    patience: Duration,
}

/// The one that counts.
pub const FULL: Size = Size {
    rows: 5_000_000,
    rounds: 1,
    alone: Duration::from_secs(10),
    patience: Duration::from_secs(300),
};
/// For a look meanwhile.
pub const QUICK: Size = Size {
    rows: 500_000,
    rounds: 2,
    alone: Duration::from_secs(2),
    patience: Duration::from_secs(60),
};

/// The load runs this long before it is looked at.
const WARM_UP: Duration = Duration::from_secs(1);

/// The figure of a tool.
pub fn key(measure: &'static str, tool: Tool) -> Key {
    Key { measure, tool: tool.name(), mode: "under load", migrations: 1 }
}

/// Measures every tool, who take turns; the load alone is looked at before each. Did all of them do their work? Of one
/// that did not nothing is noted, and it has no further turn.
///
/// # Errors
/// When the load meets an error, or the server does.
pub async fn measure(figures: &mut Figures, bench: &Bench, size: Size) -> Result<bool> {
    let table = table::make(bench, size.rows).await?;
    let mut tools = Tool::TAKE_TURNS.to_vec();
    for _ in 0..size.rounds {
        if tools.is_empty() {
            break;
        }
        let mut alone = Stretch::default();
        for tool in tools.clone() {
            let Turn { before, filled } = turn(bench, &table, tool, size).await?;
            alone.add(before);
            match filled {
                Ok(filled) => filled.note(figures, tool, size.rows),
                Err(reason) => {
                    progress(&format!("{} FAILED: {reason}", tool.name()));
                    tools.retain(|other| *other != tool);
                }
            }
        }
        figures.add(key(ROWS, Tool::None), size.rows as f64);
        alone.note(figures, Tool::None);
    }
    for tool in Tool::ALL {
        figures.compare(key(SPEED, tool), key(SPEED, Tool::GiantUpdate));
        figures.compare(key(P99, tool), key(P99, Tool::None));
        figures.compare(key(WAL, tool), key(WAL, Tool::SqlKeyset));
    }
    Ok(tools.len() == Tool::TAKE_TURNS.len())
}

/// What went on in some time.
#[derive(Default)]
struct Stretch {
    took: Duration,
    load: Latencies,
    wal: f64,
    heap: f64,
    index: f64,
    /// The share of the machine that others had.
    others: f64,
}

impl Stretch {
    fn between(from: &Mark, until: &Mark, load: Latencies) -> Self {
        Self {
            took: until.at - from.at,
            load,
            wal: until.wal - from.wal,
            heap: until.heap - from.heap,
            index: until.index - from.index,
            others: until.processors.others_since(from.processors),
        }
    }

    fn add(&mut self, other: Self) {
        let (here, there) = (self.took.as_secs_f64(), other.took.as_secs_f64());
        self.others = (self.others * here + other.others * there) / (here + there);
        self.took += other.took;
        self.load.add(other.load);
        self.wal += other.wal;
        self.heap += other.heap;
        self.index += other.index;
    }

    fn note(&self, figures: &mut Figures, tool: Tool) {
        let Self { took, load, wal, heap, index, others } = self;
        let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| load.share(share));
        let measures = [P50, P99, MAX, WAL, HEAP, INDEX, OTHERS];
        for (measure, value) in
            measures.into_iter().zip([p50, p99, max, *wal, *heap, *index, *others])
        {
            figures.add(key(measure, tool), value);
        }
        progress(&format!(
            "{}: {:.1} s, {:.0} MB of WAL; {} statements, p99 {p99:.2} ms, at most {max:.1} ms; others had {:.0} % of the machine",
            tool.name(),
            took.as_secs_f64(),
            wal / 1e6,
            load.count(),
            others * 100.0,
        ));
    }
}

/// A fill that came to its end.
struct Filled {
    stretch: Stretch,
    /// Rows that are not as they should be.
    left: i64,
    /// Of a tool that is a process of its own.
    peak: Option<f64>,
}

impl Filled {
    fn note(&self, figures: &mut Figures, tool: Tool, rows: i64) {
        self.stretch.note(figures, tool);
        if !tool.fills() {
            return;
        }
        let done = rows.saturating_sub(self.left) as f64;
        let speed = done / self.stretch.took.as_secs_f64();
        progress(&format!("  {speed:.0} rows/s, {} rows left", self.left));
        let mut add = |measure, value| figures.add(key(measure, tool), value);
        add(ROWS, rows as f64);
        add(SPEED, speed);
        add(FILLED, done / rows as f64);
        if let Some(peak) = self.peak {
            add(PEAK, peak);
        }
    }
}

struct Turn {
    /// The load alone.
    before: Stretch,
    /// The error is the tool's own: others may still have their turn.
    filled: std::result::Result<Filled, String>,
}

async fn turn(bench: &Bench, table: &str, tool: Tool, size: Size) -> Result<Turn> {
    let database = bench.copy(table).await?;
    let options = bench.options(&database);
    let mut eye = options.connect().await?;
    let load = Load::start(&options, size.rows)?;
    tokio::time::sleep(WARM_UP).await;
    let first = table::mark(&mut eye).await?;
    tokio::time::sleep(size.alone).await;
    let began = table::mark(&mut eye).await?;
    let end = tool.run(bench, &database, size).await;
    let done = table::mark(&mut eye).await?;
    let statements = load.stop(done.at)?;
    let left = table::left(&mut eye).await?;
    eye.close().await?;
    bench.drop(&database).await?;
    let before = Stretch::between(&first, &began, statements.within(first.at..began.at));
    let stretch = Stretch::between(&began, &done, statements.within(began.at..done.at));
    let filled = match end {
        Err(error) => Err(error.to_string()),
        Ok(_) if left > 0 && !tool.may_leave_rows() => {
            Err(format!("not filled, {left} rows are left"))
        }
        Ok(peak) => Ok(Filled { stretch, left, peak }),
    };
    Ok(Turn { before, filled })
}
