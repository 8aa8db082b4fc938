//! What was measured of one piece. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use migrate_core::LockMode;
use sqlx::postgres::PgRow;

use super::super::estimate::Size;
use super::super::stage::InFile;
use super::super::{Basis, LockHeld};

use crate::wire::number;

/// What was measured of one piece.
pub(super) struct Measured {
    /// `None` where the linter's word stands.
    pub(super) locks: Option<Vec<LockHeld>>,
    pub(super) rewrites: Vec<String>,
    pub(super) wal: Option<u64>,
    pub(super) time: Option<Duration>,
    pub(super) basis: Basis,
}

impl Measured {
    pub(super) fn of(basis: Basis) -> Self {
        Self { locks: None, rewrites: Vec::new(), wal: None, time: None, basis }
    }

    pub(super) fn note(&mut self, wal: u64, time: Duration) {
        (self.wal, self.time) = (Some(wal), Some(time));
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rows of a table")]
pub(super) fn sample(relation: String, size: &Size) -> Basis {
    Basis::Sample { relation, rows: size.sample as u64, of: size.rows as u64 }
}

pub(super) fn wal(row: Option<&PgRow>) -> u64 {
    let bytes = row.and_then(|row| number(row, "wal"));
    bytes.and_then(|bytes| bytes.try_into().ok()).unwrap_or_default()
}

/// What became of files.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// Tables that are in another file, by name.
    pub(super) rewritten: Vec<String>,
    /// An index of a table that was there is new.
    pub(super) has_index: bool,
}

pub(super) fn changes(before: &BTreeMap<i64, InFile>, after: &BTreeMap<i64, InFile>) -> Seen {
    let mut seen = Seen::default();
    for (oid, now) in after {
        match before.get(oid) {
            Some(then) if !now.is_index && then.file != now.file => {
                seen.rewritten.push(then.shown().to_owned());
            }
            None if now.is_index && before.contains_key(&now.of_table) => seen.has_index = true,
            _ => {}
        }
    }
    seen
}

impl InFile {
    /// On the stage the name alone tells which it is.
    fn shown(&self) -> &str {
        if self.name.starts_with("migrate_rehearsal.") { &self.bare } else { &self.name }
    }
}

/// What was seen and what is known, the strongest of each.
pub(super) fn locks<'l>(
    seen: impl Iterator<Item = &'l (i64, String, LockMode)>,
    known: Vec<LockHeld>,
) -> Vec<LockHeld> {
    let mut all = known;
    let mut names: BTreeSet<String> = all.iter().map(|lock| lock.relation.clone()).collect();
    for (_, name, mode) in seen {
        if names.insert(name.clone()) {
            all.push(LockHeld { relation: name.clone(), mode: *mode, held: None });
        }
        for lock in all.iter_mut().filter(|lock| lock.relation == *name) {
            lock.mode = lock.mode.max(*mode);
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, file: i64, of_table: i64) -> InFile {
        let bare = name.rsplit('.').next().unwrap().to_owned();
        InFile { name: name.to_owned(), bare, is_index: of_table > 0, of_table, file: Some(file) }
    }

    #[test]
    fn a_table_in_another_file_was_rewritten_and_a_new_index_is_one() {
        let before = BTreeMap::from([
            (1, file("public.t", 1, 0)),
            (2, file("public.t_pkey", 2, 1)),
            (3, file("migrate_rehearsal.u", 3, 0)),
        ]);
        let mut after = before.clone();
        assert_eq!(changes(&before, &after), Seen::default());
        after.insert(2, file("public.t_pkey", 20, 1));
        after.insert(4, file("public.new", 4, 0));
        after.insert(5, file("public.new_pkey", 5, 4));
        assert_eq!(changes(&before, &after), Seen::default(), "neither is a table that was there");
        after.insert(3, file("migrate_rehearsal.u", 30, 0));
        after.insert(6, file("public.t_a_idx", 6, 1));
        let seen = Seen { rewritten: vec!["u".to_owned()], has_index: true };
        assert_eq!(changes(&before, &after), seen);
    }

    #[test]
    fn the_strongest_lock_counts_whoever_knew_of_it() {
        let known = LockHeld { relation: "public.t".into(), mode: LockMode::Share, held: None };
        let seen = [
            (1, "public.t".to_owned(), LockMode::AccessExclusive),
            (2, "public.u".to_owned(), LockMode::RowShare),
        ];
        let all = locks(seen.iter(), vec![known]);
        let all: Vec<_> = all.iter().map(|lock| (&*lock.relation, lock.mode)).collect();
        assert_eq!(
            all,
            [("public.t", LockMode::AccessExclusive), ("public.u", LockMode::RowShare)]
        );
    }
}
