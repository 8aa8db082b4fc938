//! What a session does, one thing after the other: chance that a seed repeats.
//!
//! Each session has keys of its own, so that what its rows have to be is known without asking. Knows no SQL.

use std::collections::BTreeMap;

/// Sessions, each with the keys that leave its number when they are divided by how many there are.
pub(crate) const SESSIONS: i64 = 4;

/// A key and the partition that its row is in.
pub(crate) type Key = (i64, i64);

/// Who writes: old code knows the one column, new code the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Old,
    New,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Insert(By, Key, Option<u64>),
    Update(By, Vec<Key>, Option<u64>),
    Upsert(By, Key, Option<u64>),
    Copy(Vec<(Key, Option<u64>)>),
    Delete(Vec<Key>),
    /// Another key, the same row.
    Rekey(Key, i64),
    /// The same key, another partition.
    Move(Key),
    /// A row is written and locked for a while.
    Hold(Key, u64),
    /// All or nothing.
    Together(Vec<Operation>, bool),
}

/// Numbers that a seed gives again (splitmix64).
#[derive(Clone, Debug)]
struct Chance(u64);

impl Chance {
    fn below(&mut self, many: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % many.max(1)
    }

    /// One in so many.
    fn is(&mut self, many: u64) -> bool {
        self.below(many) == 0
    }
}

/// What one session does in one round.
pub(crate) struct Operations {
    chance: Chance,
    session: i64,
    /// Its rows, as it goes.
    rows: BTreeMap<i64, i64>,
    next_value: u64,
}

impl Operations {
    pub(crate) fn new(
        seed: u64,
        round: u64,
        session: i64,
        rows: impl Iterator<Item = Key>,
    ) -> Self {
        let stream = round * 16 + session.unsigned_abs() + 1;
        let mut chance = Chance(seed ^ stream.wrapping_mul(0xA076_1D64_78BD_642F));
        chance.below(1);
        Self { chance, session, rows: rows.collect(), next_value: 0 }
    }

    pub(crate) fn next(&mut self) -> Operation {
        if self.chance.is(20) {
            return self.together();
        }
        let operation = self.one();
        self.follow(&operation);
        operation
    }

    fn together(&mut self) -> Operation {
        let before = self.rows.clone();
        let mut all = Vec::new();
        for _ in 0..2 + self.chance.below(3) {
            let operation = self.one();
            self.follow(&operation);
            all.push(operation);
        }
        let commits = !self.chance.is(3);
        if !commits {
            self.rows = before;
        }
        Operation::Together(all, commits)
    }

    fn one(&mut self) -> Operation {
        let by = if self.chance.is(2) { By::Old } else { By::New };
        match self.chance.below(100) {
            0..12 => Operation::Insert(by, self.fresh(), self.value()),
            12..15 => Operation::Copy(
                (0..1 + self.chance.below(5)).map(|_| (self.fresh(), self.value())).collect(),
            ),
            15..35 => Operation::Upsert(by, self.any(), self.value()),
            35..47 => Operation::Delete(self.some()),
            47..58 => Operation::Rekey(self.any(), self.free()),
            58..70 => Operation::Move(self.any()),
            70 if self.chance.is(4) => Operation::Hold(self.any(), self.chance.0),
            _ => Operation::Update(by, self.some(), self.value()),
        }
    }

    fn follow(&mut self, operation: &Operation) {
        match operation {
            Operation::Insert(_, (id, part), _) | Operation::Upsert(_, (id, part), _) => {
                self.rows.insert(*id, *part);
            }
            Operation::Copy(rows) => self.rows.extend(rows.iter().map(|(key, _)| *key)),
            Operation::Delete(keys) => self.rows.retain(|id, part| !keys.contains(&(*id, *part))),
            Operation::Rekey((id, part), to) => {
                if self.rows.remove(id).is_some() {
                    self.rows.insert(*to, *part);
                }
            }
            Operation::Move((id, part)) => {
                self.rows.entry(*id).and_modify(|there| *there = 3 - part);
            }
            Operation::Update(..) | Operation::Hold(..) | Operation::Together(..) => {}
        }
    }

    /// Now and then none.
    fn value(&mut self) -> Option<u64> {
        self.next_value += 1;
        (!self.chance.is(8)).then_some(self.next_value)
    }

    /// A key that no row has, ahead of all others, behind them or in between.
    fn free(&mut self) -> i64 {
        loop {
            let far = i64::try_from(self.chance.below(4_000)).unwrap_or_default() - 1_000;
            let id = far * SESSIONS + self.session;
            if !self.rows.contains_key(&id) {
                return id;
            }
        }
    }

    fn fresh(&mut self) -> Key {
        let id = self.free();
        let part = if self.chance.is(2) { 1 } else { 2 };
        self.rows.insert(id, part);
        (id, part)
    }

    /// A row that is there, or one that is not.
    fn any(&mut self) -> Key {
        let place = self.chance.below(self.rows.len() as u64 + 1);
        let row = self.rows.iter().nth(usize::try_from(place).unwrap_or_default());
        match row {
            Some((id, part)) => (*id, *part),
            None => (self.free(), 1),
        }
    }

    fn some(&mut self) -> Vec<Key> {
        let many = if self.chance.is(5) { 1 + self.chance.below(8) } else { 1 };
        let mut keys: Vec<_> = (0..many).map(|_| self.any()).collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_operations_again_and_another_others() {
        let all = |seed| {
            let mut operations =
                Operations::new(seed, 3, 2, (0..50).map(|n| (n * SESSIONS + 2, 1)));
            (0..500).map(|_| operations.next()).collect::<Vec<_>>()
        };
        assert_eq!(all(7), all(7));
        assert_ne!(all(7), all(8));
    }
}
