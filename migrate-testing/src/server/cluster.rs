//! Fresh data directories: copies of one that `initdb` made earlier.
//!
//! `initdb` takes hundreds of milliseconds, a copy in memory tens. This module owns the cached
//! original, one per installation, and must not know about running servers.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, symlink};
use std::path::Path;
use std::process::{self, Stdio};

use super::error::{Doing, ServerError};
use super::home::Home;
use super::probe::Binaries;
use super::user::ServerUser;

/// What makes clusters alike everywhere, small, and open to whoever reaches the socket.
const INITDB: [&str; 6] = [
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C",
    "--wal-segsize=1",
    "--no-sync",
];

/// Where a cached cluster keeps its data, and how many entries that is.
const DATA: &str = "data";
const COUNT: &str = "count";

/// Makes `data` a fresh data directory.
pub(super) fn create(
    home: &Home,
    binaries: &Binaries,
    user: &ServerUser,
    data: &Path,
) -> Result<(), ServerError> {
    let place = binaries.place().name();
    let cached = home.cluster(&format!("{place}-{}", key(binaries)));
    let lock = home.lock_file("clusters.lock")?;

    lock.lock_shared().doing("lock", home.path())?;
    if copied(&cached, data, user)? {
        return Ok(());
    }
    lock.unlock().doing("unlock", home.path())?;
    lock.lock().doing("lock", home.path())?;
    if copied(&cached, data, user)? {
        return Ok(()); // somebody else made it while we waited
    }
    for outdated in home.clusters(&place) {
        let _ = fs::remove_dir_all(outdated); // at worst it takes up room
    }
    make(&cached, binaries, user)?;
    copied(&cached, data, user).map(drop)
}

fn key(binaries: &Binaries) -> String {
    INITDB.iter().fold(binaries.identity(), |hash, option| hash.add(option)).name()
}

/// Makes the cached cluster under another name first: one that carries the name is complete.
fn make(cached: &Path, binaries: &Binaries, user: &ServerUser) -> Result<(), ServerError> {
    let unfinished = cached.with_extension(process::id().to_string());
    DirBuilder::new().mode(0o700).create(&unfinished).doing("create", &unfinished)?;
    user.give(&unfinished).doing("change the owner of", &unfinished)?;
    let data = unfinished.join(DATA);
    initdb(&data, binaries, user)?;
    let count = count(&data).doing("read", &data)?;
    fs::write(unfinished.join(COUNT), count.to_string()).doing("write to", &unfinished)?;
    fs::rename(&unfinished, cached).doing("rename", &unfinished)
}

fn initdb(data: &Path, binaries: &Binaries, user: &ServerUser) -> Result<(), ServerError> {
    let program = binaries.initdb();
    let mut command = user.command(&program);
    command.args(INITDB).arg("--pgdata").arg(data).stdin(Stdio::null());
    command.env("LC_ALL", "C").env("TZ", "UTC"); // the time zone becomes the server's
    let failed = |output| ServerError::Initdb {
        program: program.clone(),
        user: user.name().to_owned(),
        output,
    };
    let output = command.output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim_end().to_owned()))
}

/// Copies the cached cluster, if there is one and it is whole: things in a temp directory get
/// tidied away piece by piece.
fn copied(cached: &Path, data: &Path, user: &ServerUser) -> Result<bool, ServerError> {
    let count: Option<usize> =
        fs::read_to_string(cached.join(COUNT)).ok().and_then(|count| count.parse().ok());
    let Some(count) = count else { return Ok(false) };
    let copied = copy(&cached.join(DATA), data, user).doing("copy a cluster to", data)?;
    if copied != count {
        fs::remove_dir_all(data).doing("remove", data)?;
    }
    Ok(copied == count)
}

/// Copies a directory with all that is in it and says how many entries that were.
pub(super) fn copy(from: &Path, to: &Path, user: &ServerUser) -> io::Result<usize> {
    DirBuilder::new().mode(0o700).create(to)?;
    user.give(to)?;
    let mut count = 0;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        count += 1;
        if entry.file_type()?.is_dir() {
            count += copy(&source, &target, user)?;
            continue;
        }
        if entry.file_type()?.is_symlink() {
            symlink(fs::read_link(&source)?, &target)?;
        } else {
            fs::copy(&source, &target)?;
        }
        user.give(&target)?;
    }
    Ok(count)
}

fn count(dir: &Path) -> io::Result<usize> {
    fs::read_dir(dir)?.try_fold(0, |sum, entry| {
        let entry = entry?;
        let below = if entry.file_type()?.is_dir() { count(&entry.path())? } else { 0 };
        Ok(sum + 1 + below)
    })
}
