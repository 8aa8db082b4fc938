//! What `run --report` writes: a page to look at, or data.
//!
//! Owns the file and what is in it. The page is drawn in `page`; what happened is the library's recording.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use migrate_postgres::{Plan, Recording};
use serde::Serialize;

use super::as_json;
use crate::exit::Failure;

mod escape;
mod page;
mod timeline;

/// What a run came to.
#[derive(Serialize)]
pub(crate) struct Reported<'r> {
    pub(crate) database: &'r str,
    /// As it was before the run, where there could be one.
    pub(crate) plan: Option<Plan>,
    pub(crate) recording: Recording,
}

/// Where it is written to. The file is made before the run: a place that nobody may write to is told at once.
pub(crate) struct ReportFile {
    path: PathBuf,
    file: File,
    is_page: bool,
}

impl ReportFile {
    pub(crate) fn create(path: &Path) -> Result<Self, Failure> {
        let is_page = match path.extension().and_then(|ending| ending.to_str()) {
            Some("html") => true,
            Some("json") => false,
            _ => {
                let message = format!("failed to choose a form for the report {}", path.display());
                return Err(Failure::usage(message, "Let its name end with .html or .json."));
            }
        };
        let what = format!("make the report {}", path.display());
        let file = File::create(path).map_err(Failure::file(what))?;
        Ok(Self { path: path.to_owned(), file, is_page })
    }

    pub(crate) fn write(mut self, reported: &Reported<'_>) -> Result<(), Failure> {
        let text = if self.is_page { page::page(reported) } else { as_json(reported) + "\n" };
        let what = format!("write the report {}", self.path.display());
        self.file.write_all(text.as_bytes()).map_err(Failure::file(what))
    }
}

#[cfg(test)]
mod tests;
