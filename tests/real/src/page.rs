//! The page of the manual that says what came of the folders.
//!
//! It is made of what was found and of the page as it is written: what other servers counted stays, and what was seen
//! of a folder whose files fail on this one.

use std::path::Path;

use crate::counts::Counts;
use crate::story::Row;
use crate::{Result, say};

const HEAD: &str = "# Folders that other people wrote

<!-- Written by `cargo xtask real`, checked by `cargo xtask real --check`: do not edit. -->

Each folder comes from a package of a registry (a crate unless another is named) and is embedded by `#[derive(Migrations)]`:
unchanged, but for the three that only their own program can run as they are; what was done to those is told below. psql puts
the files on an empty database in their order, one transaction a file unless its first line says `-- no-transaction`. migrate
does the same on another one: once with its defaults, once with a transaction for each migration. Where there are ways back,
both take them, newest first, and both apply everything again. After each step the two databases have the same `pg_dump`,
schema and data (without the history of migrate, and with the times masked that a statement wrote down itself). Where there
is no way back, `revert` was refused and had changed nothing. What the macro embedded is what the reader reads at run time.

";

const COLUMNS: &str = "| package | folder | files | statements | times masked | extensions | taken back | \
    applied again | result |\n|---|---|--:|--:|--:|---|--:|---|---|\n";

const SERVERS: &str = "\n## On each PostgreSQL\n\n";

const COUNTED: &str = "All of that, on each of these versions. The numbers are what the dump holds: objects, and in \
brackets lines without\ncomments and settings. Where it says *fails*, the files cannot run there: psql and migrate stop at \
the same file, the server\nsays the same, and what ran before is equal.\n\n";

const AGAIN: &str = "\nCount them yourself: `cargo xtask real --postgres all --check` fetches the packages and the servers.\n";

const NOTES: &str = "\n## What is worth knowing of them\n";

/// The page, after a run on this major version.
pub(crate) fn text(rows: &[Row], major: u32, written: &str) -> String {
    let mut page = format!("{HEAD}{COLUMNS}");
    rows.iter().for_each(|row| page.push_str(&seen(row, written)));
    let sum = |of: fn(&Row) -> usize| rows.iter().map(of).sum::<usize>();
    let (files, statements) = (sum(|row| row.files), sum(|row| row.statements));
    page.push_str(&format!(
        "| **together** | {} | {files} | {statements} | | | | | |\n",
        rows.len()
    ));
    let counts = Counts::read(section(written, SERVERS)).with(rows, major);
    page.push_str(&format!("{SERVERS}{COUNTED}{}{AGAIN}{NOTES}", counts.table(rows)));
    rows.iter().for_each(|row| page.push_str(&notes(row, written)));
    page
}

/// Does the page say what was found?
pub(crate) fn is_fresh(file: &Path, rows: &[Row], major: u32) -> Result<bool> {
    let written = read(file);
    let page = text(rows, major, &written);
    if written != page {
        let shown = migrate_core::difference(&written, &page);
        say(&format!(
            "docs/real-folders.md says something else: run `cargo xtask real`, look, and commit it\n{shown}"
        ))?;
    }
    Ok(written == page)
}

pub(crate) fn write(file: &Path, rows: &[Row], major: u32) -> Result<bool> {
    Ok(std::fs::write(file, text(rows, major, &read(file))).map(|()| true)?)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_default() // the first time there is none
}

/// A part of the page from its heading to the next.
fn section<'p>(page: &'p str, heading: &str) -> &'p str {
    let (_, rest) = page.split_once(heading).unwrap_or_default();
    rest.split_once("\n## ").map_or(rest, |(section, _)| section)
}

/// How a folder's lines begin.
pub(crate) fn key(row: &Row) -> String {
    format!("| {} | `{}` |", row.package, row.folder)
}

fn seen(row: &Row, written: &str) -> String {
    if !row.fails {
        return cells(row);
    }
    let key = key(row);
    let kept = section(written, COLUMNS).lines().find(|line| line.starts_with(&key));
    kept.map_or_else(|| format!("{key} its files fail here |\n"), |line| format!("{line}\n"))
}

fn cells(row: &Row) -> String {
    let Row { files, statements, times, .. } = row;
    let extensions =
        if row.extensions.is_empty() { "–".to_owned() } else { row.extensions.join(", ") };
    let again = if row.reverted > 0 { "equal" } else { "nothing to do" };
    let back = match row.reverted {
        0 => "refused".to_owned(),
        some => format!("{some} of {}", row.versions),
    };
    let key = key(row);
    format!("{key} {files} | {statements} | {times} | {extensions} | {back} | {again} | equal |\n")
}

fn notes(row: &Row, written: &str) -> String {
    let heading = format!("\n**{}**, `{}`\n\n", row.package, row.folder);
    let notes: String = match row.fails {
        true => {
            let (_, rest) = written.split_once(&heading).unwrap_or_default();
            rest.lines()
                .take_while(|line| !line.is_empty())
                .map(|line| format!("{line}\n"))
                .collect()
        }
        false => row.notes.iter().map(|note| format!("- {note}\n")).collect(),
    };
    if notes.is_empty() { notes } else { heading + &notes }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(package: &str) -> Row {
        Row {
            package: package.to_owned(),
            folder: "migrations",
            files: 3,
            statements: 7,
            objects: 5,
            lines: 20,
            times: 0,
            extensions: Vec::new(),
            versions: 3,
            reverted: 0,
            fails: false,
            notes: vec![format!("There is something about {package}.")],
            failures: Vec::new(),
        }
    }

    #[test]
    fn a_second_server_adds_a_column_and_nothing_else() {
        let rows = [row("a"), row("b")];
        let first = text(&rows, 15, "");
        assert_eq!(text(&rows, 15, &first), first);
        let both = text(&rows, 13, &first);
        assert!(both.contains("| package | folder | 13 | 15 |\n|---|---|--:|--:|\n"), "{both}");
        assert_eq!(both.matches("| 5 (20) | 5 (20) |\n").count(), 2, "{both}");
        assert_eq!(text(&rows, 15, &both), both);
    }

    #[test]
    fn what_fails_here_keeps_what_was_seen_elsewhere() {
        let written = text(&[row("a"), row("b")], 15, "");
        let failing = Row { fails: true, files: 3, extensions: vec!["c".to_owned()], ..row("a") };
        let page = text(&[failing, row("b")], 13, &written);
        assert_eq!(section(&page, COLUMNS), section(&written, COLUMNS));
        assert_eq!(section(&page, NOTES), section(&written, NOTES));
        assert!(page.contains("| a | `migrations` | fails | 5 (20) |\n"), "{page}");
    }

    #[test]
    fn a_page_that_counts_otherwise_is_not_what_was_found() {
        let written = text(&[row("a")], 15, "");
        assert_ne!(text(&[Row { lines: 21, ..row("a") }], 15, &written), written);
        assert_ne!(text(&[Row { reverted: 1, ..row("a") }], 15, &written), written);
        assert_ne!(text(&[row("a")], 16, &written), written);
    }
}
