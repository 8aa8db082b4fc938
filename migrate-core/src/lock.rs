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
}

impl Targets {
    /// Writes them down, for a constant of the program.
    pub fn pack<'t>(targets: impl IntoIterator<Item = &'t Targets>) -> Vec<u8> {
        let mut writer = Writer::default();
        for Targets { migration, offset, locks } in targets {
            writer.id(*migration);
            writer.number((*offset).into());
            writer.list(locks, |writer, lock| {
                writer.text(&lock.relation);
                writer.0.extend([lock.mode as u8, lock.work as u8]);
            });
        }
        writer.0
    }

    /// What [`Targets::pack`] wrote; `None` where the bytes are something else.
    pub fn unpack(rows: &'static [u8]) -> Option<Vec<Targets>> {
        let mut reader = Reader { rows, texts: "" };
        let mut targets = Vec::new();
        while !reader.rows.is_empty() {
            let (migration, offset) = (reader.id()?, reader.small()?);
            let locks = reader.list(|reader| {
                Some(LockTarget {
                    relation: reader.text()?.into(),
                    mode: *LockMode::ALL.get(usize::from(reader.byte()?))?,
                    work: *Work::ALL.get(usize::from(reader.byte()?))?,
                })
            })?;
            targets.push(Targets { migration, offset, locks: locks.into() });
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
        let each =
            |mode| LockTarget { relation: "public.\"Users\"".into(), mode, work: Work::Scan };
        let target = |offset, locks: Vec<LockTarget>| Targets {
            migration: MigrationId::new(Version::new(7), Phase::Migrate),
            offset,
            locks: locks.into(),
        };
        let all = [target(0, vec![]), target(300, LockMode::ALL.map(each).to_vec())];
        assert_eq!(Targets::unpack(Targets::pack(&all).leak()).as_deref(), Some(&all[..]));
        assert_eq!(Targets::unpack(&[]), Some(Vec::new()));
    }

    proptest! {
        #[test]
        fn no_bytes_are_trusted(rows: Vec<u8>) {
            let _ = Targets::unpack(rows.leak());
        }
    }
}
