//! Taking over what sqlx did: what is wanted of it, and what came of it.
//!
//! Owns the options and the report. Which rows can be taken over is the core's to say, the order of things
//! stands in `migrator::adopt`, what is read and written of sqlx's table in `table`.

use std::fmt;

use migrate_core::adoption::{Accepted, Adopted, Adoption, Pending, Proof};
use migrate_core::{MigrationId, Version};

pub(crate) mod table;

/// How to take over the history of sqlx's migrator.
///
/// ```no_run
/// use migrate_postgres::{FromSqlx, Migrations, Migrator};
///
/// # async fn start(migrations: impl Migrations, pool: sqlx::PgPool) -> Result<(), migrate_postgres::Error> {
/// let migrator = Migrator::new(migrations);
/// migrator.adopt_sqlx_with(&pool, &FromSqlx::new().mirror()).await?;
/// migrator.run(&pool).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct FromSqlx {
    pub(crate) table: Option<String>,
    pub(crate) ignored: String,
    pub(crate) accepted: Accepted,
    pub(crate) mirror: bool,
}

impl FromSqlx {
    /// The table that sqlx uses unless it was told otherwise; nothing that does not agree is accepted.
    pub fn new() -> Self {
        Self::default()
    }

    /// The name of sqlx's table, as `table-name` in `sqlx.toml` has it: with a schema and with quotes where it
    /// needs them (default `_sqlx_migrations`).
    #[must_use]
    pub fn table(mut self, name: impl Into<String>) -> Self {
        self.table = Some(name.into());
        self
    }

    /// The characters that sqlx's checksums pass over, as `ignored-chars` in `sqlx.toml` has them.
    #[must_use]
    pub fn ignored_chars(mut self, chars: impl IntoIterator<Item = char>) -> Self {
        self.ignored = chars.into_iter().collect();
        self
    }

    /// Files that are not what sqlx ran count as applied, with their present text.
    #[must_use]
    pub fn accept_changed(mut self) -> Self {
        self.accepted.changed = true;
        self
    }

    /// Versions that no file has stay in sqlx's table alone.
    #[must_use]
    pub fn accept_missing(mut self) -> Self {
        self.accepted.missing = true;
        self
    }

    /// Versions that were taken over and that sqlx's table has no longer count as taken back.
    #[must_use]
    pub fn accept_reverted(mut self) -> Self {
        self.accepted.reverted = true;
        self
    }

    /// From now on everything that is applied or taken back is written to sqlx's table too, by whatever build
    /// does it, until [`Migrator::stop_mirror`](crate::Migrator::stop_mirror): so that a program that migrates
    /// with sqlx starts on the same files.
    #[must_use]
    pub fn mirror(mut self) -> Self {
        self.mirror = true;
        self
    }
}

/// What taking over sqlx's history came to.
///
/// Its `Display` has a line for each kind of thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AdoptionReport {
    /// sqlx's table; `None` where there is none.
    pub table: Option<String>,
    /// What was taken over, in order.
    pub adopted: Vec<Adopted>,
    /// How many the history had already.
    pub known: usize,
    /// What no file has, and was accepted.
    pub left_out: Vec<(Version, String)>,
    /// What sqlx took back, and the history now does too.
    pub reverted: Vec<(MigrationId, String)>,
    /// What is left to run.
    pub pending: Vec<Pending>,
    /// The newest declared version that is applied: what a linter need not judge.
    pub released: Option<Version>,
    /// Is sqlx's table written to from now on?
    pub mirrored: bool,
    /// What was written there now, because only our history had it.
    pub written_back: Vec<MigrationId>,
}

impl AdoptionReport {
    pub(crate) fn new(
        table: String,
        decided: Adoption,
        mirrored: bool,
        written_back: Vec<MigrationId>,
    ) -> Self {
        let Adoption { adopted, known, left_out, reverted, only_ours: _, pending, released } =
            decided;
        let table = Some(table);
        Self {
            table,
            adopted,
            known,
            left_out,
            reverted,
            pending,
            released,
            mirrored,
            written_back,
        }
    }

    /// How many of those that were taken over have this proof.
    pub fn proven(&self, proof: Proof) -> usize {
        self.adopted.iter().filter(|adopted| adopted.proof == proof).count()
    }
}

impl fmt::Display for AdoptionReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(table) = &self.table else {
            return writeln!(f, "nothing to adopt: sqlx has no table here");
        };
        writeln!(f, "adopted  {} of {table}", self.adopted.len())?;
        for Adopted { id, name, proof, .. } in &self.adopted {
            if *proof == Proof::Changed {
                writeln!(f, "changed  {id} {name}: recorded with its present text")?;
            }
        }
        for (version, name) in &self.left_out {
            writeln!(f, "left out {version} {name}: no file has it")?;
        }
        for (id, name) in &self.reverted {
            writeln!(f, "reverted {id} {name}: sqlx took it back")?;
        }
        if self.known > 0 {
            writeln!(f, "known    {} were in the history already", self.known)?;
        }
        for Pending { id, name, late } in &self.pending {
            let late = if *late { ", older than the newest applied one" } else { "" };
            writeln!(f, "pending  {id} {name}{late}")?;
        }
        if self.mirrored {
            writeln!(f, "mirror   on: {table} is written to as well")?;
        }
        Ok(())
    }
}
