//! What came of the folders, for people: a line each on the terminal, and a page of the manual.

use std::path::Path;

use crate::story::Row;
use crate::{Result, say};

/// A line for the terminal.
pub(crate) fn line(row: &Row) -> String {
    let result = if row.failures.is_empty() { "equal" } else { "DIFFERENT" };
    format!(
        "{:<30} {:<36} {:>3} files {:>4} statements {:>4} objects {:>5} lines {:>2} times {:>2} of {:>2} reverted  {result}",
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

const HEAD: &str = "# Folders that other people wrote

<!-- Written by `cargo xtask real`, checked by `cargo xtask real --check`: do not edit. -->

Each folder comes from a package of the registry, unchanged, and is embedded by `#[derive(Migrations)]`. psql puts its
files on an empty database in their order, one transaction a file unless its first line says `-- no-transaction`. migrate
does the same on another one: once with its defaults, once with a transaction for each migration. Where there are ways back,
both take them, newest first, and both apply everything again. After each step the two databases have the same `pg_dump`,
schema and data (without the history of migrate, and with the times masked that a statement wrote down itself). Where there
is no way back, `revert` was refused and had changed nothing. What the macro embedded is what the reader reads at run time.

";

const COLUMNS: &str = "| package | folder | files | statements | objects in the dump | lines of the dump | times masked | \
    extensions | taken back | applied again | result |\n|---|---|--:|--:|--:|--:|--:|---|--:|---|---|\n";

/// The page of the manual.
pub(crate) fn page(rows: &[Row], major: u32) -> String {
    let mut page = format!("{HEAD}{}\n\n{COLUMNS}", server(major));
    rows.iter().for_each(|row| page.push_str(&cells(row)));
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    page.push_str(&format!(
        "| **together** | {} | {} | {} | {} | {} | {} | | {} of {} | | |\n\n## What is worth knowing of them\n",
        rows.len(),
        sum(|row| row.files),
        sum(|row| row.statements),
        sum(|row| row.objects),
        sum(|row| row.lines),
        sum(|row| row.times),
        sum(|row| row.reverted),
        sum(|row| row.versions),
    ));
    for row in rows.iter().filter(|row| !row.notes.is_empty()) {
        page.push_str(&format!("\n**{}**, `{}`\n\n", row.package, row.folder));
        row.notes.iter().for_each(|note| page.push_str(&format!("- {note}\n")));
    }
    page
}

fn server(major: u32) -> String {
    format!("Counted on PostgreSQL {major}.")
}

fn cells(row: &Row) -> String {
    let Row { package, folder, files, statements, objects, lines, times, .. } = row;
    let extensions =
        if row.extensions.is_empty() { "–".to_owned() } else { row.extensions.join(", ") };
    let again = if row.reverted > 0 { "equal" } else { "nothing to do" };
    let back = match row.reverted {
        0 => "refused".to_owned(),
        some => format!("{some} of {}", row.versions),
    };
    format!(
        "| {package} | `{folder}` | {files} | {statements} | {objects} | {lines} | {times} | {extensions} | {back} | {again} | equal |\n"
    )
}

/// Does the page say what was found? Another PostgreSQL counts its dumps differently.
pub(crate) fn is_fresh(file: &Path, page: &str, major: u32) -> Result<bool> {
    let written = std::fs::read_to_string(file).unwrap_or_default();
    let comparable = |text: &str| match written.contains(&server(major)) {
        true => text.to_owned(),
        false => text.lines().map(without_counts).collect(),
    };
    let (written, page) = (comparable(&written), comparable(page));
    if written != page {
        let shown = migrate_core::difference(&written, &page);
        say(&format!(
            "docs/real-folders.md says something else: run `cargo xtask real`, look, and commit it\n{shown}"
        ))?;
    }
    Ok(written == page)
}

/// A line of the page without what depends on the server.
fn without_counts(line: &str) -> String {
    if line.starts_with("Counted on ") {
        return String::new();
    }
    let counted = [5, 6].into_iter();
    let is_counted =
        |nth: usize| line.starts_with('|') && counted.clone().any(|other| other == nth);
    let cells = line.split('|').enumerate().filter(|(nth, _)| !is_counted(*nth));
    cells.map(|(_, cell)| format!("{cell}|")).chain(["\n".to_owned()]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_server_counts_its_dumps_differently() {
        let line = "| a | b | 1 | 2 | 3 | 4 | 0 | – | 1 of 1 | equal | equal |";
        let other = line.replace("| 3 | 4 |", "| 5 | 6 |");
        assert_eq!(without_counts(line), without_counts(&other));
        assert_ne!(without_counts(line), without_counts(&line.replace("| 1 | 2 |", "| 1 | 3 |")));
        assert_eq!(without_counts("Counted on PostgreSQL 15."), "");
    }
}
