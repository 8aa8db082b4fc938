//! Taking over what sqlx did: the rows of its table, held against the folder and against our own history.
//!
//! Owns which rows can be taken over, which stop it and why, and how sqlx makes a checksum and a lock. A pure
//! function, like a plan: reads no table and writes none.

use std::collections::BTreeSet;

use crate::history::Applied;
use crate::{Entry, History, Kind, Migration, MigrationId, Phase, Set, Status, Version};

mod objection;
mod sqlx;
#[cfg(test)]
mod tests;

pub use objection::{Objection, ObjectionKind, Objections};
pub use sqlx::{Proof, SqlxRow, SqlxTable, lock_key};

/// What may be taken over although it does not agree; nothing, unless somebody says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Accepted {
    /// Files that are not what sqlx ran: they count as applied, with their present text.
    pub changed: bool,
    /// Versions that no file has: they stay in sqlx's table alone.
    pub missing: bool,
    /// Versions that sqlx's table lost after they had been taken over: they count as taken back.
    pub reverted: bool,
}

/// What becomes of sqlx's rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Adoption {
    /// What our history takes over, in order.
    pub adopted: Vec<Adopted>,
    /// What our history had already.
    pub known: usize,
    /// What no file has, and was accepted: it stays in sqlx's table alone.
    pub left_out: Vec<(Version, String)>,
    /// What sqlx took back, and our history now does too.
    pub reverted: Vec<(MigrationId, String)>,
    /// What our history has and sqlx's table does not.
    pub only_ours: Vec<MigrationId>,
    /// What neither has: the next run's work.
    pub pending: Vec<Pending>,
    /// The newest declared version that is applied.
    pub released: Option<Version>,
}

/// A row of sqlx's that our history takes over.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Adopted {
    /// Which migration it is here.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// When sqlx applied it, in UTC.
    pub at: String,
    /// How well it is known to be the same.
    pub proof: Proof,
}

/// A migration that neither history has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Pending {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// Is it older than the newest applied one? sqlx runs such a one without a word; here it takes a decision.
    pub late: bool,
}

impl Adoption {
    /// Decides.
    ///
    /// # Errors
    /// Everything that stands in the way, at once.
    pub fn new(
        declared: &Set,
        history: &History,
        table: &SqlxTable,
        accepted: Accepted,
    ) -> Result<Self, Objections> {
        let (adoption, found) = (Adoption::default(), Vec::new());
        let mut judge = Judge { declared, history, table, accepted, adoption, found };
        table.rows.iter().for_each(|row| judge.row(row));
        history.done().for_each(|(id, applied)| judge.ours(id, applied));
        Objections::check(judge.found)?;
        let mut adoption = judge.adoption;
        adoption.look_ahead(declared, history);
        Ok(adoption)
    }

    /// Is there nothing to write into our history?
    pub fn is_empty(&self) -> bool {
        self.adopted.is_empty() && self.reverted.is_empty()
    }

    /// How many are byte for byte, or but for line ends, what sqlx ran.
    pub fn verified(&self) -> usize {
        self.adopted.iter().filter(|adopted| adopted.proof != Proof::Changed).count()
    }

    /// What is left to be done once this is carried out.
    fn look_ahead(&mut self, declared: &Set, history: &History) {
        let mut applied: BTreeSet<MigrationId> = history.done().map(|(id, _)| id).collect();
        applied.extend(self.adopted.iter().map(|adopted| adopted.id));
        for (id, _) in &self.reverted {
            applied.remove(id);
        }
        let newest = applied.iter().rev().find(|id| id.phase == Phase::Expand).copied();
        let missing = declared.iter().filter(|entry| !applied.contains(&entry.id()));
        self.pending = missing
            .map(|entry| {
                let id = entry.id();
                let late = id.phase == Phase::Expand && Some(id) < newest;
                Pending { id, name: entry.name().to_owned(), late }
            })
            .collect();
        let known = applied.iter().rev().find(|id| declared.get(**id).is_some());
        self.released = known.map(|id| id.version);
    }
}

struct Judge<'j> {
    declared: &'j Set,
    history: &'j History,
    table: &'j SqlxTable,
    accepted: Accepted,
    adoption: Adoption,
    found: Vec<Objection>,
}

impl Judge<'_> {
    fn row(&mut self, row: &SqlxRow) {
        if !row.success {
            return self.object(row, ObjectionKind::Failed);
        }
        match self.table.declared(self.declared, row) {
            Some((entry, proof)) => self.declared(row, entry, proof),
            None if self.ours_has(row.version) => self.adoption.known += 1,
            None if self.accepted.missing => {
                self.adoption.left_out.push((row.version, row.description.clone()));
            }
            None => self.object(row, ObjectionKind::Missing),
        }
    }

    fn declared(&mut self, row: &SqlxRow, entry: &Entry, proof: Proof) {
        match self.history.get(entry.id()).map(|applied| (&applied.status, &applied.at)) {
            Some((Status::Done, _)) => self.adoption.known += 1,
            Some((Status::Partial { .. }, _)) => self.object(row, ObjectionKind::CutShort),
            Some((Status::Reverted, at)) if !self.table.mirrored && row.at <= *at => {
                self.object(row, ObjectionKind::RevertedHere { at: at.clone() });
            }
            Some(_) | None if proof == Proof::Changed && !self.accepted.changed => {
                self.object(row, ObjectionKind::Changed);
            }
            Some(_) | None => self.adoption.adopted.push(Adopted {
                id: entry.id(),
                name: entry.name().to_owned(),
                at: row.at.clone(),
                proof,
            }),
        }
    }

    fn ours_has(&self, version: Version) -> bool {
        self.history.done().any(|(id, _)| id.version == version)
    }

    /// What our history has and sqlx's table lacks was either never written there, or taken back by sqlx.
    fn ours(&mut self, id: MigrationId, applied: &Applied) {
        if self.table.has(id.version) || applied.is_code() {
            return;
        }
        let was_there = self.table.mirrored || applied.kind == Kind::Adopted;
        if !was_there {
            self.adoption.only_ours.push(id);
        } else if self.accepted.reverted {
            self.adoption.reverted.push((id, applied.name.clone()));
        } else {
            let (version, name) = (id.version, applied.name.clone());
            self.found.push(Objection { version, name, kind: ObjectionKind::RevertedThere });
        }
    }

    fn object(&mut self, row: &SqlxRow, kind: ObjectionKind) {
        self.found.push(Objection { version: row.version, name: row.description.clone(), kind });
    }
}

/// The migrations that a plan would run although sqlx has: nobody took its history over yet. Where ours has a
/// phase of the version, it knows of it.
pub fn applied_by_sqlx<'e>(
    planned: impl IntoIterator<Item = &'e Entry>,
    history: &History,
    rows: &[SqlxRow],
) -> Vec<MigrationId> {
    let known: BTreeSet<Version> = history.done().map(|(id, _)| id.version).collect();
    let is_it = |entry: &&Entry| {
        !known.contains(&entry.version()) && rows.iter().any(|row| row.is_of(&***entry))
    };
    planned.into_iter().filter(is_it).map(|entry| entry.id()).collect()
}

impl SqlxTable {
    /// The declared migration that a row is about. sqlx knows no phases: where one version has several, the text
    /// tells which.
    fn declared<'s>(&self, declared: &'s Set, row: &SqlxRow) -> Option<(&'s Entry, Proof)> {
        let same = declared.iter().filter(|entry| entry.version() == row.version);
        let proven = same.map(|entry| (entry, self.proof(&**entry, row)));
        proven.min_by_key(|(entry, proof)| (*proof, entry.id()))
    }

    fn has(&self, version: Version) -> bool {
        self.rows.iter().any(|row| row.version == version)
    }

    fn proof(&self, migration: &dyn Migration, row: &SqlxRow) -> Proof {
        sqlx::text_of(migration)
            .map_or(Proof::Changed, |text| Proof::of(text, &self.ignored, &row.checksum))
    }
}
