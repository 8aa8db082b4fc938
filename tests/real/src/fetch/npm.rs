//! Lets npm get a package: `npm pack` downloads its archive and runs nothing of it.

use std::path::PathBuf;
use std::process::Command;

use super::{client, kept};
use crate::Result;
use crate::workspace::Workspace;

const HELP: &str = "Put npm on PATH: `apt-get install npm`, or what comes with any Node.js.";

/// The folder that a package's archive holds.
pub(super) fn fetch(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    let package = kept(workspace, "npm", &format!("{name}-{version}"), |folder| {
        let mut npm = Command::new("npm");
        npm.args(["pack", "--silent"]).arg(format!("{name}@{version}")).current_dir(folder);
        let archive = client::run(&mut npm, &format!("{name} {version}"), HELP)?;
        let mut tar = Command::new("tar");
        tar.arg("-xzf").arg(archive.trim()).current_dir(folder);
        client::run(&mut tar, &format!("{name} {version}"), "Put tar on PATH.").map(drop)
    })?;
    Ok(package.join("package"))
}
