//! What has changed in a folder, as git tells.
//!
//! Owns the questions to the program `git` and how its answers are read. Knows nothing of migrations.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output};

use crate::exit::Failure;

/// The names of the files in a folder that were added or changed since a revision, those that git does not know
/// among them.
pub(crate) fn changed_since(folder: &Path, revision: &str) -> Result<BTreeSet<String>, Failure> {
    let commit = commit(folder, revision)?;
    let changed = [
        "diff",
        "--name-only",
        "-z",
        "--no-renames",
        "--no-ext-diff",
        "--diff-filter=d",
        "--relative",
        &commit,
        "--",
        ".",
    ];
    let mut names = names(&ask(folder, revision, &changed)?);
    names.extend(self::names(&ask(folder, revision, &["ls-files", "-z", "--others", "--", "."])?));
    Ok(names)
}

/// The commit that a revision names; what begins with a dash is no option.
fn commit(folder: &Path, revision: &str) -> Result<String, Failure> {
    ask(folder, revision, &["rev-parse", "--show-prefix"])?;
    let peeled = format!("{revision}^{{commit}}");
    let output = run(folder, &["rev-parse", "--verify", "--quiet", "--end-of-options", &peeled])?;
    if !output.status.success() {
        let message =
            format!("failed to ask git what has changed: it knows no commit `{revision}`");
        let help = "Name a branch, a tag or a commit that is in this clone; a shallow one has to fetch it first.";
        return Err(Failure::usage(message, help));
    }
    Ok(text(&output.stdout).trim().to_owned())
}

fn ask(folder: &Path, revision: &str, words: &[&str]) -> Result<Vec<u8>, Failure> {
    let output = run(folder, words)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let told = text(&output.stderr);
    let told = told.lines().next().unwrap_or("it says nothing").trim_start_matches("fatal: ");
    let message = format!("failed to ask git what has changed since {revision}: {told}");
    let help =
        format!("Leave out --since, or look at what `git -C {} status` says.", folder.display());
    Err(Failure::usage(message, help))
}

fn run(folder: &Path, words: &[&str]) -> Result<Output, Failure> {
    let output = Command::new("git").arg("-C").arg(folder).args(words).output();
    output.map_err(|error| {
        let message = format!("failed to start git: {error}");
        Failure::usage(message, "Install git where --since is used, or leave that out.")
    })
}

/// What stands between NULs.
fn names(listed: &[u8]) -> BTreeSet<String> {
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(text).collect()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
