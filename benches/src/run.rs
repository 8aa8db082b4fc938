//! What a run was: the command, the day, the machine, the server, and which versions of everybody.
//!
//! Owns the words for them. Knows nothing of what was measured.

use std::collections::BTreeMap;
use std::fs::read_to_string;
use std::path::Path;
use std::process::Command;

use crate::Result;

/// One run of a measurement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// What repeats it.
    pub command: String,
    /// The day it began.
    pub date: String,
    /// What it ran on, and how busy that was.
    pub machine: String,
    /// What was connected to.
    pub server: String,
    /// The version of each tool.
    pub versions: BTreeMap<String, String>,
}

/// Whose crate a tool is.
const CRATES: [(&str, &str); 5] = [
    ("migrate", "migrate-postgres"),
    ("sqlx", "sqlx"),
    ("refinery", "refinery"),
    ("diesel", "diesel_migrations"),
    ("sea-orm", "sea-orm-migration"),
];

impl Run {
    /// One that begins now, on this machine.
    ///
    /// # Errors
    /// When this is not Linux.
    pub fn begin(command: &str, server: &str) -> Result<Self> {
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        Ok(Self {
            command: command.to_owned(),
            date: told("date", "+%Y-%m-%d")?,
            machine: machine()?,
            server: server.to_owned(),
            versions: versions(&read_to_string(lock)?),
        })
    }
}

fn told(program: &str, argument: &str) -> Result<String> {
    let output = Command::new(program).arg(argument).output()?;
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

fn machine() -> Result<String> {
    let cores = std::thread::available_parallelism()?;
    let memory: f64 = field("/proc/meminfo", "MemTotal")?.trim_end_matches("kB").trim().parse()?;
    let processor = field("/proc/cpuinfo", "model name").unwrap_or_default();
    let load = read_to_string("/proc/loadavg")?;
    let load = load.split(' ').next().unwrap_or_default();
    let rustc = told("rustc", "--version")?;
    let rustc = rustc.split(" (").next().unwrap_or_default();
    let processor = if processor.is_empty() { String::new() } else { format!(" ({processor})") };
    Ok(format!(
        "{cores} cores{processor}, {:.0} GiB of memory, {rustc}, a load of {load} when it began",
        memory / 1024.0 / 1024.0
    ))
}

/// A line of the kernel's: a name, a colon, the value.
fn field(path: &str, name: &str) -> Result<String> {
    let text = read_to_string(path)?;
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    let line = lines.find(|(key, _)| key.trim() == name);
    line.map(|(_, value)| value.trim().to_owned()).ok_or_else(|| format!("no {name}").into())
}

/// As a lock file has them, a line for the name and the next for the version.
fn versions(lock: &str) -> BTreeMap<String, String> {
    let find = |name: &str| {
        let (_, rest) = lock.split_once(&format!("name = \"{name}\"\nversion = \""))?;
        rest.split('"').next().map(ToOwned::to_owned)
    };
    let found = CRATES.iter().filter_map(|(tool, name)| Some(((*tool).to_owned(), find(name)?)));
    found.collect()
}
