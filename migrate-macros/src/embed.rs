//! What it means: the files that were named, read.
//!
//! The only place that opens files. What stands in them is core's to say, by the code that reads a folder
//! when a program runs; what cannot be opened is a problem like any other.

use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

use migrate_core::source::{self, Contents, File, Judgement, SETTINGS_FILE, WayBack};
use migrate_core::{Backfill, Checksum, MigrationId, Phase, Problem, SqlDown, SqlMigration, Step};
use syn::LitStr;

use crate::attribute::{self, Back, Code, Work};

/// A folder that was read.
pub(crate) struct Folder {
    /// As it was typed, without a slash at its end.
    pub(crate) path: String,
    /// The names of its SQL files, in order.
    pub(crate) names: Vec<String>,
    /// The path of its settings, where it has them.
    pub(crate) settings: Option<String>,
    pub(crate) contents: Contents,
}

/// Where relative paths begin: the folder of the crate's `Cargo.toml`.
pub(crate) fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).unwrap_or_default()
}

impl Folder {
    pub(crate) fn read(dir: &str, judgement: Judgement) -> Result<Self, Problem> {
        let path = match dir.trim_end_matches(['/', '\\']) {
            "" => ".",
            trimmed => trimmed,
        };
        let (mut names, mut problems, mut settings) = (Vec::new(), Vec::new(), None);
        for entry in std::fs::read_dir(root().join(path)).map_err(|e| unusable(path, &e))? {
            let name = entry.map_err(|e| unusable(path, &e))?.file_name();
            match name.into_string() {
                Ok(name) if is_sql(&name) => names.push(name),
                Ok(name) if name == SETTINGS_FILE => settings = Some(format!("{path}/{name}")),
                Ok(_) => {}
                Err(name) => problems.extend(unreadable_name(path, &name.to_string_lossy())),
            }
        }
        names.sort();
        let mut contents = read(path, &mut names, settings.as_deref(), judgement, &mut problems);
        contents.problems.extend(problems);
        Ok(Self { path: path.to_owned(), names, settings, contents })
    }
}

fn read(
    path: &str,
    names: &mut Vec<String>,
    settings: Option<&str>,
    judgement: Judgement,
    problems: &mut Vec<Problem>,
) -> Contents {
    let mut texts = Vec::with_capacity(names.len());
    names.retain(|name| {
        let shown = format!("{path}/{name}");
        match std::fs::read(root().join(&shown)) {
            Ok(bytes) => texts.push((shown, bytes)),
            // a folder inside the folder; told by its error, because asking first would ask about each file
            Err(_) if root().join(&shown).is_dir() => return false,
            Err(error) => problems.push(unreadable(&shown, &error)),
        }
        true
    });
    if texts.is_empty() && !problems.is_empty() {
        return Contents::default();
    }
    if let Some(path) = settings {
        match std::fs::read(root().join(path)) {
            Ok(bytes) => texts.push((path.to_owned(), bytes)),
            Err(error) => problems.push(unreadable(path, &error)),
        }
    }
    let files: Vec<File<'_>> = texts.iter().map(|(path, bytes)| File { path, bytes }).collect();
    source::read(path, &files, judgement)
}

fn is_sql(name: &str) -> bool {
    let ending = name.len().checked_sub(4).and_then(|start| name.get(start..));
    ending.is_some_and(|ending| ending.eq_ignore_ascii_case(".sql"))
}

const WHERE: &str = "A relative path begins at the folder of the crate's `Cargo.toml`.";

fn unusable(path: &str, error: &io::Error) -> Problem {
    let absolute = root().join(path);
    let looked = absolute.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such folder; looked at {looked}"),
        _ if absolute.is_file() => format!("is a file, not a folder; looked at {looked}"),
        _ => format!("cannot read the folder {looked}: {error}"),
    };
    Problem::error(path, message, format!("Create the folder, or correct the path. {WHERE}"))
}

fn unreadable(path: &str, error: &io::Error) -> Problem {
    let looked = root().join(path);
    let looked = looked.display();
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("there is no such file; looked at {looked}"),
        _ => format!("cannot read the file {looked}: {error}"),
    };
    Problem::error(
        path,
        message,
        format!("Make it a file that can be read, or correct the path. {WHERE}"),
    )
}

fn unreadable_name(path: &str, name: &str) -> Option<Problem> {
    let help = "Give it a name in ASCII.";
    let problem = || Problem::error(&format!("{path}/{name}"), "the name is not UTF-8", help);
    is_sql(name).then(problem)
}

/// A single migration that was read.
pub(crate) struct Migration {
    /// What it says, SQL or not: a row that can stand in the program.
    pub(crate) row: Option<SqlMigration>,
    pub(crate) problems: Vec<Problem>,
}

impl Migration {
    pub(crate) fn read(declared: &attribute::Migration) -> Self {
        let (id, name) = (declared.id, declared.name.as_str());
        match &declared.work {
            Work::Sql { up, down } => sql(id, name, up, down),
            Work::Code(code) => Self { row: Some(of_code(id, name, code)), problems: Vec::new() },
        }
    }
}

fn of_code(id: MigrationId, name: &str, code: &Code) -> SqlMigration {
    let revision = code.revision;
    let step = match &code.batches {
        Some(head) => Step::Backfill(Backfill::Code { revision, head: Cow::Owned(head.clone()) }),
        None => Step::Code(migrate_core::Code { revision, transaction: code.transaction }),
    };
    SqlMigration {
        id,
        name: Cow::Owned(name.to_owned()),
        down: match &code.undo {
            Back::By(_) => step.clone().into(),
            Back::Irreversible(reason) => SqlDown::Irreversible(Cow::Owned(reason.clone())),
            Back::Missing => SqlDown::Missing,
        },
        up: step,
        checksum: Checksum::of_code(code.revision),
        after: Cow::Owned(code.after.clone()),
        lock_timeout: code.lock_timeout,
    }
}

fn sql(id: MigrationId, name: &str, up: &LitStr, down: &Back<LitStr>) -> Migration {
    let mut alone = Alone::new(id);
    alone.add(&up.value(), &format!(".{}", id.phase));
    if let Back::By(down) = down {
        let ending = match id.phase {
            Phase::Contract => ".contract.down",
            Phase::Expand | Phase::Migrate => ".down",
        };
        alone.add(&down.value(), ending);
    }
    let mut migration = alone.read();
    if let Some(row) = &mut migration.row {
        row.name = Cow::Owned(name.to_owned());
        if let (Back::Irreversible(reason), SqlDown::Missing) = (down, &row.down) {
            row.down = SqlDown::Irreversible(Cow::Owned(reason.clone()));
        }
    }
    migration
}

/// A folder of one migration, so that one file is checked as a folder is: its files get the names that they
/// would have there, and what it waits for stands beside it.
struct Alone {
    id: MigrationId,
    files: Vec<(String, Vec<u8>)>,
    problems: Vec<Problem>,
}

impl Alone {
    fn new(id: MigrationId) -> Self {
        let (files, problems) = (Vec::new(), Vec::new());
        Self { id, files, problems }
    }

    fn add(&mut self, path: &str, ending: &str) {
        match std::fs::read(root().join(path)) {
            Ok(bytes) => self.files.push((format!("{path}{}", self.mark(ending)), bytes)),
            Err(error) => self.problems.push(unreadable(path, &error)),
        }
    }

    /// What stands behind a path to make it that of a migration.
    fn mark(&self, ending: &str) -> String {
        format!("/{}_alone{ending}.sql", self.id.version)
    }

    fn read(mut self) -> Migration {
        if !self.problems.is_empty() {
            return Migration { row: None, problems: self.problems };
        }
        self.add_what_it_waits_for();
        let files: Vec<File<'_>> =
            self.files.iter().map(|(path, bytes)| File { path, bytes }).collect();
        let contents = source::read("", &files, WayBack::Ignore);
        let row = contents.migrations.into_iter().find(|m| m.id == self.id);
        Migration {
            row: row.map(|row| self.unmarked(row)),
            problems: contents
                .problems
                .into_iter()
                .map(|problem| self.unmarked_problem(problem))
                .collect(),
        }
    }

    fn add_what_it_waits_for(&mut self) {
        let text = self.files.first().map(|(_, bytes)| bytes.as_slice());
        let text = text.and_then(|bytes| std::str::from_utf8(bytes).ok());
        let (header, _) = migrate_core::Header::parse(text.unwrap_or_default());
        let mut others = header.after;
        others.retain(|other| *other != self.id);
        others.sort();
        others.dedup();
        for MigrationId { version, phase } in others {
            self.files.push((format!("{version}_alone.{phase}.sql"), b"select 1".to_vec()));
        }
    }

    fn marks(&self) -> [String; 5] {
        [".expand", ".migrate", ".contract", ".contract.down", ".down"].map(|e| self.mark(e))
    }

    fn unmark(&self, text: &str) -> String {
        self.marks().iter().fold(text.to_owned(), |text, mark| text.replace(mark, ""))
    }

    fn unmarked_problem(&self, problem: Problem) -> Problem {
        Problem {
            file: self.unmark(&problem.file),
            message: self.unmark(&problem.message),
            ..problem
        }
    }

    fn unmarked(&self, mut row: SqlMigration) -> SqlMigration {
        let down = match &mut row.down {
            SqlDown::Steps(steps) => steps.to_mut(),
            _ => &mut Vec::new(),
        };
        for script in std::iter::once(&mut row.up).chain(down).filter_map(script) {
            script.file = Cow::Owned(self.unmark(&script.file));
        }
        row
    }
}

fn script(step: &mut Step) -> Option<&mut migrate_core::Script> {
    match step {
        Step::Transaction(script) | Step::Standalone(script) => Some(script),
        Step::Backfill(Backfill::Sql(script)) => Some(script),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alone(text: &str) -> Migration {
        let mut alone = Alone::new(MigrationId::new(migrate_core::Version::new(5), Phase::Migrate));
        alone.files.push((format!("sql/a.sql{}", alone.mark(".migrate")), text.into()));
        alone.read()
    }

    #[test]
    fn a_file_alone_is_checked_like_one_in_a_folder() {
        let told = |text: &str| alone(text).problems.first().map(ToString::to_string);
        let problem = told("select 'a").unwrap_or_default();
        assert!(problem.starts_with("sql/a.sql:1:8: unterminated string"), "{problem}");
        assert_eq!(told("-- migrate: after 3 contract\nselect 1"), None);
        let later = told("-- migrate: after 5 contract\nselect 1").unwrap_or_default();
        assert!(
            later.starts_with("sql/a.sql: is to run after 5 contract, which comes later"),
            "{later}"
        );
        let itself = told("-- migrate: after 5 migrate\nselect 1").unwrap_or_default();
        assert!(itself.contains("which comes later"), "{itself}");
    }

    #[test]
    fn it_keeps_the_path_that_was_typed() {
        let row = alone("-- migrate: after 3\nselect 1").row.unwrap();
        assert_eq!(row.up.script().unwrap().file, "sql/a.sql");
        assert_eq!(row.after.len(), 1);
    }
}
