//! Lets cargo get packages: a manifest outside the workspace names them, and `cargo metadata` downloads and unpacks
//! them without building anything.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::Result;
use crate::packages::{Origin, PACKAGES, Package};
use crate::workspace::{Workspace, metadata, text};

/// What cargo says of all of them.
pub(super) struct Crates(Value);

pub(super) fn fetch(workspace: &Workspace) -> Result<Crates> {
    let manifest = workspace.below("fetch");
    write_manifest(&manifest)?;
    // What is here already needs no network.
    let answer = metadata(&manifest, &["--offline"]).or_else(|_| metadata(&manifest, &[]))?;
    Ok(Crates(answer))
}

fn write_manifest(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("src/lib.rs"), "")?;
    let head = "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n";
    let entry = |package: &Package| match package.from {
        Origin::Crate(options) => {
            let Package { name, version, .. } = package;
            Some(format!("{name} = {{ version = \"={version}\"{options} }}\n"))
        }
        _ => None,
    };
    let entries: String = PACKAGES.iter().filter_map(entry).collect();
    let (path, manifest) = (folder.join("Cargo.toml"), format!("{head}{entries}"));
    if std::fs::read_to_string(&path).is_ok_and(|there| there == manifest) {
        return Ok(()); // another process may be reading it
    }
    Ok(std::fs::write(path, manifest)?)
}

impl Crates {
    /// Where cargo has unpacked a package.
    pub(super) fn directory(&self, package: &Package) -> Result<PathBuf> {
        let is =
            |value: &Value, key, expected| value.get(key).and_then(Value::as_str) == Some(expected);
        let all = self.0.get("packages").and_then(Value::as_array);
        let this = all
            .into_iter()
            .flatten()
            .find(|other| is(other, "name", package.name) && is(other, "version", package.version));
        let this = this.ok_or_else(|| format!("failed to fetch {}", package.shown()))?;
        let manifest = Path::new(text(this, "manifest_path")?);
        Ok(manifest.parent().unwrap_or(manifest).to_owned())
    }
}
