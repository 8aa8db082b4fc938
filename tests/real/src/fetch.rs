//! Gets the packages and finds the folders in them.
//!
//! How a package is got is said in a file for each registry; all of them keep what they got in the target directory,
//! so that a second run needs no network. Knows nothing of databases.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::packages::{Origin, PACKAGES, Package};
use crate::prepare;
use crate::workspace::Workspace;
use crate::{Result, say};

mod client;
mod crates;
mod npm;
mod pypi;

pub(crate) use pypi::tools;

/// A folder of migrations of a package.
pub(crate) struct Found {
    pub(crate) package: &'static Package,
    /// Below the package, such as `tests/postgres/migrations`.
    pub(crate) folder: String,
    pub(crate) path: PathBuf,
    /// What was done to it.
    pub(crate) prepared: Option<String>,
}

/// Every folder of every package, in the order of the list.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<Found>> {
    let crates = crates::fetch(workspace)?;
    let mut found = Vec::new();
    for package in &PACKAGES {
        let directory = match package.from {
            Origin::Crate(_) => crates.directory(package)?,
            Origin::Npm => npm::fetch(workspace, package.name, package.version)?,
            Origin::PyPi => pypi::fetch(workspace, package.name, package.version)?,
        };
        for folder in folders_of(package, &directory)? {
            found.push(prepared(workspace, folder)?);
        }
    }
    Ok(found)
}

/// What pip unpacks of a package.
pub(crate) fn unpacked(workspace: &Workspace, package: &Package) -> Result<PathBuf> {
    pypi::fetch(workspace, package.name, package.version)
}

/// The first folder of a package that cargo gets, as it came.
pub(crate) fn first_folder(workspace: &Workspace, name: &str) -> Result<PathBuf> {
    let package = PACKAGES.iter().find(|package| package.name == name);
    let package =
        package.ok_or_else(|| format!("failed to find {name} in the list of packages"))?;
    let directory = crates::fetch(workspace)?.directory(package)?;
    let first = folders_of(package, &directory)?.into_iter().next();
    first.map(|found| found.path).ok_or_else(|| format!("{name} has no folder").into())
}

/// A folder that only the package's own program can run becomes one that others can, too.
fn prepared(workspace: &Workspace, found: Found) -> Result<Found> {
    let Package { name, version, prepare: Some(prepare), .. } = found.package else {
        return Ok(found);
    };
    let path = workspace.below("prepared").join(format!("{name}-{version}")).join(&found.folder);
    let files = prepare::folder(prepare, &found.path, &path)?;
    for file in &files {
        say(&format!("{name} {version} {}", file.line(&found.folder)))?;
    }
    Ok(Found { path, prepared: Some(prepare::note(prepare, &files)), ..found })
}

/// The place of a package in the target directory; `get` puts it into a new folder unless it is there.
fn kept(
    workspace: &Workspace,
    registry: &str,
    package: &str,
    get: impl FnOnce(&Path) -> Result<()>,
) -> Result<PathBuf> {
    let all = workspace.below(registry);
    let (done, unfinished) = (all.join(package), all.join(format!("{package}.unfinished")));
    if !done.exists() {
        empty(&unfinished)?;
        get(&unfinished)?;
        std::fs::rename(&unfinished, &done)?;
    }
    Ok(done)
}

/// Makes a folder, without what was in it.
pub(crate) fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    Ok(std::fs::create_dir_all(folder)?)
}

fn folders_of(package: &'static Package, directory: &Path) -> Result<Vec<Found>> {
    let mut there = BTreeSet::new();
    collect(&directory.join(package.below), &looks_like(package), &mut there)?;
    let paths = |folders: &[&str]| -> BTreeSet<PathBuf> {
        let paths = folders.iter().map(|folder| directory.join(package.below).join(folder));
        paths.map(|path| path.components().collect()).collect()
    };
    let (listed, others) = (paths(package.folders), paths(package.look_alikes));
    there.retain(|path| !others.contains(path));
    if there != listed {
        let package = package.shown();
        return Err(format!(
            "failed to find the folders of {package}: listed {listed:?}, found {there:?}"
        )
        .into());
    }
    let found = there.into_iter().map(|path| {
        let folder = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
        Found { package, folder, path, prepared: None }
    });
    Ok(found.collect())
}

/// What the files of its folders are called: those that get their number from us can have any name.
fn looks_like(package: &Package) -> fn(&str) -> bool {
    if package.prepare.is_some() { |name| name.ends_with(".sql") } else { is_migration }
}

/// Folders that hold a file whose name looks like that of a migration.
fn collect(
    folder: &Path,
    looks_like: &fn(&str) -> bool,
    found: &mut BTreeSet<PathBuf>,
) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, looks_like, found)?;
        } else if looks_like(&name) {
            found.insert(folder.components().collect());
        }
    }
    Ok(())
}

pub(crate) fn is_migration(name: &str) -> bool {
    let version = name.split_once('_').map(|(version, _)| version);
    name.ends_with(".sql") && version.is_some_and(|version| version.parse::<i64>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixtures_are_no_migrations() {
        assert!(is_migration("0_setup.sql") && is_migration("20220721124650_a.down.sql"));
        for other in ["users.sql", "2024.sql", "1_a.rs", "v1_a.sql"] {
            assert!(!is_migration(other), "{other}");
        }
    }

    #[test]
    fn a_folder_that_nobody_lists_is_an_error() {
        let there = "migrations/1_a.sql";
        let plain = &PACKAGES[0];
        assert!(finds(plain, &[there]));
        assert!(finds(plain, &[there, "migrations/seeds/users.sql"]));
        assert!(!finds(plain, &[there, "migrations/more/1_a.sql"]));
        assert!(!finds(plain, &["migrations/a.sql"]));
    }

    #[test]
    fn a_folder_that_is_prepared_may_have_files_of_any_name() {
        let prepared = PACKAGES.iter().find(|package| package.name == "graphile-worker").unwrap();
        assert!(finds(prepared, &["sql/000001.sql"]));
        assert!(!finds(prepared, &["sql/000001.sql", "sql/seeds/users.sql"]));
    }

    /// Whether the listed folders are all that a package with these files has.
    fn finds(package: &'static Package, files: &[&str]) -> bool {
        let folder =
            std::env::temp_dir().join(format!("real{}-{}", std::process::id(), package.name));
        for file in files {
            let file = folder.join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, "").unwrap();
        }
        let found = folders_of(package, &folder).is_ok();
        std::fs::remove_dir_all(folder).unwrap();
        found
    }
}
