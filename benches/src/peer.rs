//! Other migrators, each a program of its own that takes what it has to do from us line by line.
//!
//! Owns how such a program is built and spoken to; it tells itself what a step took, so that our pipe is not in
//! the figures. One that cannot be built is left out, and the others are measured all the same.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::set::Folder;
use crate::{Result, progress, usage};

/// Another migrator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// With tokio-postgres.
    Refinery,
    /// With libpq.
    Diesel,
    /// With sqlx.
    SeaOrm,
}

impl Peer {
    /// All of them.
    pub const ALL: [Peer; 3] = [Peer::Refinery, Peer::Diesel, Peer::SeaOrm];

    /// The word for it, which is also its program's and its feature's.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Refinery => "refinery",
            Peer::Diesel => "diesel",
            Peer::SeaOrm => "sea-orm",
        }
    }

    /// What has to be there before it compiles.
    pub fn needs(self) -> &'static str {
        match self {
            Peer::Diesel => "it needs libpq: apt-get install libpq-dev, or brew install libpq",
            Peer::Refinery | Peer::SeaOrm => "see the compiler's words above",
        }
    }

    fn program(self) -> Result<PathBuf> {
        Ok(std::env::current_exe()?.with_file_name(self.name()))
    }

    fn build(self) -> Result<bool> {
        let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/Cargo.toml");
        let program = self.program()?;
        let target = program.ancestors().nth(2).ok_or("no target directory")?;
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--release", "--bin", self.name(), "--features"]);
        cargo.arg(self.name()).arg("--manifest-path").arg(manifest);
        Ok(cargo.arg("--target-dir").arg(target).status()?.success())
    }
}

/// Builds them all, and says which there are; the first time takes minutes.
///
/// # Errors
/// When cargo cannot be started.
pub fn build() -> Result<Vec<Peer>> {
    let mut built = Vec::new();
    for peer in Peer::ALL {
        progress(&format!("building {}", peer.name()));
        if peer.build()? {
            built.push(peer);
        } else {
            progress(&format!("{} is left out: {}", peer.name(), peer.needs()));
        }
    }
    Ok(built)
}

/// One of them at work.
#[derive(Debug)]
pub struct Session {
    peer: Peer,
    child: Child,
    /// Closed to end it.
    asks: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Session {
    /// Starts it on a folder; `way` is one of its program's words.
    ///
    /// # Errors
    /// When there is no such program.
    pub fn start(peer: Peer, way: &str, folder: &Folder, url: &str) -> Result<Self> {
        let mut command = Command::new(peer.program()?);
        command.arg(&folder.dir).args([url, way]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn()?;
        let answers = BufReader::new(child.stdout.take().ok_or("no stdout")?);
        Ok(Self { peer, asks: child.stdin.take(), answers, child })
    }

    /// How many seconds it takes to connect.
    ///
    /// # Errors
    /// When it fails.
    pub fn connect(&mut self) -> Result<f64> {
        Ok(self.ask("connect")?.iter().sum())
    }

    /// How many seconds each of so many runs takes.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(&mut self, times: usize) -> Result<Vec<f64>> {
        self.ask(&format!("run {times}"))
    }

    fn ask(&mut self, line: &str) -> Result<Vec<f64>> {
        let mut asks = self.asks.as_ref().ok_or("it has ended")?;
        writeln!(asks, "{line}")?;
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(format!("{} failed to {line}", self.peer.name()).into());
        }
        Ok(answer.split_whitespace().map(str::parse).collect::<std::result::Result<_, _>>()?)
    }

    /// The most memory that it has had, in MiB.
    ///
    /// # Errors
    /// When it has ended.
    pub fn peak_mib(&self) -> Result<f64> {
        usage::peak_mib_of(&self.child.id().to_string())
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        drop(self.asks.take());
        let _ = self.child.wait(); // it ends with its input
    }
}
