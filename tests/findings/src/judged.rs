//! The folders as the linter sees them.
//!
//! As in a project that has just written its first `released`: everything is judged, and what an earlier migration has
//! made is in use.

use migrate_core::SqlMigration;
use migrate_core::source::{File, WayBack, read};
use migrate_lint::{Facts, Finding, judge};
use migrate_real::Folder;

use crate::Result;

/// A folder, and what is found in it.
pub(crate) struct Judged {
    pub(crate) folder: Folder,
    pub(crate) files: usize,
    pub(crate) statements: usize,
    pub(crate) migrations: Vec<SqlMigration>,
    pub(crate) findings: Vec<Finding>,
}

impl Judged {
    /// The package and the folder in it.
    pub(crate) fn name(&self) -> String {
        format!("{}, {}", self.folder.package, self.folder.name)
    }
}

pub(crate) fn all() -> Result<Vec<Judged>> {
    migrate_real::folders()?.into_iter().map(judged).collect()
}

fn judged(folder: Folder) -> Result<Judged> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&folder.path)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.ends_with(".sql") {
            files.push((name, std::fs::read(entry.path())?));
        }
    }
    let sources: Vec<File<'_>> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let contents = read(&folder.name, &sources, WayBack::Ignore);
    if contents.has_errors() {
        return Err(format!("failed to read {}: {:?}", folder.name, contents.problems).into());
    }
    let existing = folder.existing.iter().map(|name| (*name).to_owned()).collect();
    let facts = Facts { existing, ..Facts::default() };
    let findings = judge(&contents.migrations, &facts).findings;
    let statements = migrate_core::scripts(&contents.migrations).map(|s| s.statements.len()).sum();
    Ok(Judged { files: files.len(), statements, migrations: contents.migrations, findings, folder })
}
