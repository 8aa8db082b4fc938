//! Where the project is.
//!
//! Owns one rule: a relative folder belongs to the workspace that cargo runs us from, whatever folder the
//! user stands in; a program that cargo does not run takes the current folder. So does our own one: cargo runs
//! that from our sources, and those are nobody's project.

use std::path::{Path, PathBuf};

/// The folder that relative paths start from.
pub(crate) fn root() -> PathBuf {
    let package = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let theirs = package.filter(|package| package != Path::new(env!("CARGO_MANIFEST_DIR")));
    theirs.map_or_else(PathBuf::new, |package| workspace_of(&package))
}

/// The nearest folder that holds a lock file: cargo keeps one for each workspace.
fn workspace_of(package: &Path) -> PathBuf {
    let holds_lock = |folder: &&Path| folder.join("Cargo.lock").is_file();
    package.ancestors().find(holds_lock).unwrap_or(package).to_owned()
}

/// The path as people would type it here.
pub(crate) fn shown(path: &Path) -> PathBuf {
    let here = std::env::current_dir().unwrap_or_default();
    path.strip_prefix(here).unwrap_or(path).to_owned()
}
