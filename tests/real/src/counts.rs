//! The table of what the dumps hold, a column for each PostgreSQL. A run knows one of them; the others are read from
//! the page.

use std::collections::{BTreeMap, BTreeSet};

use crate::page::key;
use crate::story::Row;

/// Cells by the beginning of their line and their major version.
#[derive(Default)]
pub(crate) struct Counts(BTreeMap<(String, u32), String>);

impl Counts {
    /// From the lines of the table as they are written.
    pub(crate) fn read(written: &str) -> Self {
        let mut lines = written.lines().filter(|line| line.starts_with('|')).map(cells);
        let head = lines.next().unwrap_or_default();
        let majors: Vec<_> = head.iter().skip(2).map(|major| major.parse::<u32>().ok()).collect();
        let mut all = Self::default();
        for line in lines {
            let [package, folder, counted @ ..] = &line[..] else { continue };
            let counted =
                majors.iter().zip(counted).filter_map(|(major, cell)| Some(((*major)?, cell)));
            let key = format!("| {package} | {folder} |");
            all.0.extend(counted.map(|(major, cell)| ((key.clone(), major), (*cell).to_owned())));
        }
        all
    }

    /// With what was counted here, instead of what was written.
    pub(crate) fn with(mut self, rows: &[Row], major: u32) -> Self {
        self.0.retain(|(_, other), _| *other != major);
        let cell = |row: &Row| match row.fails {
            true => "fails".to_owned(),
            false => format!("{} ({})", row.objects, row.lines),
        };
        self.0.extend(rows.iter().map(|row| ((key(row), major), cell(row))));
        self
    }

    pub(crate) fn table(&self, rows: &[Row]) -> String {
        let majors: BTreeSet<u32> = self.0.keys().map(|(_, major)| *major).collect();
        let head: String = majors.iter().map(|major| format!(" {major} |")).collect();
        let line = |row: &Row| {
            let key = key(row);
            let cell = |major: &u32| self.0.get(&(key.clone(), *major)).map_or("–", String::as_str);
            let cells: String = majors.iter().map(|major| format!(" {} |", cell(major))).collect();
            format!("{key}{cells}\n")
        };
        let lines: String = rows.iter().map(line).collect();
        format!("| package | folder |{head}\n|---|---|{}\n{lines}", "--:|".repeat(majors.len()))
    }
}

fn cells(line: &str) -> Vec<&str> {
    line.trim_matches('|').split('|').map(str::trim).collect()
}
