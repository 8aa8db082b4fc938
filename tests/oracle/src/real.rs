//! The statements of folders that other people wrote: those that `cargo xtask real` runs, and Synapse's.

use std::path::{Path, PathBuf};

use migrate_core::sql;

use crate::Result;
use crate::judged::{Case, Source};

/// More SQL than all other packages together; its program picks the files for the database that it has.
const SYNAPSE: (&str, &str) = ("matrix-synapse", "1.163.2");
/// 352 changes for every database, and what is for PostgreSQL alone.
const SYNAPSE_FILES: usize = 411;

pub(crate) struct Real {
    pub(crate) cases: Vec<Case>,
    /// Files that are no list of statements, and why.
    pub(crate) unreadable: Vec<String>,
}

pub(crate) fn cases() -> Result<Real> {
    let mut real = Real { cases: Vec::new(), unreadable: Vec::new() };
    for folder in migrate_real::all_folders()? {
        real.read(&folder.package, &files(&folder.path)?)?;
    }
    let (name, version) = SYNAPSE;
    let package = migrate_real::of_pypi(name, version)?;
    let files = files(&package.join("synapse/storage/schema"))?;
    if files.len() != SYNAPSE_FILES {
        let found = files.len();
        return Err(
            format!("failed to find {SYNAPSE_FILES} files in {name}: there are {found}").into()
        );
    }
    real.read(&format!("{name} {version} (PyPI)"), &files)?;
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

/// All files below a folder that are for PostgreSQL, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    collect(folder, &mut found)?;
    found.sort_unstable();
    Ok(found)
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let is_sql = path.extension().is_some_and(|end| end == "sql" || end == "postgres");
        if path.is_dir() {
            collect(&path, found)?;
        } else if is_sql {
            found.push(path);
        }
    }
    Ok(())
}
