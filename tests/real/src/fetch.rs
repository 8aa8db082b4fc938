//! Lets cargo fetch the packages and finds the folders in them.
//!
//! A manifest outside the workspace names them, and `cargo metadata` downloads and unpacks them without building
//! anything. Knows nothing of databases.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;
use crate::packages::{PACKAGES, Package};

/// A folder of migrations of a package.
pub(crate) struct Found {
    pub(crate) package: &'static Package,
    /// Below the package, such as `tests/postgres/migrations`.
    pub(crate) folder: String,
    pub(crate) path: PathBuf,
}

/// Where things of ours are.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) target: PathBuf,
}

impl Workspace {
    pub(crate) fn ask() -> Result<Self> {
        let root = root();
        let answer = metadata(&root, &["--no-deps", "--offline"])?;
        let target = text(&answer, "target_directory")?;
        Ok(Self { target: target.into(), root })
    }
}

/// The folder of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_owned()
}

pub(crate) fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Every folder of every package, in the order of the list.
pub(crate) fn folders(workspace: &Workspace) -> Result<Vec<Found>> {
    let manifest = workspace.target.join("real/fetch");
    write_manifest(&manifest)?;
    // What is here already needs no network.
    let answer = metadata(&manifest, &["--offline"]).or_else(|_| metadata(&manifest, &[]))?;
    let mut found = Vec::new();
    for package in &PACKAGES {
        found.extend(folders_of(package, &directory(&answer, package)?)?);
    }
    Ok(found)
}

fn write_manifest(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("src/lib.rs"), "")?;
    let head = "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n";
    let entry = |package: &Package| {
        let Package { name, version, options, .. } = package;
        format!("{name} = {{ version = \"={version}\"{options} }}\n")
    };
    let entries: String = PACKAGES.iter().map(entry).collect();
    Ok(std::fs::write(folder.join("Cargo.toml"), format!("{head}{entries}"))?)
}

fn metadata(folder: &Path, options: &[&str]) -> Result<Value> {
    let output = cargo()
        .args(["metadata", "--format-version", "1", "--quiet"])
        .args(options)
        .current_dir(folder)
        .output()?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(format!("failed to fetch the packages: {said}").into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str> {
    let text = value.get(key).and_then(Value::as_str);
    text.ok_or_else(|| format!("failed to read what cargo said: no `{key}`").into())
}

/// Where cargo has unpacked a package.
fn directory(answer: &Value, package: &Package) -> Result<PathBuf> {
    let is =
        |value: &Value, key, expected| value.get(key).and_then(Value::as_str) == Some(expected);
    let all = answer.get("packages").and_then(Value::as_array);
    let this = all
        .into_iter()
        .flatten()
        .find(|other| is(other, "name", package.name) && is(other, "version", package.version));
    let this =
        this.ok_or_else(|| format!("failed to fetch {} {}", package.name, package.version))?;
    let manifest = Path::new(text(this, "manifest_path")?);
    Ok(manifest.parent().unwrap_or(manifest).to_owned())
}

fn folders_of(package: &'static Package, directory: &Path) -> Result<Vec<Found>> {
    let mut there = BTreeSet::new();
    collect(&directory.join(package.below), &mut there)?;
    let paths = |folders: &[&str]| -> BTreeSet<PathBuf> {
        let paths = folders.iter().map(|folder| directory.join(package.below).join(folder));
        paths.map(|path| path.components().collect()).collect()
    };
    let (listed, others) = (paths(package.folders), paths(package.look_alikes));
    there.retain(|path| !others.contains(path));
    if there != listed {
        let Package { name, version, .. } = package;
        return Err(format!(
            "failed to find the folders of {name} {version}: listed {listed:?}, found {there:?}"
        )
        .into());
    }
    let found = there.into_iter().map(|path| {
        let folder = path.strip_prefix(directory).unwrap_or(&path).display().to_string();
        Found { package, folder, path }
    });
    Ok(found.collect())
}

/// Folders that hold a file whose name begins like that of a migration.
fn collect(folder: &Path, found: &mut BTreeSet<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
        if path.is_dir() {
            collect(&path, found)?;
        } else if is_migration(&name) {
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
        let folder = fetch_test_folder();
        let package = &PACKAGES[0];
        assert!(folders_of(package, &folder).is_ok());
        std::fs::create_dir_all(folder.join("migrations/more")).unwrap();
        std::fs::write(folder.join("migrations/more/1_a.sql"), "").unwrap();
        assert!(folders_of(package, &folder).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

    fn fetch_test_folder() -> PathBuf {
        let folder = std::env::temp_dir().join(format!("real{}", std::process::id()));
        std::fs::create_dir_all(folder.join("migrations")).unwrap();
        std::fs::write(folder.join("migrations/1_a.sql"), "").unwrap();
        folder
    }
}
