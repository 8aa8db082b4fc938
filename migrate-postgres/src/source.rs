//! Where a migrator gets its migrations from.
//!
//! Owns the bridge between what the macros write and the core's set: an embedded folder, the migrations
//! written in Rust beside it, or a set made while the program runs. Knows no database.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use migrate_core::{
    Checksum, Entry, Folder, Migration, MigrationId, Problem, Set, SetError, Targets, digest_with,
};
use sqlx::PgConnection;

mod part;

use crate::backfill::Backfill;
use crate::error::BoxError;

/// The migrations of an application; written by `#[derive(Migrations)]`.
pub trait Migrations {
    /// Where they are.
    fn source(&self) -> Source;
}

impl<M: Migrations> Migrations for &M {
    fn source(&self) -> Source {
        (**self).source()
    }
}

/// A migration written in Rust: what it does, beside the [`Migration`] that says what it is.
#[async_trait]
pub trait Code: Send + Sync {
    /// Forward. Inside a transaction, unless the migration declares otherwise; an error takes it back.
    async fn up(&self, connection: &mut PgConnection) -> Result<(), BoxError>;

    /// Back. Called only where the migration declares a way back.
    async fn down(&self, _connection: &mut PgConnection) -> Result<(), BoxError> {
        Err("this migration has no way back".into())
    }
}

/// A migration that stands beside a folder; written by `#[derive(Migration)]`.
pub trait Listed {
    /// The migration, and its code where it has any.
    fn listed(self) -> Beside;
}

/// A migration that stands beside a folder.
#[derive(Clone)]
pub struct Beside {
    entry: Entry,
    code: Option<Arc<dyn Code>>,
    filling: Option<Arc<dyn Backfill>>,
}

impl Beside {
    /// One made of SQL.
    pub fn sql(migration: impl Migration + 'static) -> Self {
        Self { entry: migration.into(), code: None, filling: None }
    }

    /// One made of Rust.
    pub fn code<M: Migration + Code + 'static>(migration: M) -> Self {
        let migration = Arc::new(migration);
        Self { entry: migration.clone().into(), code: Some(migration), filling: None }
    }

    /// A backfill made of Rust.
    pub fn backfill<M: Migration + Backfill + 'static>(migration: M) -> Self {
        let migration = Arc::new(migration);
        Self { entry: migration.clone().into(), code: None, filling: Some(migration) }
    }

    fn is_rust(&self) -> bool {
        self.code.is_some() || self.filling.is_some()
    }
}

impl fmt::Debug for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}

/// A folder that was embedded with [`embed!`](crate::embed).
#[derive(Clone, Copy)]
pub struct Embedded {
    /// The folder.
    pub folder: Folder,
    /// Name and version of the program.
    pub build: &'static str,
}

/// Its texts may hold a secret.
impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Embedded").field(&self.folder.path).finish()
    }
}

impl Migrations for Embedded {
    fn source(&self) -> Source {
        Source {
            base: Base::Folder(self.folder),
            beside: Vec::new(),
            build: self.build,
            only: None,
            targets: None,
        }
    }
}

/// Migrations, wherever they are from.
#[derive(Clone)]
pub struct Source {
    base: Base,
    beside: Vec<Beside>,
    build: &'static str,
    /// Where only a part of them is meant: which.
    only: Option<BTreeSet<MigrationId>>,
    /// What its statements lock, where somebody has asked the linter since.
    targets: Option<Vec<Targets>>,
}

/// Texts may hold a secret: which migrations these are is enough.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let set = self.set().unwrap_or_default();
        let migrations: Vec<_> =
            set.iter().map(|entry| format!("{} {}", entry.id(), entry.name())).collect();
        let mut source = f.debug_struct("Source");
        source.field("migrations", &migrations).field("build", &self.build).finish()
    }
}

#[derive(Clone)]
enum Base {
    Folder(Folder),
    Set(Set),
}

impl Source {
    /// A set made while the program runs.
    pub fn of_set(set: Set) -> Self {
        Self { base: Base::Set(set), beside: Vec::new(), build: "", only: None, targets: None }
    }

    /// Reads a folder now, not at compile time.
    ///
    /// # Errors
    /// Everything that is wrong with it, as the compiler would have said.
    pub fn read(folder: impl AsRef<Path>) -> Result<Self, Vec<Problem>> {
        crate::folder::read(folder.as_ref()).map(Self::of_set)
    }

    /// These and one more.
    #[must_use]
    pub fn with(mut self, migration: impl Listed) -> Self {
        self.beside.push(migration.listed());
        self
    }

    /// With what its statements lock, as the linter says: for whoever has read them while the program runs.
    #[doc(hidden)]
    #[must_use]
    pub fn with_targets(mut self, targets: Vec<Targets>) -> Self {
        self.targets = Some(targets);
        self
    }

    /// What the statements of its files lock of what was there before them; `None` where the linter was not asked.
    pub(crate) fn targets(&self) -> Option<Vec<Targets>> {
        match &self.base {
            Base::Folder(folder) if self.targets.is_none() => folder.targets(),
            _ => self.targets.clone(),
        }
    }

    /// Does it stand beside the folder, where the linter does not see it?
    pub(crate) fn is_beside(&self, id: MigrationId) -> bool {
        self.beside.iter().any(|beside| beside.entry.id() == id)
    }

    /// Name and version of the program, as the history will have it.
    pub fn build(&self) -> &'static str {
        self.build
    }

    /// The ordered set.
    ///
    /// # Errors
    /// All that keeps them from being one.
    pub fn set(&self) -> Result<Set, Vec<SetError>> {
        let mut entries = match &self.base {
            Base::Folder(folder) => folder.entries().map_err(|torn| vec![torn])?,
            Base::Set(set) => set.iter().cloned().collect(),
        };
        entries.extend(self.beside.iter().map(|beside| beside.entry.clone()));
        entries.retain(|entry| self.has(entry));
        Set::new(entries)
    }

    /// Over what all of them do; known since compile time but for the code.
    pub(crate) fn digest(&self) -> Checksum {
        let (code, sql): (Vec<_>, Vec<_>) = self.beside.iter().partition(|beside| beside.is_rust());
        match &self.base {
            Base::Folder(folder) if sql.is_empty() && self.only.is_none() => {
                digest_with(folder.digest, code.iter().map(|beside| &*beside.entry))
            }
            _ => self.set().map_or_else(|_| Checksum::of_sql(""), |set| set.digest()),
        }
    }

    /// Is any of it written in Rust?
    pub(crate) fn has_code(&self) -> bool {
        self.beside.iter().any(|beside| beside.is_rust() && self.has(&beside.entry))
    }

    /// The function behind a migration written in Rust.
    pub(crate) fn code(&self, id: MigrationId) -> Option<Arc<dyn Code>> {
        let beside = self.beside.iter().find(|beside| beside.entry.id() == id)?;
        beside.code.clone()
    }

    /// What changes the rows of a backfill written in Rust.
    pub(crate) fn filling(&self, id: MigrationId) -> Option<Arc<dyn Backfill>> {
        let beside = self.beside.iter().find(|beside| beside.entry.id() == id)?;
        beside.filling.clone()
    }

    /// The folder that was embedded and where it was, in debug builds.
    pub(crate) fn folder_on_disk(&self) -> Option<(&'static str, &'static [&'static str])> {
        match &self.base {
            Base::Folder(folder) => folder.on_disk.map(|path| (path, folder.files)),
            Base::Set(_) => None,
        }
    }
}

impl Migrations for Source {
    fn source(&self) -> Source {
        self.clone()
    }
}
