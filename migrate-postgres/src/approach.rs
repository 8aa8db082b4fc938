//! How to go about a lock, given who is in the way.
//!
//! Owns what is hopeless and what is worth an attempt. A pure decision: looks at nothing, waits for nothing.

use std::time::Duration;

use crate::blocker::{Blocker, BlockerKind};

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approach {
    /// Nobody is in the way: take the locks if that is still so, and do not wait for them.
    Take,
    /// Whoever is in the way is so for moments: ask in the queue, briefly.
    Queue,
    /// Only an autovacuum is in the way, which gives way to whoever waits a little longer.
    OutlastAutovacuum,
    /// Whoever is in the way stays for a while: do not queue behind them.
    Wait,
}

/// Transactions that are open for longer than this are not likely to end within an attempt.
const LONG: Duration = Duration::from_secs(1);

/// One that does nothing in its transaction for so long will not end it soon.
const FORGOTTEN: Duration = Duration::from_secs(60);

/// Where somebody is always there for a while, overlapping reports say, an attempt is made as seldom as this.
const SELDOM: Duration = Duration::from_secs(30);

/// What to do about those in the way, when nothing was asked of the queue for `quiet`.
pub(crate) fn approach(blockers: &[Blocker], quiet: Duration) -> Approach {
    let long: Vec<_> = blockers.iter().filter(|blocker| stays(blocker)).collect();
    let hopeless = long.iter().any(|blocker| is_hopeless(blocker));
    if blockers.is_empty() {
        Approach::Take
    } else if long.is_empty() {
        Approach::Queue
    } else if hopeless {
        Approach::Wait
    } else if long.iter().all(|blocker| blocker.kind == BlockerKind::Autovacuum) {
        Approach::OutlastAutovacuum
    } else if quiet >= SELDOM {
        Approach::Queue
    } else {
        Approach::Wait
    }
}

fn stays(blocker: &Blocker) -> bool {
    blocker.age >= LONG || blocker.kind == BlockerKind::Autovacuum || is_hopeless(blocker)
}

fn is_hopeless(blocker: &Blocker) -> bool {
    match blocker.kind {
        BlockerKind::WraparoundVacuum | BlockerKind::Prepared | BlockerKind::IndexBuild => true,
        BlockerKind::IdleInTransaction => blocker.age >= FORGOTTEN,
        // Another change of the schema, or those who wait behind one: not one more.
        BlockerKind::Session | BlockerKind::Autovacuum => {
            blocker.queued && blocker.mode.is_strong()
        }
    }
}

#[cfg(test)]
mod tests {
    use migrate_core::LockMode;

    use super::*;
    use BlockerKind::{
        Autovacuum, IdleInTransaction, IndexBuild, Prepared, Session, WraparoundVacuum,
    };

    fn blocker(kind: BlockerKind, millis: u64) -> Blocker {
        Blocker {
            kind,
            mode: LockMode::RowExclusive,
            age: Duration::from_millis(millis),
            ..Blocker::default()
        }
    }

    #[test]
    fn only_what_passes_soon_is_queued_behind() {
        let at_once = |blockers: &[Blocker]| approach(blockers, Duration::ZERO);
        assert_eq!(at_once(&[]), Approach::Take);
        let young = blocker(Session, 30);
        assert_eq!(at_once(&[young.clone(), blocker(IdleInTransaction, 30)]), Approach::Queue);
        assert_eq!(at_once(&[young.clone(), blocker(Session, 1_000)]), Approach::Wait);
        assert_eq!(at_once(&[young.clone(), blocker(Autovacuum, 0)]), Approach::OutlastAutovacuum);
        assert_eq!(at_once(&[blocker(Autovacuum, 5_000), blocker(Session, 5_000)]), Approach::Wait);
        for kind in [WraparoundVacuum, Prepared, IndexBuild] {
            assert_eq!(at_once(&[young.clone(), blocker(kind, 0)]), Approach::Wait);
        }
        let other_ddl = Blocker { queued: true, mode: LockMode::AccessExclusive, ..young };
        assert_eq!(at_once(&[other_ddl]), Approach::Wait);
    }

    #[test]
    fn reports_without_end_do_not_starve_it_but_the_hopeless_do() {
        let later = |blocker| approach(&[blocker], SELDOM);
        assert_eq!(later(blocker(Session, 5_000)), Approach::Queue);
        assert_eq!(later(blocker(IdleInTransaction, 59_000)), Approach::Queue);
        assert_eq!(later(blocker(IdleInTransaction, 60_000)), Approach::Wait);
        assert_eq!(later(blocker(Prepared, 0)), Approach::Wait);
        assert_eq!(later(blocker(Autovacuum, 0)), Approach::OutlastAutovacuum);
        assert_eq!(later(blocker(WraparoundVacuum, 0)), Approach::Wait);
    }
}
