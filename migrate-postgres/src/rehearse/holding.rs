//! How long locks are held: from the step that takes one to the end of its transaction.
//!
//! Pure.

use std::time::Duration;

use super::Rehearsed;

/// Says of each lock how long it is held; it is not known where something behind it is not.
pub(super) fn hold(steps: &mut [Rehearsed]) {
    for transaction in steps.chunk_by_mut(|a, b| a.transaction == b.transaction) {
        let mut rest = Some(Duration::ZERO);
        for step in transaction.iter_mut().rev() {
            rest = rest.zip(step.time).map(|(rest, own)| rest + own);
            for lock in &mut step.locks {
                // Of a backfill it is that of one batch, and known before.
                lock.held = lock.held.or(rest);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use migrate_core::{LockMode, MigrationId, Phase, Version};

    use super::super::{Basis, LockHeld};
    use super::*;

    fn step(transaction: usize, seconds: Option<u64>) -> Rehearsed {
        let lock = LockHeld { relation: "t".into(), mode: LockMode::Share, held: None };
        Rehearsed {
            id: MigrationId::new(Version::new(1), Phase::Expand),
            name: "a".into(),
            statement: None,
            what: String::new(),
            locks: vec![lock],
            rewrites: Vec::new(),
            wal: None,
            time: seconds.map(Duration::from_secs),
            basis: Basis::Whole,
            transaction,
        }
    }

    #[test]
    fn a_lock_is_held_until_its_transaction_ends() {
        let mut steps =
            [step(1, Some(5)), step(1, Some(2)), step(2, Some(7)), step(3, Some(1)), step(3, None)];
        hold(&mut steps);
        let held: Vec<_> =
            steps.iter().map(|step| step.locks[0].held.map(|held| held.as_secs())).collect();
        assert_eq!(held, [Some(7), Some(2), Some(7), None, None]);
    }
}
