//! Where files are written, and what was done to each is noted.
//!
//! Owns the rule that nothing that exists is lost. Knows neither what the files mean nor how lines are placed.

use std::path::{Path, PathBuf};

use super::edit;
use crate::exit::Failure;
use crate::render::{Setup, ToDo};
use crate::workspace;

/// What was done so far.
#[derive(Default)]
pub(super) struct Desk {
    written: Vec<PathBuf>,
    added: Vec<ToDo>,
    kept: Vec<PathBuf>,
    to_do: Vec<ToDo>,
}

impl Desk {
    pub(super) fn keep(&mut self, file: &Path) {
        let file = workspace::shown(file);
        if !self.kept.contains(&file) && !self.added.iter().any(|added| added.file == file) {
            self.kept.push(file);
        }
    }

    pub(super) fn tell(&mut self, file: &Path, add: &str) {
        self.to_do.push(ToDo { file: workspace::shown(file), add: add.to_owned() });
    }

    /// A file that is not there, or that stays as it is.
    pub(super) fn write(&mut self, file: &Path, text: &str) -> Result<(), Failure> {
        if file.exists() {
            self.keep(file);
            return Ok(());
        }
        self.create(file, text)
    }

    /// A file in which there was nothing of anybody's.
    pub(super) fn rewrite(&mut self, file: &Path, text: &str, why: &str) -> Result<(), Failure> {
        self.add(file, text, why)
    }

    fn create(&mut self, file: &Path, text: &str) -> Result<(), Failure> {
        put(file, text)?;
        self.written.push(workspace::shown(file));
        Ok(())
    }

    /// A file that holds `mark`: written, or with what it lacks added, or with a word about it.
    pub(super) fn file(
        &mut self,
        file: &Path,
        mark: &str,
        whole: &str,
        lacks: &str,
        add: impl FnOnce(&str) -> Option<String>,
    ) -> Result<(), Failure> {
        if !file.exists() {
            return self.create(file, whole);
        }
        let text = read(file)?;
        if text.contains(mark) {
            self.keep(file);
            return Ok(());
        }
        match add(&text) {
            Some(text) => self.add(file, &text, lacks),
            None => {
                self.tell(file, lacks);
                Ok(())
            }
        }
    }

    /// A file of tables in TOML, with a line in one of them.
    pub(super) fn line(
        &mut self,
        file: &Path,
        table: &str,
        line: &str,
        has: impl FnOnce(&str) -> bool,
    ) -> Result<(), Failure> {
        if !file.exists() {
            return self.create(file, &format!("{table}\n{line}\n"));
        }
        let text = read(file)?;
        if has(&text) {
            self.keep(file);
            return Ok(());
        }
        let lacks = format!("{table}\n{line}");
        match edit::in_table(&text, table, line) {
            Some(text) => self.add(file, &text, &lacks),
            None => {
                self.tell(file, &lacks);
                Ok(())
            }
        }
    }

    fn add(&mut self, file: &Path, text: &str, what: &str) -> Result<(), Failure> {
        put(file, text)?;
        let file = workspace::shown(file);
        self.kept.retain(|kept| *kept != file);
        // Lines of one table stand below one head.
        if let Some((head, lines)) = what.split_once('\n')
            && let Some(last) = self.added.last_mut()
            && last.file == file
            && last.add.starts_with(head)
        {
            last.add += &format!("\n{lines}");
            return Ok(());
        }
        self.added.push(ToDo { file, add: what.to_owned() });
        Ok(())
    }

    pub(super) fn into_setup(self, next: String) -> Setup {
        let Desk { written, added, kept, to_do } = self;
        Setup { written, added, kept, to_do, next }
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let what = format!("read {}", file.display());
    std::fs::read_to_string(file).map_err(Failure::file(what))
}

fn put(file: &Path, text: &str) -> Result<(), Failure> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let made = folder.map_or(Ok(()), std::fs::create_dir_all);
    let written = made.and_then(|()| std::fs::write(file, text));
    written.map_err(Failure::file(format!("write {}", file.display())))
}
