//! What the project and the runner know, so that no rule has to guess.

use std::collections::BTreeMap;

use migrate_core::source::{RuleLevel, Settings};
use migrate_core::{MigrationId, Problem, Version};

use crate::finding::{Level, NotALevel};
use crate::name::{Name, fold};
use crate::rules::{self, Rule};

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
    /// What the folder says of itself; `released` is for what the derive says. Rules and levels that there are not
    /// are problems.
    pub fn of(settings: &Settings, released: Option<Version>) -> (Self, Vec<Problem>) {
        let mut facts = Self {
            released: settings.released.or(released),
            small_tables: settings.small_tables.clone(),
            existing: settings.existing.clone(),
            ..Self::default()
        };
        facts.postgres = settings.postgres.unwrap_or(facts.postgres);
        let read = settings.levels.iter().map(level);
        let (levels, problems): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
        facts.levels.extend(levels.into_iter().flatten());
        (facts, problems.into_iter().filter_map(Result::err).collect())
    }

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

/// What a line below `[lint]` means.
fn level(line: &RuleLevel) -> Result<(String, Level), Problem> {
    let wrong = |message: String, help: String| Problem {
        place: Some(line.place.clone()),
        ..Problem::error(&line.file, message, help)
    };
    if rules::find(&line.rule).is_none() {
        return Err(wrong(format!("there is no rule `{}`", line.rule), rules::meant(&line.rule)));
    }
    let level = line.level.parse().map_err(|error: NotALevel| {
        wrong(error.to_string(), "Write \"off\", \"warn\" or \"error\".".to_owned())
    })?;
    Ok((line.rule.clone(), level))
}

/// Does what somebody typed name this?
pub(crate) fn named(typed: &str, name: &Name) -> bool {
    let typed = Name::of_segments(typed.split('.').map(fold).collect());
    typed.is_some_and(|typed| {
        typed.name == name.name
            && (typed.schema.is_none() || name.schema.is_none() || typed.schema == name.schema)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_says_what_is_known_of_it() {
        let text = "released = 3\npostgres = 15\nexisting = [\"a\"]\nsmall_tables = [\"b\"]\n[lint]\n\
                    create_index = \"off\"\ncreate_indx = \"off\"\ndrop_column = \"loud\"";
        let (settings, problems) = Settings::read("m/migrate.toml", text);
        assert_eq!(problems, []);
        let (facts, problems) = Facts::of(&settings, Some(Version::new(1)));
        assert_eq!((facts.released, facts.postgres), (Some(Version::new(3)), 15));
        assert_eq!(
            (&facts.existing[..], &facts.small_tables[..]),
            (&["a".to_owned()][..], &["b".to_owned()][..])
        );
        assert_eq!(facts.levels, [("create_index".to_owned(), Level::Off)].into());
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            told[0].starts_with("m/migrate.toml:7:1: there is no rule `create_indx`"),
            "{told:?}"
        );
        assert!(told[0].contains("Did you mean `create_index`?"), "{told:?}");
        assert!(told[1].starts_with("m/migrate.toml:8:1: `loud` is not a level"), "{told:?}");
    }

    #[test]
    fn the_derive_says_what_the_folder_does_not() {
        let (facts, _) = Facts::of(&Settings::default(), Some(Version::new(1)));
        assert_eq!((facts.released, facts.postgres), (Some(Version::new(1)), 13));
    }
}
