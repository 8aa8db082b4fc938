//! How long a server lives: as long as somebody uses it, which a detached shell script watches.
//!
//! Destructors do not run when a process is killed, nor for statics ever. So each user of an
//! instance holds an open file, a [`Hold`], that the kernel closes for it; the script at the other
//! end notices at once. This module owns both ends, and must not know how a server is started.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{self, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::error::{Doing, ServerError};
use super::user::ServerUser;

/// Waits for the time that a file says; holds the server by its output, and a lock by its errors.
const LINGER: &str = "while [ \"$(date +%s)\" -lt \"$(cat \"$1\")\" ]; do sleep 1; done";
const SCRIPT: &str = include_str!("watchdog.sh");
const PATIENCE: Duration = Duration::from_secs(10);

/// While this exists, the instance does.
#[derive(Debug)]
pub(super) struct Hold {
    users: File,
}

impl Hold {
    /// Has the instance outlive us by `seconds`, for somebody who wants to look at what is in it.
    ///
    /// A script is a user in our place, the same for all that ask: each moves the end.
    pub(super) fn linger(&self, dir: &Path, seconds: u64) {
        if let Err(error) = self.try_linger(dir, seconds) {
            tracing::debug!(%error, "failed to keep the server: it goes with its last user");
        }
    }

    fn try_linger(&self, dir: &Path, seconds: u64) -> io::Result<()> {
        let until = dir.join("linger");
        let mut file = File::options().write(true).create(true).truncate(false).open(&until)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        file.write_all(format!("{}\n", now + seconds).as_bytes())?; // as long as the line before
        if file.try_lock().is_err() {
            return Ok(()); // it runs, and looks at the file
        }
        let mut script = Command::new("sh");
        script.args(["-c", LINGER, "migrate-pg-linger"]).arg(&until).current_dir("/");
        script.stdin(Stdio::null()).stdout(self.users.try_clone()?).stderr(file);
        script.process_group(0).spawn().map(|_| ())
    }
}

/// How it went to become a user of an instance.
#[derive(Debug)]
pub(super) enum Entry {
    Admitted(Hold),
    /// The instance is ending, or never was.
    Closed,
    /// Nobody watches it: somebody killed the watchdog.
    Unwatched,
}

/// Has `dir` watched, with us as its first user: it goes `grace` seconds after the last one.
pub(super) fn watch(dir: &Path, user: &ServerUser, grace: u32) -> Result<Hold, ServerError> {
    let users = users(dir);
    let bootstrap = if users.exists() { bootstrap(&users)? } else { create(&users, user)? };
    let hold = open(&mut OpenOptions::new(), &users).doing("open", &users)?;
    let mut watchdog = user.command(Path::new("sh"));
    watchdog.args(["-c", SCRIPT, "migrate-pg-watchdog"]).arg(dir).arg(grace.to_string());
    run(watchdog.process_group(0))?; // Ctrl-C is not for it
    drop(bootstrap);
    Ok(Hold { users: hold })
}

/// Makes the FIFO. It gets its name once somebody reads it, so that it never looks unwatched.
fn create(users: &Path, user: &ServerUser) -> Result<File, ServerError> {
    let unfinished = users.with_extension("new");
    let _ = fs::remove_file(&unfinished); // of somebody who was killed here
    run(user.command(Path::new("mkfifo")).args(["-m", "600"]).arg(&unfinished))?;
    let bootstrap = bootstrap(&unfinished)?;
    fs::rename(&unfinished, users).doing("rename", &unfinished)?;
    Ok(bootstrap)
}

/// Opens both ends of the FIFO, to stand in for the watchdog until it has come up.
fn bootstrap(users: &Path) -> Result<File, ServerError> {
    open(OpenOptions::new().read(true), users).doing("open", users)
}

/// Becomes a user of the instance in `dir`.
pub(super) fn enter(dir: &Path) -> Result<Entry, ServerError> {
    let users = users(dir);
    let mut hold = match knock(&users)? {
        Ok(hold) => hold,
        Err(entry) => return Ok(entry),
    };
    let name = visitor();
    if hold.write_all(format!("{name}\n").as_bytes()).is_err() {
        return Ok(Entry::Closed);
    }
    let admitted = dir.join(format!("admitted-{name}"));
    let deadline = Instant::now() + PATIENCE;
    while !admitted.exists() {
        if let Err(entry) = knock(&users)? {
            return Ok(entry);
        }
        if Instant::now() > deadline {
            return Ok(Entry::Closed);
        }
        thread::sleep(Duration::from_micros(200));
    }
    let _ = fs::remove_file(admitted); // a leftover goes with the directory
    Ok(Entry::Admitted(Hold { users: hold }))
}

/// Whether somebody watches over the instance in `dir`, or did until a moment ago.
pub(super) fn is_watched(dir: &Path) -> bool {
    match knock(&users(dir)) {
        Ok(Err(Entry::Closed)) => is_recent(dir), // beginning or ending, if it is not stuck
        Ok(Err(Entry::Unwatched)) => false,
        _ => true,
    }
}

fn is_recent(dir: &Path) -> bool {
    let age = dir.metadata().and_then(|found| found.modified()).map(|time| time.elapsed());
    !matches!(age, Ok(Ok(age)) if age > Duration::from_secs(60))
}

fn users(dir: &Path) -> PathBuf {
    dir.join("users")
}

/// Opens the writing end, which succeeds only while the watchdog has the reading end open.
fn knock(users: &Path) -> Result<Result<File, Entry>, ServerError> {
    match open(&mut OpenOptions::new(), users) {
        Ok(hold) => Ok(Ok(hold)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Err(Entry::Closed)),
        Err(error) if Errno::from_io_error(&error) == Some(Errno::NXIO) => {
            Ok(Err(Entry::Unwatched))
        }
        Err(error) => Err(error).doing("open", users),
    }
}

fn open(options: &mut OpenOptions, users: &Path) -> io::Result<File> {
    let flags = (OFlags::NONBLOCK | OFlags::NOFOLLOW).bits().cast_signed();
    options.write(true).custom_flags(flags).open(users)
}

/// A name that no other visitor has.
fn visitor() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{}-{}", process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

fn run(command: &mut Command) -> Result<(), ServerError> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let failed = || io::Error::other("it failed");
    let status = command.status();
    let program = PathBuf::from(command.get_program());
    status
        .and_then(|status| if status.success() { Ok(()) } else { Err(failed()) })
        .doing("run", &program)
}
