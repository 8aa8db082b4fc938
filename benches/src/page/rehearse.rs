//! Whether a rehearsal says beforehand what a migration takes: a row for each step.
//!
//! Owns the words around the table. The figures are named by whoever measures them.

use super::table;
use crate::figures::Figures;
use crate::rehearse::{PREDICTED, PREDICTED_WAL, REAL, REAL_WAL, REHEARSAL, key, steps};

const HEAD: &str = "
## What a rehearsal says, and what then happens

A table is filled, everything is rehearsed on samples of it in transactions that are taken back, and then it is done. The
times are predicted for the whole table, from what the samples took.
";

const TABLE: &str = "
| | predicted, s | real, s | predicted WAL, MB | real WAL, MB |
|---|---:|---:|---:|---:|
";

/// The section.
pub(super) fn render(figures: &Figures) -> String {
    let shown = |measure, step| {
        let found = figures.median(key(measure, step));
        found.map_or_else(|| table::NOT_MEASURED.to_owned(), table::number)
    };
    let rows: String = steps()
        .map(|step| {
            let cells = [PREDICTED, REAL, PREDICTED_WAL, REAL_WAL].map(|of| shown(of, step));
            format!("| {step} | {} |\n", cells.join(" | "))
        })
        .collect();
    let took = shown(REHEARSAL, "everything");
    format!("{HEAD}The rehearsal took, in s: {took}.\n{TABLE}{rows}")
}
