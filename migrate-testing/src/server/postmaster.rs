//! Starts `postgres` in an instance directory and waits until it serves.
//!
//! It must not know how long the server will live or who else uses it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::cluster;
use super::environment::Environment;
use super::error::{Doing, ServerError};
use super::hash::Hash;
use super::home::{self, Home};
use super::probe::Binaries;
use super::user::ServerUser;
use super::{Own, version};

/// Nothing here is meant to survive a crash, and tests want many connections.
const DEFAULTS: [(&str, &str); 8] = [
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("autovacuum", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("shared_buffers", "128MB"),
    ("max_connections", "200"),
];

const PATIENCE: Duration = Duration::from_secs(60);
const SOCKET_ONLY_PORT: u16 = 5432;
const LOG_TAIL_LINES: usize = 20;

/// What a server is started with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Settings {
    extra: BTreeMap<String, String>,
    tcp: bool,
}

impl Settings {
    pub(super) fn set(&mut self, name: &str, value: &str) {
        self.extra.insert(name.to_owned(), value.to_owned());
    }

    pub(super) fn listen_tcp(&mut self) {
        self.tcp = true;
    }

    pub(super) fn tcp(&self) -> bool {
        self.tcp
    }

    fn all(&self) -> impl Iterator<Item = (&str, &str)> {
        let extra = self.extra.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        DEFAULTS.into_iter().chain(extra) // the last one counts
    }

    fn port(&self) -> std::io::Result<u16> {
        if !self.tcp {
            return Ok(SOCKET_ONLY_PORT);
        }
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        Ok(free.local_addr()?.port())
    }
}

/// Everything that it takes to start a server.
#[derive(Clone, Debug)]
pub(super) struct Launch {
    pub(super) binaries: Binaries,
    pub(super) user: ServerUser,
    pub(super) settings: Settings,
    pub(super) environment: Environment,
}

/// A server that runs, as our child.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) postmaster: Child,
    pub(super) own: Own,
}

impl Launch {
    /// Names servers that are as good as each other.
    pub(super) fn key(&self) -> String {
        let start = self.binaries.identity().add([u8::from(self.settings.tcp)]);
        let add = |hash: Hash, (name, value): (&str, &str)| hash.add(name).add(value);
        self.settings.all().fold(start, add).name()
    }

    /// Makes a fresh cluster in `dir` and starts it.
    pub(super) fn start(&self, home: &Home, dir: &Path) -> Result<Running, ServerError> {
        cluster::create(home, &self.binaries, &self.user, &data(dir))?;
        self.start_first(dir)
    }

    /// Makes a copy of a server that is stopped in `dir`, to follow it when it runs again. Installations that are fetched
    /// have no `pg_basebackup`.
    pub(super) fn copy_to_follow(
        &self,
        of: &Own,
        from: &Path,
        dir: &Path,
    ) -> Result<(), ServerError> {
        let copy = data(dir);
        cluster::copy(&data(from), &copy, &self.user).doing("copy a cluster to", &copy)?;
        let primary = format!(
            "primary_conninfo = 'host={} port={} user=postgres'\n",
            of.socket_dir.display(),
            of.port
        );
        let settings = copy.join("postgresql.auto.conf");
        let signal = copy.join("standby.signal");
        let mut file = File::options().append(true).open(&settings).doing("open", &settings)?;
        file.write_all(primary.as_bytes()).doing("write", &settings)?;
        File::create_new(&signal).and_then(|_| self.user.give(&signal)).doing("create", &signal)
    }

    pub(super) fn start_first(&self, dir: &Path) -> Result<Running, ServerError> {
        let log = log(dir);
        File::create_new(&log).and_then(|_| self.user.give(&log)).doing("create", &log)?;
        let mut tries = if self.settings.tcp { 5 } else { 1 };
        loop {
            tries -= 1;
            let port = self.settings.port().doing("find a free port for", dir)?;
            match self.start_again(dir, port) {
                Err(_) if tries > 0 && says(dir, "could not bind") => {} // somebody was faster
                started => return started,
            }
        }
    }

    /// Starts the cluster that is in `dir`, once.
    pub(super) fn start_again(&self, dir: &Path, port: u16) -> Result<Running, ServerError> {
        let log = log(dir);
        let out = File::options().write(true).truncate(true).open(&log).doing("open", &log)?;
        let err = out.try_clone().doing("open", &log)?;
        let mut command = self.command(dir, port);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let postmaster = command.spawn().doing("run", &self.binaries.postgres())?;
        self.wait_until_ready(dir, port, postmaster)
    }

    fn command(&self, dir: &Path, port: u16) -> Command {
        let mut command = self.user.command(&self.binaries.postgres());
        command.arg("-D").arg(data(dir)).arg("-k").arg(dir).args(["-p", &port.to_string()]);
        let addresses = if self.settings.tcp { "127.0.0.1" } else { "" };
        command.args(["-c", &format!("listen_addresses={addresses}")]);
        if home::is_memory(dir) {
            // As fast there as the default, and gone with the directory after a kill.
            command.args(["-c", "dynamic_shared_memory_type=mmap"]);
        }
        for (name, value) in self.settings.all() {
            command.args(["-c", &format!("{name}={value}")]);
        }
        command.env("LC_ALL", "C").env_remove("PGDATA").env_remove("PGPORT");
        command.process_group(0); // Ctrl-C is not for it
        command
    }

    fn wait_until_ready(
        &self,
        dir: &Path,
        port: u16,
        mut postmaster: Child,
    ) -> Result<Running, ServerError> {
        let own = Own {
            binaries: self.binaries.clone(),
            socket_dir: dir.to_owned(),
            port,
            tcp: self.settings.tcp,
            version: 0,
        };
        let deadline = Instant::now() + PATIENCE;
        let why = loop {
            if let Ok(Some(status)) = postmaster.try_wait() {
                break format!("postgres ended with {status}");
            }
            if says_ready(dir, postmaster.id())
                && let Ok(version) = version::ask(&own.options("postgres"))
            {
                return Ok(Running { postmaster, own: Own { version, ..own } });
            }
            if Instant::now() > deadline {
                let _ = postmaster.kill().and_then(|()| postmaster.wait());
                break format!("it was not ready after {} seconds", PATIENCE.as_secs());
            }
            thread::sleep(Duration::from_millis(1));
        };
        Err(ServerError::Start { why, log: log_tail(dir) })
    }
}

/// Whether the postmaster `pid` has declared itself ready. A file left by a killed one says so too,
/// hence the number.
fn says_ready(dir: &Path, pid: u32) -> bool {
    let text = fs::read_to_string(data(dir).join("postmaster.pid")).unwrap_or_default();
    let mut lines = text.lines().map(str::trim);
    let same = lines.next() == Some(pid.to_string().as_str());
    same && lines.nth(6) == Some("ready")
}

/// Whether the log of the last start has `text` in it.
pub(super) fn says(dir: &Path, text: &str) -> bool {
    fs::read_to_string(log(dir)).is_ok_and(|log| log.contains(text))
}

fn log_tail(dir: &Path) -> String {
    let log = fs::read(log(dir)).unwrap_or_default();
    let log = String::from_utf8_lossy(&log);
    let lines: Vec<&str> = log.lines().collect();
    let start = lines.len().saturating_sub(LOG_TAIL_LINES);
    lines.get(start..).unwrap_or_default().join("\n")
}

fn data(dir: &Path) -> PathBuf {
    dir.join("data")
}

fn log(dir: &Path) -> PathBuf {
    dir.join("log")
}
