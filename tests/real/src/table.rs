//! What came of the folders, for people at a terminal: a line each.

use crate::story::Row;
use crate::{Result, say};

pub(crate) fn line(row: &Row) -> String {
    let result = match (row.failures.is_empty(), row.fails) {
        (false, _) => "DIFFERENT",
        (true, true) => "fails alike",
        (true, false) => "equal",
    };
    format!(
        "{:<33} {:<36} {:>3} files {:>4} statements {:>4} objects {:>5} lines {:>2} times {:>2} of {:>2} reverted  {result}",
        row.package,
        row.folder,
        row.files,
        row.statements,
        row.objects,
        row.lines,
        row.times,
        row.reverted,
        row.versions,
    )
}

/// With a statement more for psql: was it seen everywhere?
pub(crate) fn all_found_out(rows: &[Row]) -> Result<bool> {
    let missed: Vec<_> = rows.iter().filter(|row| !is_found_out(row)).collect();
    for row in &missed {
        say(&format!("not found out: {} {}", row.package, row.folder))?;
    }
    say(&format!("{} of {} found out", rows.len() - missed.len(), rows.len()))?;
    Ok(missed.is_empty() && !rows.is_empty())
}

fn is_found_out(row: &Row) -> bool {
    row.failures.iter().any(|failure| failure.contains("this_is_found_out"))
}
