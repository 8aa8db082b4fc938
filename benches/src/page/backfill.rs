//! How fast a column is filled and what an application feels of it: a row for each measure, a column for each tool.
//!
//! Owns the words around the table. The figures are named by whoever measures them.

use super::table;
use crate::backfill::{
    FILLED, HEAP, INDEX, MAX, OTHERS, P50, P99, PEAK, ROWS, SPEED, Tool, WAL, key,
};
use crate::figures::Figures;

use Cell::{Figure, Megabytes, Ratio};

const HEAD: &str = "
## Filling a column of a table that is in use

`UPDATE accounts SET email_lower = lower(email)`, on a fresh copy of the same table for each: about 130 bytes a row, a
key of bigint and two more indexes, one of them in no order of the rows; the default fillfactor, autovacuum on. An
application has eight connections and sends 400 statements a second, whatever becomes of them: of ten, five read a row
by its key, four update one, one inserts. How long a statement took counts from the moment at which it was due, so
that those are late too which could not be sent because all connections waited; all that were due during the fill
count.

`none` is the load alone, for a while before each of the others. `busy-backend` fills nothing: one more session computes
for 20 ms, pauses for 4, and again, without a look at the table. What the load feels of it is the processors' doing and
the kernel's, who let a session that waits have its turn some milliseconds later; on a machine with few processors, no
fill that computes as long can be felt much less. `giant-update` is that one statement. `do-loop` takes
any 1,000 rows with `LIMIT \u{2026} FOR UPDATE SKIP LOCKED` until there are none, as tutorials show; `sql-keyset` goes
along the key, 5,000 rows a transaction, without a pause: both are loops in PL/pgSQL. migrate goes along the key
(`by id`), along the pages (`by ctid`) and along the pages in stripes (`by ctid stripes 16`), with the settings that it
comes with; its time is that of its process. WAL is what everybody wrote meanwhile, the load too, from which nothing
is taken off. Where others had more than a few hundredths of the machine, the latencies are theirs as much as the
tool's.
";

/// What a figure is divided by to be shown: bytes as MB.
const MB: f64 = 1e6;

enum Cell {
    Figure(&'static str),
    Megabytes(&'static str),
    /// Of the figure of another tool.
    Ratio(&'static str, Tool),
}

const MEASURES: [(&str, Cell); 14] = [
    ("rows a second", Figure(SPEED)),
    ("times `giant-update`", Ratio(SPEED, Tool::GiantUpdate)),
    ("share of the rows that were done in the end", Figure(FILLED)),
    ("p50 of the load, ms", Figure(P50)),
    ("p99 of the load, ms", Figure(P99)),
    ("times `none`", Ratio(P99, Tool::None)),
    ("times `busy-backend`", Ratio(P99, Tool::BusyBackend)),
    ("the longest of the load, ms", Figure(MAX)),
    ("WAL, MB", Megabytes(WAL)),
    ("times `sql-keyset`", Ratio(WAL, Tool::SqlKeyset)),
    ("growth of the table, MB", Megabytes(HEAP)),
    ("growth of its indexes, MB", Megabytes(INDEX)),
    ("peak memory of the runner, MB", Megabytes(PEAK)),
    ("share of the machine that others had", Figure(OTHERS)),
];

/// The section.
pub(super) fn render(figures: &Figures) -> String {
    let names = Tool::ALL.map(Tool::name).join(" | ");
    let rows = figures.most(key(ROWS, Tool::None));
    let rows = rows.map_or_else(|| table::NOT_MEASURED.to_owned(), |rows| format!("{rows}"));
    let head = format!(
        "{HEAD}\nRows of the table: {rows}.\n\n| | {names} |\n|---|{}\n",
        "---:|".repeat(Tool::ALL.len())
    );
    let body: String = MEASURES.iter().map(|(what, cell)| row(figures, what, cell)).collect();
    head + &body
}

fn row(figures: &Figures, what: &str, cell: &Cell) -> String {
    let cells = Tool::ALL.map(|tool| match cell.of(figures, tool) {
        Some(found) => table::number(found),
        None if cell.is_of(tool) => table::NOT_MEASURED.to_owned(),
        None => String::new(),
    });
    format!("| {what} | {} |\n", cells.join(" | "))
}

impl Cell {
    /// Can the tool have such a figure? Nobody fills nothing, and only ours is a process.
    fn is_of(&self, tool: Tool) -> bool {
        match self {
            Figure(SPEED | FILLED) | Ratio(SPEED, _) => tool.fills(),
            Megabytes(PEAK) => Tool::OURS.contains(&tool),
            _ => true,
        }
    }

    fn of(&self, figures: &Figures, tool: Tool) -> Option<f64> {
        match self {
            Figure(measure) => figures.median(key(measure, tool)),
            Megabytes(measure) => figures.median(key(measure, tool)).map(|bytes| bytes / MB),
            Ratio(measure, to) => figures.ratio(key(measure, tool), key(measure, *to)),
        }
    }
}
