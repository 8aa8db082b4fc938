//! What the project and the runner know, so that no rule has to guess.

use std::collections::BTreeMap;

use migrate_core::{MigrationId, Version};

use crate::finding::Level;
use crate::name::{Name, fold};
use crate::rules::Rule;

/// What is known beside the files.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The last version that is released: up to it nothing is judged, and what is newer may still change without
    /// anybody noticing.
    pub released: Option<Version>,
    /// The oldest PostgreSQL that the migrations have to run on.
    pub postgres: u32,
    /// Tables so small that no lock on them lasts.
    pub small_tables: Vec<String>,
    /// Tables, views and types that something other than these files makes.
    pub existing: Vec<String>,
    /// The table of the runner's history.
    pub history: String,
    /// Levels other than those that the rules come with.
    pub levels: BTreeMap<String, Level>,
}

impl Default for Facts {
    fn default() -> Self {
        Self {
            released: None,
            postgres: 13,
            small_tables: Vec::new(),
            existing: Vec::new(),
            history: "schema_migrations".to_owned(),
            levels: BTreeMap::new(),
        }
    }
}

impl Facts {
    /// What a rule does to a build.
    pub(crate) fn level(&self, rule: &Rule) -> Level {
        self.levels.get(rule.name).copied().unwrap_or(rule.level)
    }

    /// Is a migration to be judged?
    pub(crate) fn judges(&self, id: MigrationId) -> bool {
        self.released.is_none_or(|released| id.version > released)
    }

    /// Does nobody use yet what `maker` made when `id` runs?
    pub(crate) fn is_new(&self, maker: Option<MigrationId>, id: MigrationId) -> bool {
        let unreleased = |maker: Version| self.released.is_some_and(|released| maker > released);
        maker.is_some_and(|maker| maker.version == id.version || unreleased(maker.version))
    }

    /// Does the server take a foreign key NOT VALID? Of a partitioned table since 18.
    pub(crate) fn can_wait(&self, partitioned: bool) -> bool {
        !partitioned || self.postgres >= 18
    }

    pub(crate) fn is_small(&self, table: &Name) -> bool {
        self.small_tables.iter().any(|small| named(small, table))
    }
}

/// Does what somebody typed name this?
pub(crate) fn named(typed: &str, name: &Name) -> bool {
    let typed = Name::of_segments(typed.split('.').map(fold).collect());
    typed.is_some_and(|typed| {
        typed.name == name.name
            && (typed.schema.is_none() || name.schema.is_none() || typed.schema == name.schema)
    })
}
