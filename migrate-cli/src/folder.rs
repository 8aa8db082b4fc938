//! The files of a folder, as they are on disk.
//!
//! Owns which files are looked at. What they mean is core's; nothing here refuses a file.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use migrate_core::source::{self, Contents, File, SETTINGS_FILE, WayBack};

use crate::exit::Failure;

/// Names as the user knows them, and what is in the files.
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) files: Vec<(String, Vec<u8>)>,
}

impl Folder {
    pub(crate) fn read(path: PathBuf) -> Result<Self, Failure> {
        let what = |path: &Path| format!("read {}", path.display());
        let mut files = Vec::new();
        for entry in std::fs::read_dir(&path).map_err(Failure::file(what(&path)))? {
            let file = entry.map_err(Failure::file(what(&path)))?.path();
            if file.is_file() && (is_sql(&file) || file.ends_with(SETTINGS_FILE)) {
                let bytes = std::fs::read(&file).map_err(Failure::file(what(&file)))?;
                files.push((file.display().to_string(), bytes));
            }
        }
        files.sort();
        Ok(Self { path, files })
    }

    /// Where what the folder says of itself stands or would.
    pub(crate) fn settings_file(&self) -> String {
        self.path.join(SETTINGS_FILE).display().to_string()
    }

    /// As core and the linter take them.
    pub(crate) fn borrowed(&self) -> Vec<File<'_>> {
        self.files.iter().map(|(path, bytes)| File { path, bytes }).collect()
    }

    /// What the files mean. Who has no ways back is not told here, as by `plan`.
    pub(crate) fn contents(&self) -> Contents {
        let shown = self.path.display().to_string();
        source::read(&shown, &self.borrowed(), WayBack::Ignore)
    }

    /// Are there files of SQL that are no part of any migration, because they cannot be read?
    pub(crate) fn has_gaps(&self, contents: &Contents) -> bool {
        let steps = contents.migrations.iter().flat_map(|m| m.down.steps().iter().chain([&m.up]));
        let read: HashSet<&str> = steps.filter_map(|step| Some(&*step.script()?.file)).collect();
        let mut sql = self.files.iter().filter(|(path, _)| is_sql(Path::new(path)));
        sql.any(|(path, _)| !read.contains(path.as_str()))
    }
}

fn is_sql(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
}
