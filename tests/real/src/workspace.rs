//! Where things of ours are, as cargo knows it.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Result;

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

    /// Of ours in the target directory.
    pub(crate) fn below(&self, folder: &str) -> PathBuf {
        self.target.join("real").join(folder)
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

/// What cargo says of the package or workspace in a folder; it downloads what that depends on, and builds nothing.
pub(crate) fn metadata(folder: &Path, options: &[&str]) -> Result<Value> {
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

pub(crate) fn text<'v>(value: &'v Value, key: &str) -> Result<&'v str> {
    let text = value.get(key).and_then(Value::as_str);
    text.ok_or_else(|| format!("failed to read what cargo said: no `{key}`").into())
}
