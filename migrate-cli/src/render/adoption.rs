//! What taking over sqlx's history came to, and what is next.

use std::path::{Path, PathBuf};

use migrate_core::Version;
use migrate_postgres::{Adopted, AdoptionReport, MigrationId, Pending, Proof};
use serde::Serialize;

use super::words::{clean, count, migration, some};
use super::{Look, Show};

/// What `adopt` did, or would do.
#[derive(Serialize)]
pub(crate) struct Adoption<'a> {
    pub(crate) database: String,
    pub(crate) dry_run: bool,
    #[serde(flatten)]
    pub(crate) report: &'a AdoptionReport,
    #[serde(rename = "settings")]
    pub(crate) released: Option<Released>,
    #[serde(skip)]
    pub(crate) folder: &'a Path,
    #[serde(skip)]
    pub(crate) program: &'a str,
}

/// What the folder's settings say of what is released.
#[derive(Serialize)]
pub(crate) struct Released {
    pub(crate) file: PathBuf,
    pub(crate) version: Version,
    /// Does it stand in the file?
    pub(crate) written: bool,
}

impl Show for Adoption<'_> {
    fn text(&self, _: Look) -> String {
        let Some(table) = &self.report.table else {
            return format!("nothing to adopt: sqlx has no table in {}", self.database);
        };
        let mut lines = vec![format!("database  {}", self.database), format!("from      {table}")];
        lines.extend(self.proofs());
        lines.extend(self.unusual());
        lines.push(self.summary());
        lines.extend(self.mirror(table));
        lines.extend(self.released.as_ref().map(Released::line));
        lines.push(format!("\n{}", self.next()));
        lines.join("\n")
    }
}

impl Adoption<'_> {
    fn proofs(&self) -> Vec<String> {
        let told = [
            (Proof::Verified, "verified ", "byte for byte what sqlx ran"),
            (Proof::LineEnds, "line ends", "but for them, what sqlx ran"),
        ];
        let line = |(proof, head, what): (Proof, &str, &str)| match self.report.proven(proof) {
            0 => None,
            many => Some(format!("{head} {}: {what}", count(many, "file"))),
        };
        told.into_iter().filter_map(line).collect()
    }

    fn unusual(&self) -> Vec<String> {
        let AdoptionReport { adopted, left_out, reverted, pending, written_back, .. } = self.report;
        let changed: Vec<_> = adopted.iter().filter(|a| a.proof == Proof::Changed).collect();
        let mut lines = some(&changed, |Adopted { id, name, .. }| {
            format!("changed   {}: with its present text", migration(*id, name))
        });
        lines.extend(some(left_out, |(version, name)| {
            format!("left out  {version} {}: no file has it", clean(name))
        }));
        lines.extend(some(reverted, |(id, name)| {
            format!("reverted  {}: sqlx took it back", migration(*id, name))
        }));
        lines.extend(some(written_back, |id: &MigrationId| {
            format!("mirrored  {id}: sqlx's table did not have it")
        }));
        lines.extend(some(pending, |Pending { id, name, late }| {
            let late =
                if *late { "\n          older than the newest applied: --allow-late" } else { "" };
            format!("pending   {}{late}", migration(*id, name))
        }));
        lines
    }

    fn summary(&self) -> String {
        let AdoptionReport { adopted, known, reverted, .. } = self.report;
        let new = adopted.len() + reverted.len();
        let known = match known {
            0 => String::new(),
            known => format!("; {} known before", count(*known, "row")),
        };
        match (new, self.dry_run) {
            (0, _) => format!("adopted   nothing new{known}"),
            (new, true) => format!("adopted   nothing yet: {} would be{known}", count(new, "row")),
            (new, false) => format!("adopted   {} into the history{known}", count(new, "row")),
        }
    }

    fn mirror(&self, table: &str) -> Option<String> {
        let what = if self.dry_run { "would write" } else { "writes" };
        self.report.mirrored.then(|| {
            format!("mirror    every run {what} to {table}, too,\n          until `{} adopt --stop-mirror`", self.program)
        })
    }

    fn next(&self) -> String {
        let folder = self.folder.file_name().unwrap_or_default().to_string_lossy();
        format!(
            "next: where the application starts, change one line\n\
             \x20 - sqlx::migrate!(\"./{folder}\").run(&pool).await?;\n\
             \x20 + Migrator::new(embed!(\"{folder}\")).run(&pool).await?;\n\
             with `use migrate_postgres::{{Migrator, embed}};`. sqlx's table stays; drop it\n\
             when no program that migrates with sqlx can come back."
        )
    }
}

impl Released {
    fn line(&self) -> String {
        let Released { file, version, written } = self;
        match written {
            true => format!("released  {version}, says {}", file.display()),
            false => format!("released  put `released = \"{version}\"` into {}", file.display()),
        }
    }
}

/// What `adopt --stop-mirror` did.
#[derive(Serialize)]
pub(crate) struct MirrorStopped {
    pub(crate) database: String,
    pub(crate) stopped: bool,
}

impl Show for MirrorStopped {
    fn text(&self, _: Look) -> String {
        match self.stopped {
            true => format!("the mirror is off; sqlx's table in {} stays as it is", self.database),
            false => format!("there was no mirror in {}", self.database),
        }
    }
}
