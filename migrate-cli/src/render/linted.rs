//! What `lint` found: as the compiler would say it.
//!
//! Owns how a finding is laid out; its words are the linter's. SQL that is there to be copied is never broken.

use console::measure_text_width;
use migrate_core::Place;
use migrate_lint::{Finding, Level, report};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::words::count;
use super::{Ink, Look, Show};

/// How many migrations there are, and of how many nothing is told.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Counted {
    pub(crate) migrations: usize,
    pub(crate) released: usize,
    pub(crate) unchanged: usize,
}

/// What `lint` found.
#[derive(Serialize)]
pub(crate) struct Linted<'l> {
    #[serde(rename = "findings", serialize_with = "as_the_linter_says_it")]
    pub(crate) items: Vec<report::Item<'l>>,
    pub(crate) errors: usize,
    pub(crate) warnings: usize,
    pub(crate) notes: usize,
    #[serde(flatten)]
    pub(crate) counted: Counted,
    pub(crate) since: Option<&'l str>,
    /// Where its tables and its grammar were asked about, and which PostgreSQL that is.
    pub(crate) database: Option<&'l str>,
    pub(crate) server: Option<&'l str>,
    #[serde(flatten)]
    pub(crate) fixes: Option<&'l Fixes>,
}

/// What `lint --fix` did.
#[derive(Serialize)]
pub(crate) struct Fixes {
    #[serde(rename = "fixed", serialize_with = "findings")]
    pub(crate) done: Vec<Finding>,
    /// Files that were not there.
    pub(crate) written: Vec<String>,
    /// What has a safe form that does not fit, and why.
    #[serde(serialize_with = "left")]
    pub(crate) left: Vec<(Finding, String)>,
}

impl<'l> Linted<'l> {
    pub(crate) fn new(items: Vec<report::Item<'l>>, counted: Counted) -> Self {
        let of = |level| items.iter().filter(|item| item.level == level).count();
        let (errors, warnings, notes) = (of(Level::Error), of(Level::Warn), of(Level::Note));
        let (since, database, server, fixes) = (None, None, None, None);
        Self { items, errors, warnings, notes, counted, since, database, server, fixes }
    }

    /// `3 errors, 2 warnings in 41 migrations; 38 were released and not judged`.
    fn summary(&self) -> String {
        let counts = [(self.errors, "error"), (self.warnings, "warning"), (self.notes, "note")];
        let counts = counts.iter().filter(|(many, _)| *many > 0);
        let counts: Vec<String> = counts.map(|(many, noun)| count(*many, noun)).collect();
        let found = if counts.is_empty() { "nothing found".to_owned() } else { counts.join(", ") };
        let Counted { migrations, released, unchanged } = self.counted;
        let were = |many: usize| match many {
            1 => "1 was".to_owned(),
            many => format!("{many} were"),
        };
        let mut text = format!("{found} in {}", count(migrations, "migration"));
        if released > 0 {
            text += &format!("; {} released and not judged", were(released));
        }
        if let (Some(since), true) = (self.since, unchanged > 0) {
            text += &format!("; {} the same at {since} and not judged", were(unchanged));
        }
        let fixable = self.items.iter().filter(|item| item.has_fix).count();
        if fixable > 0 && self.fixes.is_none() {
            text += &format!("; --fix has a safe form for {fixable}");
        }
        text
    }
}

/// Its fields are a promise of the linter's.
fn as_the_linter_says_it<S: Serializer>(
    items: &[report::Item<'_>],
    to: S,
) -> Result<S::Ok, S::Error> {
    let items: serde_json::Value =
        serde_json::from_str(&report::json(items)).map_err(serde::ser::Error::custom)?;
    items.serialize(to)
}

fn findings<S: Serializer>(findings: &[Finding], to: S) -> Result<S::Ok, S::Error> {
    as_the_linter_says_it(&report::items(&[], findings), to)
}

fn left<S: Serializer>(left: &[(Finding, String)], to: S) -> Result<S::Ok, S::Error> {
    let reason = |(finding, why): &(Finding, String)| json!({ "rule": finding.rule, "file": finding.file, "line": finding.place.line, "because": why });
    left.iter().map(reason).collect::<Vec<_>>().serialize(to)
}

impl Fixes {
    /// A line for each.
    fn lines(&self, look: Look) -> Vec<String> {
        let row = |ink, word: &str, text: String| {
            let row = look.wrap(&format!("{word:5}  {text}"), "       ");
            look.paint(ink, word) + row.get(word.len()..).unwrap_or_default()
        };
        let done = self.done.iter().map(|finding| {
            let Finding { rule, file, message, .. } = finding;
            row(Ink::Good, "fixed", format!("{file}: {rule}: {message}"))
        });
        let written = self.written.iter().map(|file| row(Ink::Good, "wrote", file.clone()));
        let left = self.left.iter().map(|(Finding { rule, file, .. }, why)| {
            row(Ink::Warn, "left", format!("{file}: {rule} as it is: {why}"))
        });
        done.chain(written).chain(left).collect()
    }
}

impl Show for Linted<'_> {
    fn text(&self, look: Look) -> String {
        let mut above = self.fixes.map(|fixes| fixes.lines(look)).unwrap_or_default();
        if let Some(last) = above.last_mut() {
            last.push_str("\n\n");
        }
        above.join("\n") + &self.findings(look)
    }
}

impl Linted<'_> {
    fn findings(&self, look: Look) -> String {
        let items = self.items.iter().map(|item| format!("{}\n\n", told(look, item)));
        let asked = self.database.zip(self.server).map(|(database, server)| {
            format!("\ngrammar and sizes are those of PostgreSQL {server}: {database}")
        });
        let summary = self.summary() + &asked.unwrap_or_default();
        items.collect::<String>() + &look.wrap(&summary, "")
    }
}

fn told(look: Look, item: &report::Item<'_>) -> String {
    let ink = ink(item.level);
    let rule = item.rule.map(|rule| format!("[{rule}]")).unwrap_or_default();
    let head = format!("{}{rule}:", item.level);
    let text = look.wrap(&format!("{head} {}", item.message), "  ");
    let rest = text.strip_prefix(&head).unwrap_or(&text);
    let mut lines = vec![look.paint(ink, &head) + &look.paint(Ink::Strong, rest)];
    lines.push(place(look, item));
    lines.extend(item.place.map(|place| snippet(look, place, ink)));
    lines.extend(item.why.map(|why| labelled(look, "why", why)));
    lines.push(labelled(look, "help", item.instead));
    if let (true, Some(rule)) = (item.can_be_allowed, item.rule) {
        let allow = format!("-- migrate: allow({rule}) because <reason>");
        lines.push(format!("  = {} {allow}", look.paint(Ink::Strong, "to allow it:")));
    }
    lines.join("\n")
}

fn ink(level: Level) -> Ink {
    match level {
        Level::Error => Ink::Bad,
        Level::Warn => Ink::Warn,
        Level::Note | Level::Off => Ink::Strong,
    }
}

fn place(look: Look, item: &report::Item<'_>) -> String {
    let at = item.place.map(|place| format!(":{}:{}", place.line, place.column));
    let at = at.unwrap_or_default();
    format!("  {} {}{at}", look.paint(Ink::Faint, "-->"), item.file)
}

/// The line, with a caret below the spot; of a long one as much as fits around that.
fn snippet(look: Look, place: &Place, ink: Ink) -> String {
    let number = place.line.to_string();
    let margin = " ".repeat(number.len());
    let (line, indent) = around(look, place, number.len() + 3);
    let bar = look.paint(Ink::Faint, "|");
    let caret = look.paint(ink, "^");
    let number = look.paint(Ink::Faint, &number);
    format!("{margin} {bar}\n{number} {bar} {line}\n{margin} {bar} {indent}{caret}")
}

/// A line cut to the terminal, and the blanks that lead to the spot.
fn around(look: Look, place: &Place, used: usize) -> (String, String) {
    let shown: Vec<char> =
        place.snippet.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let caret = (place.caret as usize).saturating_sub(1).min(shown.len());
    let (before, behind) = shown.split_at_checked(caret).unwrap_or((&shown, &[]));
    let (mut before, behind) =
        (before.iter().collect::<String>(), behind.iter().collect::<String>());
    let room = look.width.map_or(usize::MAX, |width| width.saturating_sub(used));
    let fits = measure_text_width(&before) + measure_text_width(&behind) <= room;
    if !fits && measure_text_width(&before) > room / 2 {
        let mut kept = before.chars().rev().take(room / 2).collect::<Vec<_>>();
        kept.reverse();
        before = kept.into_iter().skip(1).fold("…".to_owned(), |text, c| text + &c.to_string());
    }
    let indent = " ".repeat(measure_text_width(&before));
    let line = match room {
        usize::MAX => before + &behind,
        room => Look { width: Some(room), ..look }.cut(&(before + &behind)),
    };
    (line.trim_end().to_owned(), indent)
}

/// `  = help: …`: prose is broken where the terminal ends; what is indented is SQL, and stays as it is.
fn labelled(look: Look, label: &str, text: &str) -> String {
    let indent = "    ";
    let mut lines = text.lines();
    let first = format!("  = {label}: {}", lines.next().unwrap_or_default());
    let first = look.wrap(&first, "  "); // behind the two that every line of it begins with
    let painted = look.paint(Ink::Strong, &format!("{label}:"));
    let first = first.replacen(&format!("{label}:"), &painted, 1);
    lines.fold(first, |all, line| match line.strip_prefix("    ") {
        Some(sql) => format!("{all}\n      {sql}"),
        None => format!("{all}\n{}", look.wrap(&format!("{indent}{line}"), "")),
    })
}
