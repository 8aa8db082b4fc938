//! The statements of folders that other people wrote.

use std::path::{Path, PathBuf};

use migrate_core::sql;
use migrate_real::Folder;

use crate::Result;
use crate::judged::{Case, Source};

pub(crate) struct Real {
    pub(crate) cases: Vec<Case>,
    /// Files that are no list of statements, and why.
    pub(crate) unreadable: Vec<String>,
}

pub(crate) fn cases() -> Result<Real> {
    let mut real = Real { cases: Vec::new(), unreadable: Vec::new() };
    for folder in migrate_real::folders()? {
        real.read(&folder.package, &files(&folder.path)?)?;
    }
    Ok(real)
}

impl Real {
    fn read(&mut self, package: &str, files: &[PathBuf]) -> Result<()> {
        for file in files {
            let text = std::fs::read_to_string(file)?;
            match sql::statements(&text) {
                Ok(statements) => self.cases.extend(statements.iter().map(|statement| Case {
                    source: Source::Real(package.to_owned()),
                    text: statement.text(&text).to_owned(),
                })),
                Err(mistakes) => {
                    let why = mistakes.first().map(ToString::to_string).unwrap_or_default();
                    self.unreadable.push(format!("{package}: {}: {why}", file.display()));
                }
            }
        }
        Ok(())
    }
}

/// All files of a folder that are SQL, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.ends_with(".sql") && !Folder::is_program(&name) {
            found.push(path);
        }
    }
    found.sort_unstable();
    Ok(found)
}
