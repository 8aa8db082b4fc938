//! `new`: the files of a migration, with a version that comes after all others.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use migrate_core::calendar;

use crate::args::New;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::Files;

pub(crate) fn carry_out(context: &Context, new: &New) -> Result<Exit, Failure> {
    let name = name(&new.name)?;
    let folder = context.existing_folder()?;
    let newest = newest(&folder)?;
    let version = next_version(newest);
    let mut files = Vec::new();
    for (ending, text) in texts(new) {
        let file = folder.join(format!("{version}_{name}{ending}.sql"));
        write_new(&file, &text)?;
        files.push(file);
    }
    context.output.result(&Files { files });
    Ok(Exit::Done)
}

/// Now, or later where somebody was ahead of time.
pub(super) fn next_version(newest: i64) -> i64 {
    timestamp(SystemTime::now()).max(newest + 1)
}

/// Words of a file name: `Create users!` is `create_users`.
fn name(words: &[String]) -> Result<String, Failure> {
    let lower = words.join("_").to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let name = parts.collect::<Vec<_>>().join("_");
    if name.is_empty() || name.len() > 200 {
        let message = format!("failed to name the migration: `{}` is no name", words.join(" "));
        return Err(Failure::usage(message, "Take a few words, such as create_users."));
    }
    Ok(name)
}

/// Of the files that are there, whatever is wrong with them.
fn newest(folder: &Path) -> Result<i64, Failure> {
    let what = format!("read {}", folder.display());
    let entries = std::fs::read_dir(folder).map_err(Failure::file(what.clone()))?;
    let mut newest = 0;
    for entry in entries {
        let entry = entry.map_err(Failure::file(what.clone()))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let version = name.split_once('_').and_then(|(version, _)| version.parse().ok());
        newest = newest.max(version.unwrap_or_default());
    }
    Ok(newest)
}

/// Never over a file that is there.
fn write_new(file: &Path, text: &str) -> Result<(), Failure> {
    use std::io::Write;
    let opened = std::fs::OpenOptions::new().write(true).create_new(true).open(file);
    let written = opened.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(Failure::file(format!("write {}", file.display())))
}

/// Endings of file names, and what to begin with. None of them is forgotten: a file without a statement is
/// refused, and a way back without one is none, which `down = "require"` refuses.
fn texts(new: &New) -> Vec<(&'static str, String)> {
    let directive = if new.no_transaction { "-- migrate: no-transaction\n" } else { "" };
    let with = |text: &str| format!("{directive}{text}");
    if !new.phases {
        return vec![("", with(UP)), (".down", with(DOWN))];
    }
    vec![
        (".expand", EXPAND.to_owned()),
        (".migrate", with(MIGRATE)),
        (".contract", CONTRACT.to_owned()),
        (".down", PHASES_DOWN.to_owned()),
        (".contract.down", CONTRACT_DOWN.to_owned()),
    ]
}

const UP: &str = "-- What to change; code that runs now must not notice.\n\n";
const DOWN: &str = "-- What takes it back.\n\n";
const EXPAND: &str = "-- Adds what the code that runs now does not notice.\n\n";
const MIGRATE: &str = "-- Moves data, builds indexes, validates constraints.\n\n";
const CONTRACT: &str = "-- Removes what the code before needed; runs only when asked for.\n\n";
const PHASES_DOWN: &str = "-- What takes back expand and migrate, whichever of them have run.\n\n";
const CONTRACT_DOWN: &str = "-- What takes back the contract. Where nothing can, remove this file and write into the contract:\n\
    -- `migrate: irreversible because …`.\n\n";

/// YYYYMMDDHHMMSS in UTC.
fn timestamp(now: SystemTime) -> i64 {
    let seconds = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    let (days, clock) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = calendar::date(days);
    let time = clock / 3600 * 10_000 + clock / 60 % 60 * 100 + clock % 60;
    (year * 10_000 + month * 100 + day) * 1_000_000 + time
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn versions_are_times_in_utc() {
        let at = |seconds| timestamp(UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(at(0), 19_700_101_000_000);
        assert_eq!(at(951_827_696), 20_000_229_123_456);
        assert_eq!(at(1_795_253_400), 20_261_121_093_000);
        assert_eq!(at(4_107_542_399), 21_000_228_235_959);
        assert_eq!(at(4_107_542_400), 21_000_301_000_000);
    }

    #[test]
    fn a_name_is_words() {
        let name = |words: &[&str]| {
            name(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>()).ok()
        };
        assert_eq!(name(&["create_users"]).as_deref(), Some("create_users"));
        assert_eq!(name(&["Create", "users!"]).as_deref(), Some("create_users"));
        assert_eq!(name(&["a.down"]).as_deref(), Some("a_down"));
        assert_eq!(name(&["../x"]).as_deref(), Some("x"));
        assert_eq!(name(&["--"]), None);
    }
}
