//! What was seen of a statement, and what the linter says of it, side by side.
//!
//! An index and a sequence of a column are reached through their table, so a lock on one counts where it is stronger
//! than the table's, or where the linter speaks of it.

use std::collections::BTreeMap;

use migrate_core::{LockMode as Mode, Work};

/// What happened to the relations that were there before, by name.
#[derive(Debug, Default)]
pub struct Seen {
    pub relations: BTreeMap<String, Relation>,
    /// Was it seen while the statement waited? Then nobody could count its scans.
    pub waiting: bool,
}

/// What happened to one of them.
#[derive(Debug, Default)]
pub struct Relation {
    pub mode: Option<Mode>,
    /// `pg_class.relkind`
    pub kind: char,
    /// The table that an index or a sequence goes with.
    pub owner: Option<String>,
    pub rewritten: bool,
    pub scanned: bool,
}

/// What the linter says, by the name of a relation.
pub type Claims = BTreeMap<String, (Mode, Work)>;

impl Seen {
    /// The relations that are locked in a way that their owner's lock does not tell.
    pub fn locked(&self) -> impl Iterator<Item = (&str, Mode)> {
        let telling = self.relations.iter().filter(|(_, relation)| {
            let owner = relation.owner.as_ref().and_then(|owner| self.relations.get(owner));
            owner.is_none_or(|owner| owner.mode < relation.mode)
        });
        telling.filter_map(|(name, relation)| Some((&**name, relation.mode?)))
    }

    pub fn rewritten(&self) -> Vec<&str> {
        self.tables(|relation| relation.rewritten)
    }

    /// Those that are read as a whole under a lock that keeps others out.
    pub fn scanned(&self) -> Vec<&str> {
        self.tables(|relation| {
            relation.scanned && relation.mode >= Some(Mode::ShareUpdateExclusive)
        })
    }

    fn tables(&self, wanted: impl Fn(&Relation) -> bool) -> Vec<&str> {
        let tables =
            self.relations.iter().filter(|(_, relation)| relation.has_rows() && wanted(relation));
        tables.map(|(name, _)| &**name).collect()
    }

    /// Where the linter says something else.
    pub fn differences(&self, claims: &Claims) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, (mode, _)) in claims {
            let seen = self.relations.get(name).and_then(|relation| relation.mode);
            if seen != Some(*mode) {
                let seen = seen.map_or("not at all", words);
                differences
                    .push(format!("{name} is locked {seen}, the linter says {}", words(*mode)));
            }
        }
        let unknown = self.locked().filter(|(name, _)| !claims.contains_key(*name));
        differences.extend(unknown.map(|(name, mode)| {
            format!("{name} is locked {}, the linter does not say so", words(mode))
        }));
        differences.extend(self.relations.iter().filter_map(|(name, relation)| {
            let said = claims.get(name).map_or(Work::None, |(_, work)| *work);
            self.other_work(relation, said)
                .map(|seen| format!("{name} is {seen}, the linter says {said:?}"))
        }));
        differences
    }

    fn other_work(&self, relation: &Relation, said: Work) -> Option<&'static str> {
        let is_quiet = relation.mode < Some(Mode::ShareUpdateExclusive); // what it does is what it is for
        if !relation.has_rows() || is_quiet {
            return None;
        }
        let seen = match relation {
            Relation { rewritten: true, .. } => Work::Rewrite,
            _ if self.waiting && said == Work::Scan => Work::Scan,
            Relation { scanned: true, .. } => Work::Scan,
            _ => Work::None,
        };
        let word = match seen {
            Work::Rewrite => "rewritten",
            Work::Scan => "read as a whole",
            Work::None => "left alone",
        };
        (seen != said).then_some(word)
    }
}

impl Relation {
    fn has_rows(&self) -> bool {
        matches!(self.kind, 'r' | 'm')
    }
}

/// PostgreSQL's words for a lock, and its name for it in `pg_locks`.
const MODES: [(Mode, &str, &str); 8] = [
    (Mode::AccessShare, "ACCESS SHARE", "AccessShareLock"),
    (Mode::RowShare, "ROW SHARE", "RowShareLock"),
    (Mode::RowExclusive, "ROW EXCLUSIVE", "RowExclusiveLock"),
    (Mode::ShareUpdateExclusive, "SHARE UPDATE EXCLUSIVE", "ShareUpdateExclusiveLock"),
    (Mode::Share, "SHARE", "ShareLock"),
    (Mode::ShareRowExclusive, "SHARE ROW EXCLUSIVE", "ShareRowExclusiveLock"),
    (Mode::Exclusive, "EXCLUSIVE", "ExclusiveLock"),
    (Mode::AccessExclusive, "ACCESS EXCLUSIVE", "AccessExclusiveLock"),
];

pub fn words(mode: Mode) -> &'static str {
    MODES.iter().find(|(known, ..)| *known == mode).expect("all modes are here").1
}

/// A mode by its name in `pg_locks`.
pub fn mode(name: &str) -> Mode {
    MODES.iter().find(|(.., known)| *known == name).unwrap_or_else(|| panic!("what is a {name}?")).0
}
