//! How fast a linter on the command line reads folders that other people wrote.
//!
//! Owns which programs are asked and what counts: files for a second of CPU, of all folders together, each folder in
//! a process of its own, as somebody would call it. Knows nothing of what they find.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::figures::{Figures, Key};
use crate::{Result, output, progress, usage};

/// The version that is asked for beside ours.
const SQUAWK: &str = "squawk-cli==2.70.0";

/// The figure of a linter.
pub fn key(tool: &'static str) -> Key {
    Key { measure: "files_per_cpu_second", tool, mode: "command line", migrations: 0 }
}

/// A folder and its files.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    files: Vec<PathBuf>,
}

/// All folders that were fetched.
///
/// # Errors
/// When one cannot be fetched or read.
pub fn folders() -> Result<Vec<Folder>> {
    let of = |folder: migrate_real::Folder| {
        let entries = std::fs::read_dir(&folder.path)?.flatten().map(|entry| entry.path());
        let files = entries.filter(|path| path.extension().is_some_and(|end| end == "sql"));
        Ok(Folder { files: files.collect(), path: folder.path })
    };
    let folders = migrate_real::folders().map_err(|error| error.to_string())?;
    folders.into_iter().map(of).collect()
}

/// Measures each linter, one after the other in each round.
///
/// # Errors
/// When ours cannot be built, or a program not be started.
pub fn measure(figures: &mut Figures, folders: &[Folder], rounds: usize) -> Result<()> {
    let (ours, theirs) = (ours()?, squawk());
    if theirs.is_none() {
        progress("squawk cannot be fetched by pip, and is left out");
    }
    for _ in 0..rounds {
        let speed = speed(folders, |folder| {
            let mut migrate = Command::new(&ours);
            migrate.args(["lint", "--format", "json", "--folder"]).arg(&folder.path);
            migrate
        })?;
        progress(&format!("migrate: {speed:.0} files for a second of CPU"));
        figures.add(key("migrate"), speed);
        let Some(squawk) = &theirs else { continue };
        let speed = self::speed(folders, |folder| {
            let mut command = Command::new(squawk);
            command.args(["--reporter", "json"]).args(&folder.files);
            command
        })?;
        progress(&format!("squawk: {speed:.0} files for a second of CPU"));
        figures.add(key("squawk"), speed);
        figures.compare(key("migrate"), key("squawk"));
    }
    Ok(())
}

/// Files of all folders for a second of CPU.
fn speed(folders: &[Folder], command: impl Fn(&Folder) -> Command) -> Result<f64> {
    let before = usage::children_cpu()?;
    for folder in folders {
        // A finding makes a linter fail; not to be there would be an error.
        command(folder).stdout(Stdio::null()).stderr(Stdio::null()).status()?;
    }
    let cpu = usage::children_cpu()? - before;
    let files: usize = folders.iter().map(|folder| folder.files.len()).sum();
    Ok(files as f64 / cpu)
}

/// Our program, built for release.
fn ours() -> Result<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--release", "--package", "migrate-cli", "--target-dir"]);
    let built = cargo.arg(root.join("target")).current_dir(&root).status()?;
    match built.success() {
        true => Ok(root.join("target/release/migrate")),
        false => Err("migrate does not compile".into()),
    }
}

/// Theirs, out of a package of Python's registry.
fn squawk() -> Option<PathBuf> {
    let home = output().join("squawk");
    let program = home.join("bin/squawk");
    if !program.is_file() {
        let mut pip = Command::new("pip");
        pip.args(["install", "--quiet", "--no-deps", "--prefix"]).arg(&home).arg(SQUAWK);
        pip.stdout(Stdio::null()).stderr(Stdio::null()).status().ok()?;
    }
    program.is_file().then_some(program)
}
