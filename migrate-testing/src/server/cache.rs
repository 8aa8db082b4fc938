//! Where the PostgreSQLs that we fetched are kept: a directory for each version, its programs in `bin`.
//!
//! One that carries the name of its version and the file `complete` is whole, unless the numbers in
//! that file say otherwise: whoever tidies a cache may take some files and leave others. This module
//! must not know where they come from.

use std::fmt;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::time::Duration;

const COMPLETE: &str = "complete";
const FAILED: &str = "failed";
const UNFINISHED: &str = "unfinished-";
/// While it is so old, a failure speaks for everybody: hundreds of tests may ask for a server, one after the
/// other, and not each has to wait for a network that is not there.
const FAILURE_LASTS: Duration = Duration::from_secs(30);

/// The `bin` directories of all that is whole in `dir`, newest version first.
pub(super) fn complete(dir: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(dir).into_iter().flatten().flatten();
    let mut found: Vec<(Vec<u32>, PathBuf)> =
        entries.filter_map(|entry| Some((version(&entry.path())?, entry.path()))).collect();
    found.sort_by(|left, right| right.cmp(left));
    let whole = found.into_iter().map(|(_, entry)| entry).filter(|entry| is_complete(entry));
    whole.map(|entry| entry.join("bin")).collect()
}

/// The numbers in the name of a version's directory, such as 18.4.
fn version(entry: &Path) -> Option<Vec<u32>> {
    entry.file_name()?.to_str()?.split('.').map(|number| number.parse().ok()).collect()
}

/// Whether the programs in `bin` are those of this major version.
pub(super) fn is_major(bin: &Path, major: u32) -> bool {
    bin.parent().and_then(version).is_some_and(|version| version.first() == Some(&major))
}

fn is_complete(entry: &Path) -> bool {
    let said = fs::read_to_string(entry.join(COMPLETE)).unwrap_or_default();
    measure(entry).is_ok_and(|size| size.to_string() == said)
}

/// A cache that is ours to add to.
#[derive(Debug)]
pub(super) struct Cache {
    dir: PathBuf,
}

impl Cache {
    /// Creates the directory unless it is there. Everybody may read it: root lends the server another user.
    pub(super) fn open(dir: &Path) -> io::Result<Cache> {
        if !dir.is_dir() {
            fs::create_dir_all(dir)?;
            fs::set_permissions(dir, Permissions::from_mode(0o755))?;
        }
        Ok(Cache { dir: dir.to_owned() })
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// One process at a time adds to the cache. `waiting` is called if another is at it.
    pub(super) fn lock(&self, waiting: impl FnOnce()) -> io::Result<File> {
        let lock = File::options().create(true).append(true).open(self.dir.join("lock"))?;
        if lock.try_lock().is_err() {
            waiting();
            lock.lock()?;
        }
        Ok(lock)
    }

    /// An empty directory for what is being fetched, next to where it will stay.
    pub(super) fn unfinished(&self) -> io::Result<PathBuf> {
        self.remove_unfinished()?;
        let dir = self.dir.join(format!("{UNFINISHED}{}", process::id()));
        fs::create_dir(&dir)?;
        fs::set_permissions(&dir, Permissions::from_mode(0o755))?;
        Ok(dir)
    }

    /// The caller has the lock: what is unfinished is its own, or was left behind by somebody who was killed.
    pub(super) fn remove_unfinished(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.dir)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
                fs::remove_dir_all(entry.path())?;
            }
        }
        Ok(())
    }

    /// Gives what was fetched its name, in place of what is left of one that had it.
    pub(super) fn keep(&self, fetched: &Path, version: &str) -> io::Result<PathBuf> {
        fs::write(fetched.join(COMPLETE), measure(fetched)?.to_string())?;
        let entry = self.dir.join(version);
        if entry.exists() {
            fs::remove_dir_all(&entry)?;
        }
        fs::rename(fetched, &entry)?;
        Ok(entry)
    }

    /// What went wrong with `wish` a moment ago, if something did.
    pub(super) fn recent_failure(&self, wish: &str) -> Option<String> {
        let note = self.dir.join(FAILED);
        let age = note.metadata().ok()?.modified().ok()?.elapsed().ok()?;
        let told = fs::read_to_string(note).ok().filter(|_| age < FAILURE_LASTS)?;
        told.strip_prefix(wish)?.strip_prefix('\n').map(ToOwned::to_owned)
    }

    /// Lets those who wish for the same next know what went wrong.
    pub(super) fn remember_failure(&self, wish: &str, why: &str) {
        if let Err(error) = fs::write(self.dir.join(FAILED), format!("{wish}\n{why}")) {
            tracing::debug!(%error, "failed to remember a failure: the next process tries again");
        }
    }
}

/// Lets everybody read and run what its owner can, whatever the umask was.
pub(super) fn open_to_all(dir: &Path) -> io::Result<()> {
    fs::set_permissions(dir, Permissions::from_mode(0o755))?;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            open_to_all(&entry.path())?;
        } else if kind.is_file() {
            let mode = entry.metadata()?.permissions().mode();
            let open = if mode & 0o100 == 0 { 0o644 } else { 0o755 };
            fs::set_permissions(entry.path(), Permissions::from_mode(open))?;
        }
    }
    Ok(())
}

/// How much there is in a directory, to notice that something went missing.
#[derive(Default)]
struct Size {
    entries: u64,
    bytes: u64,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} entries, {} bytes", self.entries, self.bytes)
    }
}

fn measure(dir: &Path) -> io::Result<Size> {
    let mut size = Size::default();
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_name() == COMPLETE {
            continue;
        }
        let found = entry.metadata()?; // of a link itself
        let below = if found.is_dir() { measure(&entry.path())? } else { Size::default() };
        let bytes = if found.is_dir() { below.bytes } else { found.len() };
        size = Size { entries: size.entries + 1 + below.entries, bytes: size.bytes + bytes };
    }
    Ok(size)
}
