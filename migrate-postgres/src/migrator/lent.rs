//! What whoever lends databases to tests has to know of a migrator: hidden, for `migrate-testing` alone.
//!
//! Owns when two migrators make the same of an empty database, and what is waived there. Runs nothing.

use migrate_core::{Checksum, MigrationId, Phases};

use super::Migrator;
use crate::error::Error;

#[doc(hidden)]
impl Migrator {
    /// The same for migrators that make the same of an empty database.
    #[must_use]
    pub fn fingerprint(&self) -> Checksum {
        let ours = &self.options;
        let digest = ours.digest(self.source.digest());
        let names = (&ours.schema, &ours.table, &ours.role, &ours.readable_by);
        Checksum::of_sql("").and(&digest).and(&format!("{names:?}"))
    }

    /// Waives all evidence: of a database that only a test uses, there is none.
    #[must_use]
    pub fn waive_everything(self, reason: &str) -> Self {
        Self::sources_of_evidence().into_iter().fold(self, |all, source| all.waive(source, reason))
    }

    /// Whether some of it is Rust, which no checksum covers.
    #[must_use]
    pub fn has_code(&self) -> bool {
        self.source.has_code()
    }

    /// A migrator for a part of the migrations.
    #[must_use]
    pub fn part(&self, before: Option<MigrationId>, phases: Phases) -> Self {
        let source = self.source.part(before, phases);
        // Or what it leaves would be settled for the whole, too.
        Self { declared: source.digest(), source, ..self.clone() }
    }

    /// Refuses to go on with a program that is older than its folder, as a run does.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn is_current(&self) -> Result<(), Error> {
        self.folder_is_current()
    }
}
