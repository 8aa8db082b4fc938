//! The directories that servers live in: which file system, whose, under which names.
//!
//! A *home* belongs to one caller and holds cached clusters, lock files and one *instance*
//! directory per running server. This module must not know what is put into an instance.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::OFlags;

use super::environment::Environment;
use super::error::{Doing, ServerError};
use super::user::{self, ServerUser};

const MEMORY: &str = "/dev/shm";
/// Docker gives /dev/shm 64 MiB unless told otherwise, which is good for nothing.
const MEMORY_ENOUGH: u64 = 1 << 30;
/// What a socket's path can be at most: 107 bytes on Linux, 103 on macOS.
const SOCKET_PATH_MAX: usize = if cfg!(target_os = "linux") { 107 } else { 103 };
const LONGEST_SOCKET_NAME: &str = ".s.PGSQL.65535";

/// A caller's directory for servers, owned by the server's user.
#[derive(Clone, Debug)]
pub(super) struct Home {
    dir: PathBuf,
    user: ServerUser,
}

impl Home {
    /// The homes that exist: a server may still run in one that would not be chosen now.
    pub(super) fn existing(environment: &Environment, user: &ServerUser) -> Vec<Home> {
        let mut homes: Vec<PathBuf> = match &environment.dir {
            Some(dir) => vec![dir.join(user.home())],
            None => bases().iter().map(|base| base.join(user.home())).collect(),
        };
        homes.dedup();
        let ours = homes.into_iter().filter(|dir| user.owns(dir));
        ours.map(|dir| Home { dir, user: user.clone() }).collect()
    }

    /// The home for a new server.
    pub(super) fn choose(
        environment: &Environment,
        user: &ServerUser,
    ) -> Result<Home, ServerError> {
        let base = match &environment.dir {
            Some(dir) => dir.canonicalize().doing("use", dir)?,
            None => choose_base(user),
        };
        if !user.reaches(&base) {
            return Err(unreachable(base, user));
        }
        let home = Home { dir: base.join(user.home()), user: user.clone() };
        home.create()?;
        Ok(home)
    }

    pub(super) fn path(&self) -> &Path {
        &self.dir
    }

    /// Creates the directory, or makes sure that the one there is fit. Any number of processes
    /// may be at it: root's become the server's user's whoever comes first.
    fn create(&self) -> Result<(), ServerError> {
        match DirBuilder::new().mode(0o700).create(&self.dir) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(error).doing("create", &self.dir);
            }
            _ => {}
        }
        let found = self.dir.symlink_metadata().doing("look at", &self.dir)?;
        if found.is_dir() && found.uid() == user::caller() {
            self.user.give(&self.dir).doing("change the owner of", &self.dir)?;
        }
        if self.user.owns(&self.dir) && found.mode() & 0o077 == 0 {
            return Ok(());
        }
        Err(ServerError::Unfit {
            path: self.dir.clone(),
            problem: format!("is not a directory for {} alone", self.user.name()),
            remedy: "Remove it, or set MIGRATE_PG_DIR to another place.",
        })
    }

    /// A lock between processes, free to take; the kernel releases it when its holder dies.
    pub(super) fn lock_file(&self, name: &str) -> Result<File, ServerError> {
        let path = self.dir.join(name);
        let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.write(true).create(true).mode(0o600).custom_flags(no_follow);
        options.open(&path).doing("open", &path)
    }

    /// A new directory for a server, the name of which starts with `kind`.
    pub(super) fn new_instance(&self, kind: &str) -> Result<PathBuf, ServerError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let taken = |error: &io::Error| error.kind() == io::ErrorKind::AlreadyExists;
        loop {
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let dir = self.dir.join(format!("{kind}-{}-{number}", process::id()));
            match DirBuilder::new().mode(0o700).create(&dir) {
                Err(error) if taken(&error) => continue, // a namesake's, whose number came again
                created => created.doing("create", &dir)?,
            }
            self.user.give(&dir).doing("change the owner of", &dir)?;
            return short_enough(dir);
        }
    }

    /// The instances whose names start with `kind`.
    pub(super) fn instances(&self, kind: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        entries
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .filter(|dir| name(dir).starts_with(kind) && !name(dir).starts_with(CLUSTER))
            .collect()
    }

    /// The cached clusters whose names start with `kind`.
    pub(super) fn clusters(&self, kind: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.dir).into_iter().flatten().flatten();
        let kind = format!("{CLUSTER}{kind}");
        entries.map(|entry| entry.path()).filter(|dir| name(dir).starts_with(&kind)).collect()
    }

    pub(super) fn cluster(&self, name: &str) -> PathBuf {
        self.dir.join(format!("{CLUSTER}{name}"))
    }
}

const CLUSTER: &str = "cluster-";

/// Whether what is in `dir` is in memory.
pub(super) fn is_memory(dir: &Path) -> bool {
    dir.starts_with(MEMORY)
}

fn name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}

fn bases() -> [PathBuf; 4] {
    [MEMORY.into(), std::env::temp_dir(), "/tmp".into(), "/var/tmp".into()]
}

/// The first place with room that the server's user can get to.
fn choose_base(user: &ServerUser) -> PathBuf {
    let fit = |base: &PathBuf| {
        user.reaches(base) && (!is_memory(base) || free_bytes(base) >= MEMORY_ENOUGH)
    };
    bases().into_iter().find(fit).unwrap_or_else(std::env::temp_dir)
}

fn free_bytes(dir: &Path) -> u64 {
    rustix::fs::statvfs(dir).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize))
}

fn unreachable(path: PathBuf, user: &ServerUser) -> ServerError {
    ServerError::Unfit {
        path,
        problem: format!("cannot be reached by {}, who runs the server", user.name()),
        remedy: "Set MIGRATE_PG_DIR to a directory below ones that everybody may pass.",
    }
}

fn short_enough(dir: PathBuf) -> Result<PathBuf, ServerError> {
    if dir.as_os_str().len() + 1 + LONGEST_SOCKET_NAME.len() <= SOCKET_PATH_MAX {
        return Ok(dir);
    }
    let _ = fs::remove_dir(&dir);
    Err(ServerError::Unfit {
        problem: format!("is too long for a socket's path, which ends at {SOCKET_PATH_MAX} bytes"),
        path: dir,
        remedy: "Set MIGRATE_PG_DIR to a directory with a shorter name.",
    })
}
