//! One folder: embedded, and as psql sees it.
//!
//! What is said of files here is said again from sqlx's documentation and shares nothing with the reader that is
//! being checked.

use std::path::{Path, PathBuf};

use migrate_core::source::{self, Contents, File, WayBack};
use migrate_postgres::{Embedded, Source};

use crate::Result;
use crate::fetch::is_migration;

/// A folder of somebody's package.
pub struct Subject {
    /// The name of the package.
    pub package: &'static str,
    /// What was done to the folder before.
    pub prepared: Option<&'static str>,
    /// The folder in it.
    pub folder: &'static str,
    /// Where that is on this machine.
    pub dir: &'static str,
    /// By `embed!`.
    pub embedded: Embedded,
    /// By `#[derive(Migrations)]`.
    pub source: Source,
}

/// A version of the folder, as files.
pub(crate) struct Change {
    pub(crate) version: i64,
    /// For the time when the new code serves.
    pub(crate) contract: bool,
    pub(crate) up: SqlFile,
    pub(crate) down: Option<SqlFile>,
}

/// A file for psql.
pub(crate) struct SqlFile {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
    /// sqlx looks at the first bytes.
    pub(crate) no_transaction: bool,
}

impl SqlFile {
    fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)?;
        let no_transaction = text.starts_with("-- no-transaction");
        Ok(Self { path: path.to_owned(), text, no_transaction })
    }
}

impl Subject {
    /// Versions in order, each with its files.
    pub(crate) fn changes(&self) -> Result<Vec<Change>> {
        let (mut ups, mut downs) = (Vec::new(), Vec::new());
        for entry in std::fs::read_dir(self.dir)? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let Some((version, rest)) = name.split_once('_').filter(|_| is_migration(&name)) else {
                continue;
            };
            let files = if rest.ends_with(".down.sql") { &mut downs } else { &mut ups };
            files.push((version.parse::<i64>()?, SqlFile::read(&entry.path())?));
        }
        ups.sort_by_key(|(version, _)| *version);
        let mut down_of = |version| {
            let position = downs.iter().position(|(other, _)| *other == version)?;
            Some(downs.swap_remove(position).1)
        };
        let changes = ups.into_iter().map(|(version, up)| Change {
            version,
            contract: up.path.to_string_lossy().ends_with(".contract.sql"),
            up,
            down: down_of(version),
        });
        Ok(changes.collect())
    }

    /// How many statements there are in each file.
    pub(crate) fn statements(&self) -> Vec<usize> {
        let migrations = self.embedded.folder.packed.unpack().unwrap_or_default();
        migrate_core::scripts(&migrations).map(|script| script.statements.len()).collect()
    }

    /// What the reader makes of the folder while a program runs; `shown` stands before each name.
    pub(crate) fn contents(&self, shown: &str, way_back: WayBack) -> Result<Contents> {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(self.dir)? {
            let entry = entry?;
            let path = format!("{shown}/{}", entry.file_name().to_string_lossy());
            files.push((path, std::fs::read(entry.path())?));
        }
        let files: Vec<_> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
        Ok(source::read(shown, &files, way_back))
    }
}
