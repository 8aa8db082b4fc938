//! What every command has at hand: the migrations, a migrator, the database, a way to speak and to ask.
//!
//! Owns how what was typed everywhere becomes those. Knows no command.

use std::path::{Path, PathBuf};

use migrate_core::{Phases, Policy, Set, Version};
use migrate_lint::{Facts, judge};
use migrate_postgres::{Migrator, Source};

use sqlx::postgres::PgConnectOptions;

use crate::args::{Common, Evidence, Target, Waits};
use crate::exit::Failure;
use crate::folder::Folder;
use crate::render::Output;
use crate::url::{self, Place};
use crate::workspace;

/// Where the migrations are from.
pub(crate) enum Origin {
    Folder(PathBuf),
    Embedded(Box<Source>),
}

pub(crate) struct Context {
    /// What the user calls the program, for advice.
    pub(crate) program: String,
    pub(crate) origin: Origin,
    pub(crate) configure: Box<dyn Fn(Migrator) -> Migrator>,
    pub(crate) common: Common,
    /// How to connect for work, where that is not how to connect.
    pub(crate) direct: Option<PgConnectOptions>,
    pub(crate) output: Output,
}

impl Context {
    /// The migrations. Reading a folder finds everything that is wrong with it.
    pub(crate) fn source(&self) -> Result<Source, Failure> {
        match (&self.origin, &self.common.folder) {
            (Origin::Embedded(source), None) => Ok((**source).clone()),
            (Origin::Embedded(_), Some(_)) => Err(Failure::usage(
                "failed to read the folder: the migrations of this program are part of it",
                "Leave --folder to `new` and `init`, or use the project's xtask.",
            )),
            (Origin::Folder(_), _) => {
                Source::read(self.existing_folder()?).map_err(Failure::Folder)
            }
        }
    }

    /// The migrations for whoever runs them: with what their statements lock, which a program that embeds them has from
    /// its compiler.
    pub(crate) fn source_to_run(&self) -> Result<Source, Failure> {
        let source = self.source()?;
        if matches!(self.origin, Origin::Embedded(_)) {
            return Ok(source);
        }
        let contents = Folder::read(self.existing_folder()?)?.contents();
        let (facts, _) = Facts::of(&contents.settings, None);
        Ok(source.with_targets(judge(&contents.migrations, &facts).targets))
    }

    /// The folder, which has to be there.
    pub(crate) fn existing_folder(&self) -> Result<PathBuf, Failure> {
        self.folder_at(None)
    }

    /// The folder that a command names itself, else that of the others; it has to be there.
    pub(crate) fn folder_at(&self, named: Option<&Path>) -> Result<PathBuf, Failure> {
        let folder = named.map_or_else(|| self.folder(), Path::to_owned);
        if folder.is_dir() {
            return Ok(folder);
        }
        Err(Failure::usage(
            format!("failed to find the migrations: there is no folder {}", folder.display()),
            format!(
                "Name it with --folder, or go to the project; `{} init` makes one for a new project.",
                self.program
            ),
        ))
    }

    /// The folder for new files.
    pub(crate) fn folder(&self) -> PathBuf {
        match (&self.common.folder, &self.origin) {
            (Some(typed), _) => typed.clone(),
            (None, Origin::Folder(named)) => self.below_root(named.clone()),
            (None, Origin::Embedded(_)) => self.below_root(PathBuf::from("migrations")),
        }
    }

    /// The folder as it is named, wherever it may be.
    pub(crate) fn named_folder(&self) -> PathBuf {
        match (&self.common.folder, &self.origin) {
            (Some(named), _) | (None, Origin::Folder(named)) => named.clone(),
            (None, Origin::Embedded(_)) => PathBuf::from("migrations"),
        }
    }

    fn below_root(&self, path: PathBuf) -> PathBuf {
        workspace::shown(&workspace::root().join(path))
    }

    pub(crate) fn migrator(&self, source: &Source) -> Migrator {
        let Common { set, schema, table, role, .. } = &self.common;
        let mut migrator = (self.configure)(Migrator::new(source));
        if matches!(self.origin, Origin::Folder(_)) {
            migrator = migrator.code_is_elsewhere();
        }
        if let Some(set) = set {
            migrator = migrator.set(set);
        }
        if let Some(schema) = schema {
            migrator = migrator.schema(schema);
        }
        if let Some(table) = table {
            migrator = migrator.table(table);
        }
        if let Some(direct) = &self.direct {
            migrator = migrator.direct(direct.clone());
        }
        match role {
            Some(role) => migrator.role(role),
            None => migrator,
        }
    }

    /// The table of the history, as the application or whoever types has it.
    pub(crate) fn history_table(&self) -> String {
        let migrator = self.migrator(&Source::of_set(Set::default()));
        migrator.history_table().1.to_owned()
    }

    pub(crate) fn place(&self) -> Result<Place, Failure> {
        url::find(self.common.database_url.as_deref())
    }
}

impl Target {
    pub(crate) fn apply(&self, mut migrator: Migrator) -> Migrator {
        if self.contract {
            migrator = migrator.phases(Phases::ALL);
        } else if !self.phases.is_empty() {
            migrator = migrator.phases(self.phases.iter().copied().collect());
        }
        migrator = self.evidence.apply(migrator);
        if self.allow_late { migrator.on_late(Policy::Warn) } else { migrator }
    }
}

impl Evidence {
    pub(crate) fn apply(&self, migrator: Migrator) -> Migrator {
        let waived = self.waive.iter();
        let migrator = waived.fold(migrator, |all, (source, why)| all.waive(source, why));
        self.known.iter().fold(migrator, |all, name| all.known(name))
    }
}

impl Waits {
    pub(crate) fn apply(&self, mut migrator: Migrator) -> Migrator {
        if let Some(wait) = self.wait {
            migrator = migrator.wait_for_migrator(wait);
        }
        if let Some(attempt) = self.lock_timeout {
            migrator = migrator.lock_ladder([attempt]);
        }
        if let Some(deadline) = self.lock_deadline {
            migrator = migrator.lock_deadline(deadline);
        }
        if let Some(timeout) = self.statement_timeout {
            migrator = migrator.statement_timeout(timeout);
        }
        if let Some(wait) = self.wait_for_promotion {
            migrator = migrator.wait_for_promotion(wait);
        }
        if let Some(after) = self.end_idle_in_transaction {
            migrator = migrator.end_idle_in_transaction(after);
        }
        if self.cancel_autovacuum { migrator.cancel_autovacuum() } else { migrator }
    }
}

/// A version that nobody has heard of is a slip of the finger, and one that may cost a schema.
pub(crate) fn known(
    version: Version,
    declared: &Set,
    applied: impl IntoIterator<Item = Version>,
) -> Result<(), Failure> {
    let declared = declared.iter().map(|entry| entry.version());
    if declared.chain(applied).any(|known| known == version) {
        return Ok(());
    }
    Err(Failure::usage(
        format!("failed to find version {version}: it is neither declared nor applied"),
        "Take one that `status` shows.",
    ))
}

/// The migrations in their order.
pub(crate) fn set(source: &Source) -> Result<Set, Failure> {
    source.set().map_err(|errors| {
        let told: Vec<_> = errors.iter().map(ToString::to_string).collect();
        let message = format!("failed to order the migrations: {}", told.join("; "));
        Failure::usage(
            message,
            "Give each migration a version of its own, and let it wait only for earlier ones.",
        )
    })
}
