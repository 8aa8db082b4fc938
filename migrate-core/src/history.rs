//! What a database says was done: rows as they were read, and what they amount to.
//!
//! The history is a log: rows are added, never changed. Owns what a row means and how rows add up to the
//! state of each migration. Knows nothing of the table they came from, nor of what is declared.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{Checksum, MigrationId};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
        #[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
        pub enum $name { $($(#[$variant_doc])* $variant),+ }

        impl $name {
            /// The word that stands in the history.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = NotAWord;

            fn from_str(text: &str) -> Result<Self, NotAWord> {
                match text {
                    $($word => Ok($name::$variant),)+
                    _ => Err(NotAWord(text.to_owned())),
                }
            }
        }
    };
}

words! {
    /// What a row says happened.
    State {
        /// Work outside a transaction began.
        Started = "started",
        /// Work is complete.
        Done = "done",
        /// Work ended with an error.
        Failed = "failed",
        /// The migration was taken back.
        Reverted = "reverted",
    }
}

words! {
    /// How a row came to be.
    Kind {
        /// Statements in a transaction.
        Transaction = "transaction",
        /// Statements outside a transaction.
        Standalone = "standalone",
        /// Rust code of the application.
        Code = "code",
        /// A change of data in batches.
        Backfill = "backfill",
        /// Declared as done for a database that existed before.
        Baseline = "baseline",
        /// Done by another tool, whose history was taken over.
        Adopted = "adopted",
        /// Declared as done by hand.
        Marked = "marked",
        /// The recorded checksum and text were replaced by the declared ones.
        Repaired = "repaired",
    }
}

words! {
    /// Which way a row went.
    Direction {
        /// Forward.
        Up = "up",
        /// Back.
        Down = "down",
    }
}

/// A word in the history that this version of the library does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAWord(String);

impl fmt::Display for NotAWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a word of the history", self.0)
    }
}

impl std::error::Error for NotAWord {}

/// One row, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its place in the log.
    pub seq: i64,
    /// Which migration it is about.
    pub id: MigrationId,
    /// Its name at the time.
    pub name: String,
    /// How it came to be.
    pub kind: Kind,
    /// Which way it went.
    pub direction: Direction,
    /// What happened.
    pub state: State,
    /// Which unit of the migration, from 1; `None` is all of it.
    pub unit: Option<u32>,
    /// Of the migration, or of the one statement.
    pub checksum: Checksum,
    /// Is there the text that ran? Rust code has none.
    pub has_up: bool,
    /// Is there a text that takes it back?
    pub has_down: bool,
    /// Does the text that ran say that older code works with it?
    pub compatible: bool,
    /// When, in UTC, as RFC 3339.
    pub at: String,
}

/// What the rows of one migration add up to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Its name when it was last heard of.
    pub name: String,
    /// How it was done.
    pub kind: Kind,
    /// Of the migration, when all of it was done.
    pub checksum: Checksum,
    /// Is there the text that ran? Rust code has none.
    pub has_up: bool,
    /// Is there a text that takes it back?
    pub has_down: bool,
    /// Does the text that ran say that older code works with it?
    pub compatible: bool,
    /// When it was last heard of.
    pub at: String,
    /// Where it stands.
    pub status: Status,
}

/// Where a migration stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// All of it was done.
    Done,
    /// It failed as a whole; nothing of it stayed.
    Failed,
    /// It was taken back.
    Reverted,
    /// Some of its units were done.
    Partial {
        /// Which way it was going.
        direction: Direction,
        /// The checksums of the units that were done, in order.
        done: Vec<Checksum>,
        /// The checksum of the unit after them when it was begun, and what became of it is not known.
        started: Option<Checksum>,
    },
}

/// What a database says was done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    applied: BTreeMap<MigrationId, Applied>,
    last_seq: i64,
    fresh: bool,
}

impl History {
    /// Adds rows up, in their order.
    pub fn new(records: impl IntoIterator<Item = Record>) -> Self {
        let mut history = History::default();
        for record in records {
            history.add(record);
        }
        history
    }

    /// The history of a database that has none, and no table either: there is no old code to mind.
    pub fn of_fresh_database() -> Self {
        History { fresh: true, ..History::default() }
    }

    /// The same history, of a database without a table: unless something was done after all, it is fresh.
    #[must_use]
    pub fn without_tables(mut self) -> Self {
        self.fresh = self.applied.values().all(Applied::is_gone);
        self
    }

    /// No history and no table?
    pub fn is_fresh(&self) -> bool {
        self.fresh
    }

    /// The place of the last row; 0 before the first.
    pub fn last_seq(&self) -> i64 {
        self.last_seq
    }

    /// Every migration that rows speak of.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (MigrationId, &Applied)> {
        self.applied.iter().map(|(id, applied)| (*id, applied))
    }

    /// What rows say of one migration.
    pub fn get(&self, id: MigrationId) -> Option<&Applied> {
        self.applied.get(&id)
    }

    /// Was all of it done, and not taken back?
    pub fn is_done(&self, id: MigrationId) -> bool {
        self.get(id).is_some_and(Applied::is_done)
    }

    /// Those that are done, in order.
    pub fn done(&self) -> impl DoubleEndedIterator<Item = (MigrationId, &Applied)> {
        self.iter().filter(|(_, applied)| applied.is_done())
    }

    /// Takes the next row into account.
    pub fn add(&mut self, record: Record) {
        self.last_seq = self.last_seq.max(record.seq);
        self.fresh = false;
        let before = self.applied.remove(&record.id);
        let status = record.status_after(before.as_ref().map(|applied| &applied.status));
        // What was begun or failed, perhaps on the way back, does not say what the migration is.
        let applied = match before.filter(|_| !record.settles()) {
            Some(before) => Applied { at: record.at, status, ..before },
            None => Applied {
                name: record.name,
                kind: record.kind,
                checksum: record.checksum,
                has_up: record.has_up,
                has_down: record.has_down,
                compatible: record.compatible,
                at: record.at,
                status,
            },
        };
        self.applied.insert(record.id, applied);
    }
}

impl Applied {
    /// Was all of it done, and not taken back?
    pub fn is_done(&self) -> bool {
        self.status == Status::Done
    }

    /// Is it Rust code, run or declared as done?
    pub(crate) fn is_code(&self) -> bool {
        let said =
            matches!(self.kind, Kind::Baseline | Kind::Marked | Kind::Repaired | Kind::Backfill);
        self.kind == Kind::Code || said && !self.has_up
    }

    /// Is nothing of it in the database?
    pub(crate) fn is_gone(&self) -> bool {
        matches!(self.status, Status::Failed | Status::Reverted)
    }
}

impl Record {
    /// Is it about all of a migration, and how it ended?
    fn settles(&self) -> bool {
        self.unit.is_none() && matches!(self.state, State::Done | State::Reverted)
    }

    fn status_after(&self, before: Option<&Status>) -> Status {
        match (self.unit, self.state) {
            (None, State::Done) => Status::Done,
            (None, State::Reverted) => Status::Reverted,
            (None, State::Failed) => before.cloned().unwrap_or(Status::Failed),
            (None, State::Started) => self.partial(Vec::new(), Some(self.checksum)),
            (Some(unit), state) => self.unit_after(unit, state, before),
        }
    }

    /// Units count within one run in one direction; the first of them forgets what was before.
    fn unit_after(&self, unit: u32, state: State, before: Option<&Status>) -> Status {
        let mut done = match before {
            Some(Status::Partial { direction, done, .. }) if *direction == self.direction => {
                done.clone()
            }
            _ => Vec::new(),
        };
        done.truncate(unit.saturating_sub(1) as usize);
        if state == State::Done {
            done.push(self.checksum);
        }
        // An error of the server undid the statement; what an interruption left, nobody knows.
        self.partial(done, (state == State::Started).then_some(self.checksum))
    }

    fn partial(&self, done: Vec<Checksum>, started: Option<Checksum>) -> Status {
        Status::Partial { direction: self.direction, done, started }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    fn row(state: State, direction: Direction, unit: Option<u32>) -> Record {
        Record {
            seq: 1,
            id: id("1"),
            name: "m1".into(),
            kind: Kind::Standalone,
            direction,
            state,
            unit,
            checksum: Checksum::of_sql(&format!("{unit:?}")),
            has_up: true,
            has_down: false,
            compatible: false,
            at: String::new(),
        }
    }

    fn status(rows: &[(State, Direction, Option<u32>)]) -> Status {
        let history = History::new(rows.iter().map(|(s, d, u)| row(*s, *d, *u)));
        history.get(id("1")).unwrap().status.clone()
    }

    #[test]
    fn rows_add_up() {
        use Direction::{Down, Up};
        use State::{Done, Failed, Reverted, Started};
        let unit = |u: u32| Checksum::of_sql(&format!("{:?}", Some(u)));
        let partial = |n, started: bool, direction| Status::Partial {
            direction,
            done: (1..=n).map(unit).collect(),
            started: started.then(|| unit(n + 1)),
        };
        let table: [(&[_], Status); 9] = [
            (&[(Done, Up, None)], Status::Done),
            (&[(Failed, Up, None)], Status::Failed),
            (&[(Failed, Up, None), (Done, Up, None)], Status::Done),
            (&[(Done, Up, None), (Reverted, Down, None)], Status::Reverted),
            (&[(Started, Up, Some(1))], partial(0, true, Up)),
            (&[(Started, Up, Some(1)), (Done, Up, Some(1))], partial(1, false, Up)),
            (
                &[(Done, Up, Some(1)), (Started, Up, Some(2)), (Failed, Up, Some(2))],
                partial(1, false, Up),
            ),
            (&[(Done, Up, Some(1)), (Done, Up, Some(2)), (Done, Up, None)], Status::Done),
            (
                &[(Done, Up, Some(1)), (Done, Up, None), (Started, Down, Some(1))],
                partial(0, true, Down),
            ),
        ];
        for (rows, expected) in table {
            assert_eq!(status(rows), expected, "{rows:?}");
        }
    }

    /// What it is, and whether it can be taken back, is said by the row of all of it that was done.
    #[test]
    fn a_way_back_that_fails_changes_nothing_else() {
        let done = Record { has_down: true, ..row(State::Done, Direction::Up, None) };
        let whole = Checksum::of_sql("None");
        for unit in [None, Some(1)] {
            for state in [State::Started, State::Failed] {
                let back = Record {
                    checksum: Checksum::of_sql("the way back"),
                    ..row(state, Direction::Down, unit)
                };
                let history = History::new([done.clone(), back]);
                let applied = history.get(id("1")).unwrap();
                assert_eq!((applied.checksum, applied.has_down), (whole, true), "{unit:?} {state}");
            }
        }
    }

    #[test]
    fn every_word_is_read_back() {
        for state in [State::Started, State::Done, State::Failed, State::Reverted] {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("undone".parse::<State>().is_err());
    }
}
