//! What statements lock, as data: who runs them has no parser.
//!
//! Owns the words for it and how they are packed beside a folder. The linter finds the values; they say nothing
//! about what runs, so no checksum knows of them.

use std::borrow::Cow;

use crate::MigrationId;
use crate::packed::{Reader, Writer};

/// A lock on a relation, from the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LockMode {
    /// What a `SELECT` takes.
    AccessShare,
    /// What `SELECT … FOR UPDATE` takes.
    RowShare,
    /// What a write takes.
    RowExclusive,
    /// Keeps out others of its kind: `VACUUM`, `VALIDATE CONSTRAINT`, `CREATE INDEX CONCURRENTLY`.
    ShareUpdateExclusive,
    /// Keeps writers out: `CREATE INDEX`.
    Share,
    /// Keeps writers out, and others of its kind: `ADD FOREIGN KEY`.
    ShareRowExclusive,
    /// Keeps out all but plain readers.
    Exclusive,
    /// Keeps everybody out.
    AccessExclusive,
}

impl LockMode {
    /// From the weakest.
    pub const ALL: [LockMode; 8] = [
        Self::AccessShare,
        Self::RowShare,
        Self::RowExclusive,
        Self::ShareUpdateExclusive,
        Self::Share,
        Self::ShareRowExclusive,
        Self::Exclusive,
        Self::AccessExclusive,
    ];

    /// As `LOCK TABLE … IN … MODE` wants it.
    pub const fn as_sql(self) -> &'static str {
        match self {
            Self::AccessShare => "ACCESS SHARE",
            Self::RowShare => "ROW SHARE",
            Self::RowExclusive => "ROW EXCLUSIVE",
            Self::ShareUpdateExclusive => "SHARE UPDATE EXCLUSIVE",
            Self::Share => "SHARE",
            Self::ShareRowExclusive => "SHARE ROW EXCLUSIVE",
            Self::Exclusive => "EXCLUSIVE",
            Self::AccessExclusive => "ACCESS EXCLUSIVE",
        }
    }

    /// As `pg_locks.mode` shows it.
    pub const fn as_shown(self) -> &'static str {
        match self {
            Self::AccessShare => "AccessShareLock",
            Self::RowShare => "RowShareLock",
            Self::RowExclusive => "RowExclusiveLock",
            Self::ShareUpdateExclusive => "ShareUpdateExclusiveLock",
            Self::Share => "ShareLock",
            Self::ShareRowExclusive => "ShareRowExclusiveLock",
            Self::Exclusive => "ExclusiveLock",
            Self::AccessExclusive => "AccessExclusiveLock",
        }
    }

    /// The lock that `pg_locks.mode` shows so.
    pub fn of_shown(shown: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_shown() == shown)
    }

    /// Whether two sessions cannot hold them at once (PostgreSQL's manual, "Conflicting Lock Modes").
    pub const fn conflicts_with(self, other: Self) -> bool {
        use LockMode::{
            Exclusive, RowExclusive, RowShare, Share, ShareRowExclusive, ShareUpdateExclusive,
        };
        let weakest = match self {
            Self::AccessShare => Self::AccessExclusive,
            RowShare => Exclusive,
            RowExclusive => Share,
            ShareUpdateExclusive => ShareUpdateExclusive,
            // Of its own kind there may be many, and of the weaker kind that it lets pass.
            Share => {
                return matches!(other, RowExclusive | ShareUpdateExclusive)
                    || other as u8 > Share as u8;
            }
            ShareRowExclusive => RowExclusive,
            Exclusive => RowShare,
            Self::AccessExclusive => Self::AccessShare,
        };
        other as u8 >= weakest as u8
    }

    /// Whether it keeps those out who read and write rows, and while it waits those who come later.
    pub const fn is_strong(self) -> bool {
        self.conflicts_with(Self::RowExclusive)
    }
}

/// What a statement does to the rows of a relation while it has its lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Work {
    /// Nothing, or as much as the statement asks for: the lock is short, or what it does is what it is for.
    None,
    /// It reads all of them.
    Scan,
    /// It writes all of them.
    Rewrite,
}

impl Work {
    const ALL: [Work; 3] = [Work::None, Work::Scan, Work::Rewrite];
}

/// A lock that a statement takes on a relation that was there before its migration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LockTarget {
    /// The relation as a statement would name it: quoted where it has to be, with its schema where that is known.
    pub relation: Cow<'static, str>,
    /// The schema is a guess: it was not written, nor a search path, and the session that runs it may have another.
    pub is_guess: bool,
    /// Which lock.
    pub mode: LockMode,
    /// What it is held for.
    pub work: Work,
}

/// What a statement locks of what was there before its migration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Targets {
    /// Its migration.
    pub migration: MigrationId,
    /// Where it begins in the file of the way forward, in bytes.
    pub offset: u32,
    /// The strongest lock on each relation.
    pub locks: Cow<'static, [LockTarget]>,
    /// It may lock more than that, which nobody can tell from its text.
    pub opaque: bool,
}

/// The format of what is packed; without a byte, nobody has asked the linter.
const FORMAT: u8 = 2;

impl Targets {
    /// Writes them down, for a constant of the program.
    pub fn pack<'t>(targets: impl IntoIterator<Item = &'t Targets>) -> Vec<u8> {
        let mut writer = Writer(vec![FORMAT]);
        for Targets { migration, offset, locks, opaque } in targets {
            writer.id(*migration);
            writer.number((*offset).into());
            writer.0.push(u8::from(*opaque));
            writer.list(locks, |writer, lock| {
                writer.text(&lock.relation);
                writer.0.extend([lock.is_guess.into(), lock.mode as u8, lock.work as u8]);
            });
        }
        writer.0
    }

    /// What [`Targets::pack`] wrote; `None` where there is nothing, or something else.
    pub fn unpack(rows: &'static [u8]) -> Option<Vec<Targets>> {
        let mut reader = Reader { rows, texts: "" };
        let mut targets = Vec::new();
        if reader.byte()? != FORMAT {
            return None;
        }
        while !reader.rows.is_empty() {
            let (migration, offset, opaque) = (reader.id()?, reader.small()?, reader.byte()? != 0);
            let locks = reader.list(|reader| {
                Some(LockTarget {
                    relation: reader.text()?.into(),
                    is_guess: reader.byte()? != 0,
                    mode: *LockMode::ALL.get(usize::from(reader.byte()?))?,
                    work: *Work::ALL.get(usize::from(reader.byte()?))?,
                })
            })?;
            targets.push(Targets { migration, offset, locks: locks.into(), opaque });
        }
        Some(targets)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Phase, Version};

    #[test]
    fn what_is_packed_is_unpacked() {
        let each = |mode| LockTarget {
            relation: "public.\"Users\"".into(),
            is_guess: mode == LockMode::Share,
            mode,
            work: Work::Scan,
        };
        let target = |offset, locks: Vec<LockTarget>| Targets {
            migration: MigrationId::new(Version::new(7), Phase::Migrate),
            offset,
            opaque: locks.is_empty(),
            locks: locks.into(),
        };
        let all = [target(0, vec![]), target(300, LockMode::ALL.map(each).to_vec())];
        assert_eq!(Targets::unpack(Targets::pack(&all).leak()).as_deref(), Some(&all[..]));
        assert_eq!(Targets::unpack(Targets::pack(&[]).leak()), Some(Vec::new()));
        assert_eq!(Targets::unpack(&[]), None, "nobody was asked");
        assert_eq!(Targets::unpack(&[1]), None, "it was another format");
    }

    /// The table of the manual, row by row.
    #[test]
    fn conflicts_are_those_of_the_manual() {
        let conflicts = LockMode::ALL.map(|held| {
            let row = LockMode::ALL.map(|asked| if held.conflicts_with(asked) { 'x' } else { '.' });
            row.iter().collect::<String>()
        });
        let manual = [
            ".......x", "......xx", "....xxxx", "...xxxxx", "..xx.xxx", "..xxxxxx", ".xxxxxxx",
            "xxxxxxxx",
        ];
        assert_eq!(conflicts, manual);
        for mode in LockMode::ALL {
            assert_eq!(LockMode::of_shown(mode.as_shown()), Some(mode));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_trusted(rows: Vec<u8>) {
            let _ = Targets::unpack(rows.leak());
        }
    }
}
