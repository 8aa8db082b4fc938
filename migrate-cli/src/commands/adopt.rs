//! `adopt`: takes over the history of an application that migrated with sqlx.
//!
//! What is applied is written down as released, beside the files that it is about. Asks nothing: what was there
//! before stays as it is.

use std::path::{Path, PathBuf};

use migrate_core::Version;
use migrate_core::source::{SETTINGS_FILE, Settings};
use migrate_postgres::{FromSqlx, Migrator};

use crate::args::Adopt;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::{Adoption, MirrorStopped, Released};
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, typed: &Adopt) -> Result<Exit, Failure> {
    let folder = context.folder();
    let from = typed.how(&folder)?;
    let source = context.source()?;
    let place = context.place()?;
    let migrator = context.migrator(&source);
    if typed.stop_mirror {
        return stop_mirror(context, &migrator, &place).await;
    }
    let report = match typed.dry_run {
        true => migrator.plan_adoption(&place.options, &from).await?,
        false => migrator.adopt_sqlx_with(&place.options, &from).await?,
    };
    let released = match report.released.filter(|_| !typed.dry_run) {
        Some(version) => Some(write_released(&folder, version)?),
        None => None,
    };
    context.output.result(&Adoption {
        database: place.to_string(),
        dry_run: typed.dry_run,
        report: &report,
        released,
        folder: &folder,
        program: &context.program,
    });
    Ok(Exit::Done)
}

async fn stop_mirror(
    context: &Context,
    migrator: &Migrator,
    place: &Place,
) -> Result<Exit, Failure> {
    let stopped = migrator.stop_mirror(&place.options).await?;
    context.output.result(&MirrorStopped { database: place.to_string(), stopped });
    Ok(Exit::Done)
}

impl Adopt {
    fn how(&self, folder: &Path) -> Result<FromSqlx, Failure> {
        self.heed_sqlx_toml(folder)?;
        let mut from = FromSqlx::new();
        if let Some(name) = &self.sqlx_table {
            from = from.table(name);
        }
        if let Some(chars) = &self.ignored_chars {
            from = from.ignored_chars(chars.chars());
        }
        if self.accept_changed {
            from = from.accept_changed();
        }
        if self.accept_missing {
            from = from.accept_missing();
        }
        if self.accept_reverted {
            from = from.accept_reverted();
        }
        Ok(if self.mirror { from.mirror() } else { from })
    }

    /// What stands there and was not typed would be found out as something else: no table, or changed files.
    fn heed_sqlx_toml(&self, folder: &Path) -> Result<(), Failure> {
        let file = folder.parent().unwrap_or(Path::new("")).join("sqlx.toml");
        let Ok(text) = std::fs::read_to_string(&file) else { return Ok(()) };
        let typed = [
            ("table-name", "--sqlx-table", self.sqlx_table.is_some()),
            ("ignored-chars", "--ignored-chars", self.ignored_chars.is_some()),
        ];
        for (key, option, _) in typed.iter().filter(|(.., typed)| !typed) {
            let said = |line: &&str| line.trim_start().starts_with(key);
            if let Some(line) = text.lines().find(said) {
                let message = format!("failed to adopt: {} says `{}`", file.display(), line.trim());
                return Err(Failure::usage(message, format!("Pass the same with {option}.")));
            }
        }
        Ok(())
    }
}

/// Never lowers what the file says: another database may be further.
fn write_released(folder: &Path, version: Version) -> Result<Released, Failure> {
    let file = folder.join(SETTINGS_FILE);
    let released = |written: bool| Released { file: file.clone(), version, written };
    if !folder.is_dir() {
        return Ok(released(false));
    }
    let text = read(&file)?;
    let (settings, _) = Settings::read("", &text);
    if settings.released >= Some(version) {
        return Ok(Released { version: settings.released.unwrap_or(version), ..released(true) });
    }
    match std::fs::write(&file, Settings::with_released(&text, version)) {
        Ok(()) => Ok(released(true)),
        // A deploy may have the folder where nobody can write; the history is adopted all the same.
        Err(_) => Ok(released(false)),
    }
}

fn read(file: &PathBuf) -> Result<String, Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(Failure::file(format!("read {}", file.display()))(error)),
    }
}
