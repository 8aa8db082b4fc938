//! Where every migration stands, in columns.
//!
//! Owns the table and the words for a standing. The newest is last, because that is what a terminal shows;
//! so are the counts and what is wrong.

use migrate_postgres::{Line, MigrationId, Notice, Phase, Standing};
use serde::Serialize;

use super::Show;
use super::words::{clean, migration, note};

/// What `status` found.
#[derive(Serialize)]
pub(crate) struct Standings<'s> {
    pub(crate) database: String,
    #[serde(rename = "migrations")]
    pub(crate) lines: Vec<Line>,
    pub(crate) notices: Vec<Notice>,
    /// Why no run is possible.
    pub(crate) divergence: Option<String>,
    #[serde(skip)]
    pub(crate) newest: Option<MigrationId>,
    #[serde(skip)]
    pub(crate) program: &'s str,
}

impl Show for Standings<'_> {
    fn text(&self, width: Option<usize>) -> String {
        let mut lines = vec![format!("{}\n", self.database)];
        lines.extend(self.table(width));
        lines.extend(self.remarks());
        lines.push(format!("\n{}", self.summary()));
        if let Some(divergence) = &self.divergence {
            let why = divergence.strip_prefix("failed to plan: ").unwrap_or(divergence);
            lines.push(format!("\nno run is possible: {why}"));
        }
        lines.join("\n")
    }
}

impl Standings<'_> {
    fn table(&self, width: Option<usize>) -> Vec<String> {
        let heads = ["version", "phase", "state", "when (UTC)", "name"].map(str::to_owned);
        let rows = self.lines.iter().map(|line| {
            [
                line.id.version.to_string(),
                line.id.phase.to_string(),
                self.word(line).to_owned(),
                line.at.as_deref().map_or_else(|| "-".to_owned(), minute),
                clean(&line.name),
            ]
        });
        let rows: Vec<[String; 5]> = std::iter::once(heads).chain(rows).collect();
        let wide = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
        };
        let [a, b, c, d, _] = [0, 1, 2, 3, 4].map(wide);
        let row = |[version, phase, word, at, name]: &[String; 5]| {
            cut(&format!("{version:>a$}  {phase:b$}  {word:c$}  {at:d$}  {name}"), width)
        };
        rows.iter().map(row).collect()
    }

    fn word(&self, line: &Line) -> &'static str {
        match line.standing {
            Standing::Applied if line.declared || self.is_elsewhere(line) => "applied",
            Standing::Applied if Some(line.id) > self.newest => "newer",
            Standing::Applied => "missing",
            Standing::Edited => "edited",
            Standing::Interrupted => "cut short",
            Standing::Reverted => "reverted",
            Standing::Failed => "failed",
            Standing::Pending => "pending",
            Standing::Deferred(_) => "waits",
            _ => "?",
        }
    }

    /// Rust code of the application, which a folder does not hold.
    fn is_elsewhere(&self, line: &Line) -> bool {
        !line.declared && line.code
    }

    /// What the words in the table leave open.
    fn remarks(&self) -> Vec<String> {
        let notes = self.notices.iter().map(note);
        let remarks = self.lines.iter().filter_map(|line| {
            let subject = migration(line.id, &line.name);
            let remark = match line.standing {
                Standing::Failed => "failed; nothing of it stayed, and the next run tries it again",
                Standing::Interrupted => {
                    "was cut short; the next run looks what became of it and goes on"
                }
                Standing::Deferred(reason) if !waits_for_being_asked(line, reason) => {
                    return Some(format!("note: {subject} waits: {reason}"));
                }
                _ => return None,
            };
            Some(format!("note: {subject} {remark}"))
        });
        let mut all: Vec<String> = remarks.chain(notes).collect();
        let contracts = self.lines.iter().any(|line| {
            matches!(line.standing, Standing::Deferred(reason) if waits_for_being_asked(line, reason))
        });
        all.extend(contracts.then(|| {
            format!("note: contracts run only when asked for: {} run --contract", self.program)
        }));
        if let Some(first) = all.first_mut() {
            first.insert(0, '\n');
        }
        all
    }

    fn summary(&self) -> String {
        let words = [
            "applied",
            "newer",
            "edited",
            "missing",
            "failed",
            "cut short",
            "reverted",
            "pending",
            "waits",
        ];
        let counts = words.iter().filter_map(|word| {
            let many = self.lines.iter().filter(|line| self.word(line) == *word).count();
            (many > 0).then(|| format!("{many} {word}"))
        });
        let counts: Vec<String> = counts.collect();
        if counts.is_empty() { "no migrations".to_owned() } else { counts.join(", ") }
    }
}

fn waits_for_being_asked(line: &Line, reason: migrate_postgres::Reason) -> bool {
    reason == migrate_postgres::Reason::PhaseNotAsked && line.id.phase == Phase::Contract
}

/// `2026-11-21T09:30:12.123456Z` to the minute.
fn minute(at: &str) -> String {
    at.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

/// Of a line that is too long for the terminal, the beginning.
fn cut(line: &str, width: Option<usize>) -> String {
    let line = line.trim_end();
    match width {
        Some(width) if line.chars().count() > width => {
            line.chars().take(width.saturating_sub(1)).chain(['…']).collect()
        }
        _ => line.to_owned(),
    }
}
