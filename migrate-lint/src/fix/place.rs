//! Where in a folder a remedy goes.
//!
//! Owns what a file may become. What has to commit first or may not be in a transaction goes behind the statement
//! where the file has no transaction of the runner's, else into the file of the migrate phase of the same version,
//! which runs later and by itself.

use migrate_core::{MigrationId, Phase, Script, SqlDown, SqlMigration, Step};

use super::{Edit, Fix, NewFile, Patch, Remedy};
use crate::read::pieces;
use crate::statement::{Action, Change, Maintenance, ObjectKind, Statement};

/// The line that takes a file out of the runner's transaction.
const NO_TRANSACTION: &str = "-- migrate: no-transaction";

/// A statement, and what is around it.
pub(crate) struct Site<'m> {
    pub(crate) id: MigrationId,
    pub(crate) script: &'m Script,
    pub(crate) step: &'m Step,
    /// Where the statement stands in the file.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// Does a transaction surround it, the runner's or the file's own?
    pub(crate) in_transaction: bool,
    /// May each statement of the file be outside of a transaction?
    pub(crate) may_be_alone: bool,
    /// The migration that the file is of.
    pub(crate) own: Option<&'m SqlMigration>,
    /// The migrate phase of its version.
    pub(crate) sibling: Option<&'m SqlMigration>,
}

/// Is it what it is outside of a transaction as well, also when the statements around it are not?
pub(crate) fn stands_alone(statement: &Statement) -> bool {
    match &statement.action {
        Action::CreateIndex(_) | Action::Maintenance(Maintenance::Reindex { .. }) => true,
        Action::Drop(drop) => drop.kind == ObjectKind::Index,
        Action::AlterTable(alter) => {
            matches!(&*alter.changes, [Change::DetachPartition { .. }])
        }
        _ => false,
    }
}

impl Site<'_> {
    /// What changes in the folder; `None` where the remedy does not fit.
    pub(crate) fn place(&self, remedy: Remedy) -> Option<Fix> {
        let has_own = !self.in_transaction && matches!(self.step, Step::Standalone(_));
        match remedy {
            Remedy::Line => Some(self.without_line()),
            Remedy::Words(here) => Some(self.edits(here)),
            Remedy::Alone(statements) if has_own => Some(self.instead(&statements)),
            Remedy::Alone(statements) if self.may_be_alone && self.is_runners() => {
                let mut fix = self.instead(&statements);
                fix.edits.push(self.directive());
                Some(fix)
            }
            Remedy::Alone(statements) => {
                let mut fix = self.alone_to_sibling(&statements)?;
                fix.edits.push(self.without_statement());
                Some(fix)
            }
            Remedy::Later { here, later, then } if has_own => {
                let mut fix = self.edits(here);
                let end = self.line_end();
                let later = later.iter().chain(&then).map(|statement| format!(";{end}{statement}"));
                fix.edits.push(self.edit(self.end, self.end, later.collect::<String>()));
                Some(fix)
            }
            Remedy::Later { here, later, then } => {
                let mut fix = self.later_to_sibling(&later, &then)?;
                fix.edits.extend(self.edits(here).edits);
                Some(fix)
            }
        }
    }

    fn is_runners(&self) -> bool {
        matches!(self.step, Step::Transaction(_))
    }

    fn text(&self) -> &str {
        &self.script.text
    }

    fn line_end(&self) -> &'static str {
        if self.text().contains("\r\n") { "\r\n" } else { "\n" }
    }

    fn edit(&self, start: usize, end: usize, text: impl Into<String>) -> Edit {
        Edit { file: self.script.file.clone().into_owned(), start, end, text: text.into() }
    }

    fn edits(&self, here: Vec<Patch>) -> Fix {
        let edit =
            |patch: Patch| self.edit(self.start + patch.start, self.start + patch.end, patch.text);
        Fix { edits: here.into_iter().map(edit).collect(), new_files: Vec::new() }
    }

    fn instead(&self, statements: &[String]) -> Fix {
        let text = statements.join(&format!(";{}", self.line_end()));
        Fix::of(self.edit(self.start, self.end, text))
    }

    /// On the first line, but behind a mark that nobody sees.
    fn directive(&self) -> Edit {
        let start = if self.text().starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
        self.edit(start, start, format!("{NO_TRANSACTION}{}", self.line_end()))
    }

    /// Its semicolon goes with it, and the line when nothing else is on it.
    fn without_statement(&self) -> Edit {
        let rest = self.text().get(self.end..).unwrap_or_default();
        let semicolon = rest.find(';').filter(|at| rest.get(..*at).is_some_and(is_blank));
        let end = self.end + semicolon.map_or(0, |at| at + 1);
        let (start, end) = self.whole_line(self.start, end);
        self.edit(start, end, "")
    }

    fn without_line(&self) -> Fix {
        let (start, end) = self.whole_line(self.start, self.end);
        Fix::of(self.edit(start, end, ""))
    }

    fn whole_line(&self, start: usize, end: usize) -> (usize, usize) {
        let before = self.text().get(..start).unwrap_or_default();
        let begin = before.rfind('\n').map_or(0, |at| at + 1);
        let behind = self.text().get(end..).unwrap_or_default();
        let line = behind.find('\n').map_or(behind.len(), |at| at + 1);
        let is_alone = |text: Option<&str>| text.is_some_and(is_blank);
        match is_alone(before.get(begin..)) && is_alone(behind.get(..line)) {
            true => (begin, end + line),
            false => (start, end),
        }
    }

    /// May another file of its version take a part of it?
    fn may_be_cut(&self) -> bool {
        self.id.phase == Phase::Expand && self.is_runners()
    }

    /// Into the migrate phase of the version, which is made where there is none.
    fn alone_to_sibling(&self, statements: &[String]) -> Option<Fix> {
        match self.sibling.filter(|_| self.may_be_cut()) {
            None => self.new_sibling(statements, true),
            Some(sibling) => match &sibling.up {
                Step::Standalone(script) => Some(Fix::of(self.behind(script, statements)?)),
                _ => None,
            },
        }
    }

    /// The same of what takes long and what closes a table; the first must not come behind what closes one already.
    fn later_to_sibling(&self, later: &[String], then: &[String]) -> Option<Fix> {
        let Some(sibling) = self.sibling.filter(|_| self.may_be_cut()) else {
            return self.new_sibling(&[later, then].concat(), false);
        };
        let script = sibling.up.script()?;
        let closing = match &sibling.up {
            Step::Standalone(_) => None,
            Step::Transaction(_) => pieces(&sibling.up)
                .into_iter()
                .find(|piece| piece.statement.as_ref().is_ok_and(closes)),
            _ => return None,
        };
        let Some(closing) = closing else {
            return Some(Fix::of(self.behind(script, &[later, then].concat())?));
        };
        let mut fix = Fix::of(Edit {
            file: script.file.clone().into_owned(),
            start: closing.offset,
            end: closing.offset,
            text: lines(later, self.line_end()),
        });
        if !then.is_empty() {
            fix.edits.push(self.behind(script, then)?);
        }
        Some(fix)
    }

    /// At the end of a file, whose last statement has to have one: a comment would go on.
    fn behind(&self, script: &Script, statements: &[String]) -> Option<Edit> {
        let end = script.text.trim_end().len();
        let is_closed = script.text.get(..end)?.ends_with(';');
        is_closed.then(|| Edit {
            file: script.file.clone().into_owned(),
            start: end,
            end: script.text.len(),
            text: format!("{}{}", self.line_end(), lines(statements, self.line_end())),
        })
    }

    fn new_sibling(&self, statements: &[String], alone: bool) -> Option<Fix> {
        if !self.may_be_cut() {
            return None;
        }
        let end = self.line_end();
        let mut text = String::new();
        if alone {
            text += &format!("{NO_TRANSACTION}{end}");
        }
        if let Some(SqlDown::Irreversible(reason)) = self.own.map(|own| &own.down) {
            text += &format!("-- migrate: irreversible because {reason}{end}");
        }
        text += &lines(statements, end);
        let stem = [".up.sql", ".expand.sql", ".sql"]
            .iter()
            .find_map(|ending| self.script.file.strip_suffix(ending))?;
        let new = NewFile { file: format!("{stem}.migrate.sql"), text };
        Some(Fix { edits: Vec::new(), new_files: vec![new] })
    }
}

impl Fix {
    fn of(edit: Edit) -> Self {
        Self { edits: vec![edit], new_files: Vec::new() }
    }
}

/// Does it change a table otherwise than by validating a constraint?
fn closes(statement: &Statement) -> bool {
    match &statement.action {
        Action::AlterTable(alter) => {
            alter.changes.iter().any(|change| !matches!(change, Change::ValidateConstraint { .. }))
        }
        _ => false,
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

fn lines(statements: &[String], end: &str) -> String {
    statements.iter().map(|statement| format!("{statement};{end}")).collect()
}
