//! What an application feels of an ALTER: a row for each kind, a column for each tool.
//!
//! Owns the words around the table. The figures are named by whoever measures them.

use super::table;
use crate::figures::Figures;
use crate::freeze::{ALONE, DONE, EVERY, KINDS, READER, STALL, SUCCEEDED, Tool, key};

const HEAD: &str = "
## Altering a table that is in use

An application writes, reads and logs on four connections. A transaction that uses the table does not end for a while,
and a second after it began the table is altered: by migrate with the settings that it comes with, by sqlx and by `psql -f`,
each on a database of its own. What counts is the longest that any statement of the application took, in ms: the ALTER waits
for the long transaction, and everybody else for the ALTER. A long reader is in the way of what locks everybody out;
for the foreign key and the trigger, which readers do not mind, it has also written a row that nobody else wants.

| | migrate | sqlx | psql |
|---|---:|---:|---:|
";

/// The section.
pub(super) fn render(figures: &Figures) -> String {
    let kinds = KINDS.iter().map(|kind| row(figures, kind.name, STALL, kind.name));
    let others = [
        ("all of them, the median", STALL),
        ("the same where nobody holds the table", ALONE),
        ("how long the transaction went on meanwhile", READER),
        ("from its end until the ALTER was done", DONE),
    ];
    let others = others.into_iter().map(|(what, measure)| row(figures, what, measure, EVERY));
    let done = cells(|tool| {
        let (done, of) = figures.total(key(SUCCEEDED, tool, EVERY))?;
        Some(format!("{done} of {of}"))
    });
    let rows: String = kinds.chain(others).collect();
    format!("{HEAD}{rows}| ALTERs that were done in the end | {done} |\n")
}

fn row(figures: &Figures, what: &str, measure: &'static str, mode: &'static str) -> String {
    let cells = cells(|tool| figures.median(key(measure, tool, mode)).map(table::number));
    format!("| {what} | {cells} |\n")
}

fn cells(cell: impl Fn(Tool) -> Option<String>) -> String {
    let cells = Tool::ALL.map(|tool| cell(tool).unwrap_or_else(|| table::NOT_MEASURED.to_owned()));
    cells.join(" | ")
}
