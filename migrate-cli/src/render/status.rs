//! Where every migration stands, in columns.
//!
//! Owns the table and the words for a standing. The newest is last, because that is what a terminal shows;
//! so are the counts and what is wrong.

use std::collections::BTreeMap;

use migrate_postgres::{BackfillState, Gate, Line, MigrationId, Notice, Phase, Reason, Standing};
use serde::Serialize;

use console::measure_text_width;

use super::filling;
use super::look::padded;
use super::words::{clean, labelled, migration, note, remark};
use super::{Ink, Look, Show};

/// What `status` found.
#[derive(Serialize)]
pub(crate) struct Standings<'s> {
    pub(crate) database: String,
    #[serde(rename = "migrations")]
    pub(crate) lines: Vec<Line>,
    pub(crate) notices: Vec<Notice>,
    /// What is known of the contracts that have not run; nothing where nobody has looked.
    pub(crate) gates: Vec<Gate>,
    /// Why no run is possible.
    pub(crate) divergence: Option<String>,
    /// The migration that runs at this moment.
    pub(crate) running: Option<String>,
    /// Every backfill that was ever begun; `None` where the role may not read them.
    pub(crate) backfills: Option<Vec<BackfillState>>,
    /// Rows a second, where there was a look before.
    #[serde(skip)]
    pub(crate) rates: BTreeMap<MigrationId, f64>,
    /// The table of the history.
    #[serde(skip)]
    pub(crate) history: String,
    #[serde(skip)]
    pub(crate) newest: Option<MigrationId>,
    #[serde(skip)]
    pub(crate) program: &'s str,
}

impl Show for Standings<'_> {
    fn text(&self, look: Look) -> String {
        let blocks = self.backfills().map(|state| {
            let rate = self.rates.get(&state.id).copied();
            format!("\n{}", filling::block(look, state, rate, self.program).join("\n"))
        });
        self.with(look, blocks.collect())
    }
}

impl Standings<'_> {
    /// What it comes to but for the time that passes and the rows: a pipe hears of it when this changes.
    pub(super) fn gist(&self) -> String {
        self.with(Look::PLAIN, self.backfills().map(filling::gist).collect())
    }

    fn with(&self, look: Look, backfills: Vec<String>) -> String {
        let mut lines = vec![look.wrap(&self.database, "") + "\n"];
        lines.extend(self.table(look));
        lines.extend(self.remarks(look));
        lines.extend(backfills);
        lines.push(format!("\n{}", look.wrap(&self.summary(), "")));
        if let Some(divergence) = &self.divergence {
            let why = divergence.strip_prefix("failed to plan: ").unwrap_or(divergence);
            let none = labelled(look, &format!("no run is possible: {why}"));
            lines.push(format!("\n{none}"));
        }
        lines.join("\n")
    }

    /// Those that are under way, or were.
    pub(super) fn backfills(&self) -> impl Iterator<Item = &BackfillState> {
        let is_applied = |id: MigrationId| {
            self.lines.iter().any(|line| line.id == id && line.standing == Standing::Applied)
        };
        let all = self.backfills.iter().flatten();
        all.filter(move |state| state.state != "done" && !is_applied(state.id))
    }

    fn backfill(&self, line: &Line) -> Option<&BackfillState> {
        self.backfills().find(|state| state.id == line.id)
    }

    /// Does a contract wait on a database in use?
    pub(crate) fn has_contracts(&self) -> bool {
        self.divergence.is_none() && self.lines.iter().any(is_contract_that_waits)
    }

    fn table(&self, look: Look) -> Vec<String> {
        let heads = ["version", "phase", "state", "when (UTC)", "name"].map(str::to_owned);
        let rows: Vec<[String; 5]> = self.lines.iter().map(|line| self.cells(line)).collect();
        let all = || std::iter::once(&heads).chain(&rows);
        let wide = |column: usize| {
            let cells = all().filter_map(|row| row.get(column));
            cells.map(|cell| measure_text_width(cell)).max().unwrap_or_default()
        };
        let widths = [0, 1, 2, 3].map(wide);
        let layout = Layout::new(widths, look);
        let inks = self.lines.iter().map(|line| ink(self.word(line)));
        let inks = std::iter::once(Ink::Faint).chain(inks);
        all().zip(inks).map(|(row, ink)| layout.row(row, ink)).collect()
    }

    fn cells(&self, line: &Line) -> [String; 5] {
        [
            line.id.version.to_string(),
            line.id.phase.to_string(),
            self.word(line).to_owned(),
            line.at.as_deref().map_or_else(|| "-".to_owned(), minute),
            clean(&line.name),
        ]
    }

    fn word(&self, line: &Line) -> &'static str {
        match line.standing {
            Standing::Applied if line.declared || self.is_elsewhere(line) => "applied",
            Standing::Applied if Some(line.id) > self.newest => "newer",
            Standing::Applied => "missing",
            Standing::Edited => "edited",
            Standing::Failed
                if self.backfill(line).is_some_and(|f| filling::word(f) == "begun") =>
            {
                "failed"
            }
            _ if let Some(state) = self.backfill(line) => filling::word(state),
            _ if self.is_running(line) => "running",
            Standing::Interrupted => "cut short",
            Standing::Reverted => "reverted",
            Standing::Failed => "failed",
            Standing::Pending => "pending",
            Standing::Deferred(_) => "waits",
            _ => "?",
        }
    }

    /// What was begun and has not ended: by whoever has the lock now, or by somebody who is gone.
    fn is_running(&self, line: &Line) -> bool {
        let waits =
            matches!(line.standing, Standing::Interrupted | Standing::Pending | Standing::Failed);
        waits && self.running.as_deref() == Some(&line.id.to_string())
    }

    /// Rust code of the application, which a folder does not hold.
    fn is_elsewhere(&self, line: &Line) -> bool {
        !line.declared && line.code
    }

    /// What the words in the table leave open.
    fn remarks(&self, look: Look) -> Vec<String> {
        let notes = self.notices.iter().map(|notice| note(look, notice));
        let remarks = self.lines.iter().filter_map(|line| {
            let subject = migration(line.id, &line.name);
            if self.is_running(line) || self.backfill(line).is_some() {
                return None;
            }
            let remark = match line.standing {
                Standing::Failed => "failed; nothing of it stayed, and the next run tries it again",
                Standing::Interrupted => {
                    "was cut short; the next run looks what became of it and goes on"
                }
                Standing::Deferred(_) if is_contract_that_waits(line) => return self.gate(line),
                Standing::Deferred(reason) => {
                    return Some(format!("note: {subject} waits: {reason}"));
                }
                _ => return None,
            };
            Some(format!("note: {subject} {remark}"))
        });
        let remarks = remarks.map(|text: String| remark(look, &text));
        let mut all: Vec<String> = remarks.chain(notes).collect();
        let unseen = self.gates.is_empty() && self.lines.iter().any(is_contract_that_waits);
        all.extend(unseen.then(|| {
            let ask = format!("{} contract --explain", self.program);
            remark(look, &format!("note: contracts run only when asked for, see {ask}"))
        }));
        if self.backfills.is_none() {
            let table = clean(&self.history);
            let text = format!(
                "note: how far backfills are is not known: this role may not read {table}_backfill and {table}_range"
            );
            all.push(remark(look, &text));
        }
        if let Some(first) = all.first_mut() {
            first.insert(0, '\n');
        }
        all
    }

    /// What keeps a contract from running, in a line.
    fn gate(&self, line: &Line) -> Option<String> {
        let gate = self.gates.iter().find(|gate| gate.id == line.id)?;
        let (subject, version) = (migration(line.id, &line.name), line.id.version);
        let closed: Vec<&str> = gate.closed().map(|check| &*check.source).collect();
        let program = self.program;
        Some(match closed.as_slice() {
            [] => format!("note: {subject}: gate open; run it with {program} contract {version}"),
            closed => {
                let closed = closed.join(", ");
                format!(
                    "note: {subject}: gate closed: {closed}; see {program} contract --explain {version}"
                )
            }
        })
    }

    fn summary(&self) -> String {
        let words = [
            "applied",
            "newer",
            "edited",
            "missing",
            "failed",
            "running",
            "filling",
            "begun",
            "paused",
            "cancelled",
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

/// For being asked for, or for what may still need what it removes.
fn is_contract_that_waits(line: &Line) -> bool {
    let waits = Standing::Deferred(Reason::PhaseNotAsked);
    let is_held = [waits, Standing::Deferred(Reason::GateClosed)].contains(&line.standing);
    is_held && line.id.phase == Phase::Contract
}

/// `2026-11-21T09:30:12.123456Z` to the minute.
fn minute(at: &str) -> String {
    at.chars().take(16).map(|c| if c == 'T' { ' ' } else { c }).collect()
}

fn ink(word: &str) -> Ink {
    match word {
        "applied" | "newer" => Ink::Good,
        "pending" | "waits" | "running" | "filling" | "begun" | "paused" => Ink::Warn,
        "reverted" => Ink::Faint,
        _ => Ink::Bad,
    }
}

/// What of a row a terminal has room for.
struct Layout {
    widths: [usize; 4],
    has_when: bool,
    /// The name has a line of its own.
    is_folded: bool,
    look: Look,
}

/// A name with fewer columns than this tells nothing.
const NAME: usize = 16;

impl Layout {
    fn new(widths: [usize; 4], look: Look) -> Self {
        let room = |columns: &[usize]| columns.iter().map(|width| width + 2).sum::<usize>() + NAME;
        let fits = |columns: &[usize]| look.width.is_none_or(|width| room(columns) <= width);
        let [a, b, c, _] = widths;
        Self { widths, has_when: fits(&widths), is_folded: !fits(&[a, b, c]), look }
    }

    fn row(&self, [version, phase, word, at, name]: &[String; 5], ink: Ink) -> String {
        let [a, b, c, d] = self.widths;
        let when = if self.has_when { padded(at, d) + "  " } else { String::new() };
        let fixed = format!("{version:>a$}  {phase:b$}  ");
        let gap = if self.is_folded { "\n  " } else { "" };
        let rest = format!("{}  {when}{gap}{name}", padded(word, c));
        let lines: Vec<_> = (fixed.clone() + &rest).lines().map(|l| self.look.cut(l)).collect();
        let row = lines.join("\n");
        match row.strip_prefix(&fixed).and_then(|rest| rest.strip_prefix(word.as_str())) {
            Some(rest) => format!("{fixed}{}{rest}", self.look.paint(ink, word)),
            None => row,
        }
    }
}
