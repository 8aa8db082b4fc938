//! The beginning of a source: what a database has that was migrated by an older program, or only in part.
//!
//! Owns which migrations can stand alone. Knows no database, and nothing of why somebody wants a part.

use std::collections::BTreeSet;

use migrate_core::{Entry, Migration, MigrationId, Phase, Phases, Set};

use super::Source;

impl Source {
    /// The migrations before `before` (all for `None`) whose phase is among `phases`, without those that wait
    /// for one that is left out.
    #[doc(hidden)]
    #[must_use]
    pub fn part(&self, before: Option<MigrationId>, phases: Phases) -> Self {
        let Ok(set) = self.set() else { return self.clone() }; // whoever runs it is told what is wrong
        let mut part = Part { set: &set, phases, kept: BTreeSet::new(), left_out: false };
        for entry in set.iter().take_while(|entry| before.is_none_or(|stop| entry.id() < stop)) {
            part.place(&**entry);
        }
        Self { only: Some(part.kept), ..self.clone() }
    }

    pub(super) fn has(&self, entry: &Entry) -> bool {
        self.only.as_ref().is_none_or(|only| only.contains(&entry.id()))
    }
}

struct Part<'s> {
    set: &'s Set,
    phases: Phases,
    kept: BTreeSet<MigrationId>,
    /// One that says what it waits for was left out; what comes behind it may count on it.
    left_out: bool,
}

impl Part<'_> {
    fn place(&mut self, migration: &dyn Migration) {
        self.left_out |= migration.after().iter().any(|after| !self.kept.contains(after));
        if !self.left_out && self.phases.contains(migration.phase()) && self.has_earlier(migration)
        {
            self.kept.insert(migration.id());
        }
    }

    fn has_earlier(&self, migration: &dyn Migration) -> bool {
        let earlier = Phase::ALL.into_iter().take_while(|phase| *phase < migration.phase());
        earlier
            .map(|phase| MigrationId::new(migration.version(), phase))
            .all(|id| self.set.get(id).is_none() || self.kept.contains(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Version;

    fn folder(names: &[(&str, &str)]) -> Source {
        let folder = std::env::temp_dir().join(format!("migrate-part-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in names {
            std::fs::write(folder.join(name), text).unwrap();
        }
        let source = Source::read(&folder).unwrap();
        std::fs::remove_dir_all(folder).unwrap();
        source
    }

    fn ids(source: &Source) -> Vec<String> {
        source.set().unwrap().iter().map(|entry| entry.id().to_string()).collect()
    }

    #[test]
    fn a_part_is_a_set_of_its_own() {
        let all = folder(&[
            ("1_a.sql", "SELECT 1;"),
            ("1_a.migrate.sql", "SELECT 1;"),
            ("1_a.contract.sql", "SELECT 1;"),
            ("2_b.sql", "SELECT 2;"),
            ("3_c.sql", "-- migrate: after 1 contract\nSELECT 3;"),
            ("4_d.sql", "SELECT 4;"),
        ]);
        let stop = MigrationId::new(Version::new(1), Phase::Contract);
        assert_eq!(ids(&all.part(Some(stop), Phases::ALL)), ["1 expand", "1 migrate"]);
        assert_eq!(ids(&all.part(None, Phases::ALL)).len(), 6);
        assert_eq!(
            ids(&all.part(None, Phases::START_UP)),
            ["1 expand", "1 migrate", "2 expand"],
            "3 waits for what is left out, and 4 is behind it"
        );
        let expand = Phases::NONE.with(Phase::Expand);
        assert_eq!(ids(&all.part(None, expand)), ["1 expand", "2 expand"]);
        assert_ne!(all.part(None, expand).digest(), all.digest());
        assert_eq!(all.part(None, Phases::ALL).digest(), all.digest());
    }
}
