//! The results that are a few lines.

use std::path::PathBuf;

use migrate_postgres::{Difference, MigrationId, Plan, Report};
use serde::Serialize;

use super::Show;
use super::words::{count, duration, migration, note, some, waits};

/// What `run` and `revert` did. Each migration has had its line as it was done.
#[derive(Serialize)]
pub(crate) struct Done<'d> {
    pub(crate) database: String,
    #[serde(flatten)]
    pub(crate) report: &'d Report,
    #[serde(skip)]
    pub(crate) participle: &'static str,
}

impl Show for Done<'_> {
    fn text(&self, _: Option<usize>) -> String {
        let Report { applied, deferred, notices, took, .. } = self.report;
        let mut lines = waits(deferred);
        lines.extend(some(notices, note));
        let waiting = match deferred.len() {
            0 => String::new(),
            1 => "; 1 waits".to_owned(),
            many => format!("; {many} wait"),
        };
        lines.push(match applied.len() {
            0 => format!("nothing to do{waiting}"),
            many => {
                let many = count(many, "migration");
                format!("{many} {} in {}{waiting}", self.participle, duration(*took))
            }
        });
        lines.join("\n")
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
    fn text(&self, _: Option<usize>) -> String {
        let Plan { actions, deferred, notices, .. } = self.plan;
        let mut lines = some(actions, |a| format!("pending   {}", migration(a.id, &a.name)));
        lines.extend(waits(deferred));
        lines.extend(some(notices, note));
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
    fn text(&self, _: Option<usize>) -> String {
        let lines = some(&self.recorded, ToString::to_string).join("\n");
        format!("{lines}\n{} (in the history of {})", self.what, self.database)
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
    fn text(&self, _: Option<usize>) -> String {
        let many = self.differences.len();
        match (many, self.repaired) {
            (0, _) => format!("nothing to repair in {}", self.database),
            (_, true) => format!("{} recorded with its declared text", count(many, "migration")),
            (_, false) => {
                let texts = self.differences.iter().map(difference);
                texts.collect::<Vec<_>>().join("\n\n")
            }
        }
    }
}

fn difference(difference: &Difference) -> String {
    let Difference { id, name, lines, .. } = difference;
    let head = format!("{}, applied (-) and declared (+):", migration(*id, name));
    match lines.as_str() {
        "" => format!("{head}\n  (the history holds no text of it to compare)"),
        lines => lines.lines().fold(head, |text, line| format!("{text}\n  {line}")),
    }
}

/// What `new` wrote.
#[derive(Serialize)]
pub(crate) struct Files {
    pub(crate) files: Vec<PathBuf>,
}

impl Show for Files {
    fn text(&self, _: Option<usize>) -> String {
        let lines = self.files.iter().map(|file| format!("wrote  {}", file.display()));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// What `init` did and what it left to the user.
#[derive(Serialize)]
pub(crate) struct Setup {
    pub(crate) written: Vec<PathBuf>,
    pub(crate) kept: Vec<PathBuf>,
    pub(crate) to_do: Vec<ToDo>,
    #[serde(skip)]
    pub(crate) next: String,
}

/// A change that the user has to make.
#[derive(Serialize)]
pub(crate) struct ToDo {
    pub(crate) file: PathBuf,
    pub(crate) add: String,
}

impl Show for Setup {
    fn text(&self, _: Option<usize>) -> String {
        let written = self.written.iter().map(|file| format!("wrote  {}", file.display()));
        let kept = self.kept.iter().map(|file| format!("exists {}: left as it is", file.display()));
        let to_do = self.to_do.iter().map(|to_do| {
            let lines: Vec<_> = to_do.add.lines().map(|line| format!("    {line}")).collect();
            format!("\nadd to {}:\n{}", to_do.file.display(), lines.join("\n"))
        });
        let mut lines: Vec<String> = written.chain(kept).chain(to_do).collect();
        lines.push(format!("\n{}", self.next));
        lines.join("\n")
    }
}
