//! Folders on disk: read while the program runs, and compared with the embedded one in debug builds.

use std::path::Path;

use migrate_core::source::{File, WayBack};
use migrate_core::{Problem, Set, source};

/// Reads a folder of migrations.
pub(crate) fn read(folder: &Path) -> Result<Set, Vec<Problem>> {
    let shown = folder.display().to_string();
    let files = files(folder).map_err(|error| vec![unreadable(&shown, &error)])?;
    let files: Vec<_> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let contents = source::read(&shown, &files, WayBack::Ignore);
    if contents.has_errors() {
        return Err(contents.problems);
    }
    let set = Set::new(contents.migrations.into_iter().map(Into::into));
    set.map_err(|errors| {
        errors.iter().map(|error| Problem::error(&shown, error.to_string(), "")).collect()
    })
}

fn unreadable(folder: &str, error: &std::io::Error) -> Problem {
    Problem::error(
        folder,
        format!("cannot read the folder: {error}"),
        "Correct the path, or create the folder.",
    )
}

fn files(folder: &Path) -> std::io::Result<Vec<(String, Vec<u8>)>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_file() && is_ours(&path) {
            files.push((path.display().to_string(), std::fs::read(&path)?));
        }
    }
    Ok(files)
}

fn is_ours(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("sql"))
        || path.file_name().is_some_and(|name| name == source::SETTINGS_FILE)
}

/// Files that came or went since the program was compiled, when they stood in order; none when the folder is not
/// there.
pub(crate) fn changed_since(folder: &str, embedded: &[&str]) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let (mut came, mut stayed) = (Vec::new(), vec![false; embedded.len()]);
    for name in names.filter(|name| name.ends_with(".sql")) {
        match embedded.binary_search(&name.as_str()).ok().and_then(|at| stayed.get_mut(at)) {
            Some(stayed) => *stayed = true,
            None => came.push(name),
        }
    }
    let went = embedded.iter().zip(stayed).filter(|(_, stayed)| !stayed);
    went.map(|(name, _)| (*name).to_owned()).chain(came).collect()
}

/// The last part of a path: what the user calls the folder.
pub(crate) fn name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}
