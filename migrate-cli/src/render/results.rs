//! The results that are a few lines.

use migrate_postgres::{Difference, MigrationId, Plan, Report, Unfinished};
use serde::Serialize;

use super::filling::which;
use super::words::{clean, count, duration, first_word, migration, note, some, waits};
use super::{Ink, Look, Show};

/// What `run` and `revert` did. Each migration has had its line as it was done.
#[derive(Serialize)]
pub(crate) struct Done<'d> {
    pub(crate) database: String,
    #[serde(flatten)]
    pub(crate) report: &'d Report,
    #[serde(skip)]
    pub(crate) participle: &'static str,
    #[serde(skip)]
    pub(crate) program: &'d str,
}

impl Show for Done<'_> {
    fn text(&self, look: Look) -> String {
        let Report { applied, deferred, left, notices, took, .. } = self.report;
        let mut lines = some(left, |left| self.left(look, left));
        let is_said = |id: MigrationId| left.iter().any(|left| left.id == id);
        let others: Vec<_> = deferred.iter().filter(|d| !is_said(d.id)).cloned().collect();
        lines.extend(waits(look, &others));
        lines.extend(some(notices, |notice| note(look, notice)));
        let waiting = match deferred.len() {
            0 => String::new(),
            1 => "; 1 waits".to_owned(),
            many => format!("; {many} wait"),
        };
        lines.push(match applied.len() {
            0 if left.is_empty() => format!("nothing to do{waiting}"),
            0 => format!("nothing {}{waiting}", self.participle),
            many => {
                let many = count(many, "migration");
                format!("{many} {} in {}{waiting}", self.participle, duration(*took))
            }
        });
        lines.join("\n")
    }
}

impl Done<'_> {
    /// A backfill that is not done, and the command that goes on.
    fn left(&self, look: Look, left: &Unfinished) -> String {
        let Unfinished { id, name, why, stands_still, .. } = left;
        let program = self.program;
        let next = match stands_still {
            true => format!("{program} backfill resume {}", which(*id)),
            false => format!("{program} backfill"),
        };
        let text = format!("left      {}: {}; go on: {next}", migration(*id, name), clean(why));
        first_word(look, Ink::Warn, &look.wrap(&text, "          "))
    }
}

/// What `check` found.
#[derive(Serialize)]
pub(crate) struct Pending<'p> {
    pub(crate) database: String,
    pub(crate) up_to_date: bool,
    #[serde(flatten)]
    pub(crate) plan: &'p Plan,
}

impl Show for Pending<'_> {
    fn text(&self, look: Look) -> String {
        let Plan { actions, deferred, notices, .. } = self.plan;
        let mut lines = some(actions, |a| {
            let pending = look.cut(&format!("pending   {}", migration(a.id, &a.name)));
            first_word(look, Ink::Warn, &pending)
        });
        lines.extend(waits(look, deferred));
        lines.extend(some(notices, |notice| note(look, notice)));
        lines.push(match actions.len() {
            0 => format!("{} is up to date", self.database),
            many => format!("{} is not up to date: {many} pending", self.database),
        });
        lines.join("\n")
    }
}

/// What somebody told the history.
#[derive(Serialize)]
pub(crate) struct Recorded {
    pub(crate) database: String,
    pub(crate) recorded: Vec<MigrationId>,
    #[serde(skip)]
    pub(crate) what: &'static str,
}

impl Show for Recorded {
    fn text(&self, look: Look) -> String {
        let lines = some(&self.recorded, ToString::to_string).join("\n");
        let what = format!("{} (in the history of {})", self.what, self.database);
        format!("{lines}\n{}", look.wrap(&what, ""))
    }
}

/// What was edited since it was applied.
#[derive(Serialize)]
pub(crate) struct Differences<'d> {
    pub(crate) database: String,
    pub(crate) repaired: bool,
    pub(crate) differences: &'d [Difference],
}

impl Show for Differences<'_> {
    fn text(&self, look: Look) -> String {
        let many = self.differences.len();
        match (many, self.repaired) {
            (0, _) => format!("nothing to repair in {}", self.database),
            (_, true) => format!("{} recorded with its declared text", count(many, "migration")),
            (_, false) => {
                let texts = self.differences.iter().map(|d| difference(look, d));
                texts.collect::<Vec<_>>().join("\n\n")
            }
        }
    }
}

fn difference(look: Look, difference: &Difference) -> String {
    let Difference { id, name, lines, .. } = difference;
    let head = format!("{}, applied (-) and declared (+):", migration(*id, name));
    let row = |text: String, line: &str| {
        let ink = if line.starts_with('-') { Ink::Bad } else { Ink::Good };
        let is_one = line.starts_with(['-', '+']);
        let line = if is_one { look.paint(ink, line) } else { line.to_owned() };
        format!("{text}\n  {line}")
    };
    match lines.as_str() {
        "" => format!("{head}\n  (the history holds no text of it to compare)"),
        lines => lines.lines().fold(look.wrap(&head, "  "), row),
    }
}
