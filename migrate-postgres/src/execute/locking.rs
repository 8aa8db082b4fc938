//! Getting the locks of a migration without hurting anybody.
//!
//! Owns the story of one piece of work that others may be in the way of: look who is, wait while they stay, take the
//! locks together when nobody is, else ask in the queue, briefly and seldom. What is hopeless and what is worth it
//! is decided elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use migrate_core::LockMode;
use migrate_core::sql::Statement;

use super::send::{Asking, Failure};
use super::{Job, Runner};
use crate::approach::{Approach, approach};
use crate::blocker::{Blocker, BlockerKind};
use crate::error::{INSUFFICIENT_PRIVILEGE, sqlstate};
use crate::observe::{Event, Seldom};
use crate::options::Waits;
use crate::retry::{self, Attempts};
use crate::session::Limits;
use crate::sql;
use crate::wanted::{Looking, Seen, Wanted};
use crate::wire::truth;

/// What is known of one piece of work and its locks.
pub(super) struct Locking<'w> {
    waits: &'w Waits,
    looking: Looking,
    pub(super) attempts: Attempts<'w>,
    /// Who was in the way at the last look.
    pub(super) blockers: Vec<Blocker>,
    told: Seldom,
    /// Who was told to end, each once on each table, and when.
    ended: BTreeMap<(i32, String), Instant>,
    is_one_statement: bool,
    /// Nothing can be locked ahead of it: it is in no transaction, or the role that the file takes may not.
    is_alone: bool,
    /// All that it locks was known before the first attempt.
    was_foreseen: bool,
    /// An attempt found somebody in the way who has gone since.
    is_cleared: bool,
    /// Somebody was faster than the last attempt.
    is_beaten: bool,
}

/// Between two looks whether somebody who was ended has given back what they held.
const UNTIL_GONE: Duration = Duration::from_millis(20);

/// Who is there still after that long is waited for like others.
const GOING: Duration = Duration::from_secs(1);

/// What is granted to waiting for an autovacuum, beyond the time after which it gives way.
const BEYOND_DEADLOCK_TIMEOUT: Duration = Duration::from_millis(300);

impl Locking<'_> {
    /// How to ask at this moment; `None` is not at all.
    fn asking(&mut self, seen: &Seen, deadlock_timeout: Duration) -> Option<Asking> {
        let wanted = &self.looking.wanted;
        let patience = deadlock_timeout + BEYOND_DEADLOCK_TIMEOUT;
        let rung = match wanted.lets_work_pass() {
            true => self.attempts.lock_timeout().max(patience),
            false => self.attempts.lock_timeout(),
        };
        let approach = match self.attempts.until_next_look() {
            Some(_) => approach(&seen.blockers, self.attempts.quiet()),
            // Time is up, and nothing is waited for: if it does not succeed now, the server says why.
            None => return Some(self.with(at_once(seen, Duration::from_millis(1)), None)),
        };
        let (ask, at_most) = match approach {
            Approach::Wait => return None,
            Approach::Take if wanted.is_whole() || self.is_cleared => (at_once(seen, rung), rung),
            _ if !self.attempts.may_queue() => return None,
            Approach::Take => (at_once(seen, rung), rung),
            Approach::OutlastAutovacuum => outlasting(seen, patience, rung),
            Approach::Queue => (in_turn(seen, rung), rung),
        };
        let is_in_queue =
            approach != Approach::Take || ask.locks.is_empty() && wanted.may_stop_work();
        self.is_cleared = false;
        Some(self.with(ask, is_in_queue.then_some(at_most)))
    }

    fn with(&self, Ask { locks, lock }: Ask, queues: Option<Duration>) -> Asking {
        let wanted = &self.looking.wanted;
        let limits = Limits { lock, statement: self.waits.statement(wanted.keeps_all_out()) };
        Asking { locks, at: wanted.first_strong().unwrap_or_default(), limits, queues }
    }

    /// An autovacuum that was waited for that long, and is there still, will not give way later either.
    fn note_stubborn(&mut self, failure: &Failure, asking: &Asking, deadlock_timeout: Duration) {
        let was_long = asking.queues.is_some_and(|at_most| at_most > deadlock_timeout);
        if failure.gave_up || !was_long {
            return;
        }
        let is_it = |one: &&Blocker| {
            failure.waits_for.as_ref().is_none_or(|(relation, _)| *relation == one.relation)
        };
        self.blockers.iter().filter(is_it).for_each(|one| self.looking.did_not_give_way(one));
    }

    /// Is somebody about to go?
    fn awaits_end(&mut self, blockers: &[Blocker]) -> bool {
        let is_here = |(pid, relation): &(i32, String)| {
            blockers.iter().any(|one| one.pid == Some(*pid) && one.relation == *relation)
        };
        self.ended.retain(|who, _| is_here(who));
        self.attempts.until_next_look().is_some()
            && self.ended.values().any(|when| when.elapsed() < GOING)
    }

    /// Is it known which statement needs the locks? What one of many was only seen to wait for is not locked ahead of
    /// all of them, which may take their time.
    fn knows_where(&self) -> bool {
        !self.is_alone && (self.is_one_statement || self.looking.wanted.first_strong().is_some())
    }
}

/// The statements that take the locks, and how long whatever is not among them may be waited for.
struct Ask {
    locks: String,
    lock: Duration,
}

/// All together or none.
fn at_once(seen: &Seen, lock: Duration) -> Ask {
    Ask { locks: lock_all(seen.lockable.iter(), " NOWAIT"), lock }
}

/// Those first that somebody is in the way of, so that the others are not held meanwhile. All that is waited for
/// together is no more than one wait: whoever meets us crosswise finds us gone long before a deadlock is looked for.
fn in_turn(seen: &Seen, lock: Duration) -> Ask {
    let is_busy = |relation: &str| seen.blockers.iter().any(|one| one.relation == *relation);
    let (busy, free): (Vec<_>, Vec<_>) =
        seen.lockable.iter().partition(|(relation, _)| is_busy(relation));
    let locks = match seen.lockable.len() {
        0 | 1 => lock_all(seen.lockable.iter(), ""),
        number => {
            let (share, whole) = (share(lock, number), sql::lock_timeout(lock));
            format!(
                "{share}{}{}{whole}",
                lock_all(busy.into_iter(), ""),
                lock_all(free.into_iter(), "")
            )
        }
    };
    Ask { locks, lock }
}

/// The autovacuums have to give way one after the other, and each only does so for one who waits longer than others
/// do before they look for a deadlock. So nothing is held while such a one is waited for, and nobody waits behind us
/// for more than one of them; the last is kept, and the others are waited for no longer than usual. Also, how long all
/// that may take.
fn outlasting(seen: &Seen, patience: Duration, usual: Duration) -> (Ask, Duration) {
    let vacuumed: BTreeSet<&String> = seen
        .blockers
        .iter()
        .filter(|one| one.kind == BlockerKind::Autovacuum)
        .map(|one| &one.relation)
        .collect();
    let at_most = patience.saturating_mul(u32::try_from(vacuumed.len()).unwrap_or(u32::MAX));
    let (ours, mut others): (Vec<_>, Vec<_>) =
        seen.lockable.iter().partition(|(relation, _)| vacuumed.contains(relation));
    let Some((last, earlier)) = ours.split_last().filter(|_| ours.len() == vacuumed.len()) else {
        // What cannot be locked ahead is outlasted by the statement itself.
        return (Ask { locks: String::new(), lock: patience }, at_most);
    };
    others.extend(earlier);
    let one = |table: &(&String, &LockMode)| lock_all([*table].into_iter(), "");
    let earlier: String = earlier.iter().map(|table| sql::outlast(&one(table))).collect();
    let (whole, usually) = (sql::lock_timeout(patience), sql::lock_timeout(usual));
    let (share, last) = (share(usual, others.len()), one(last));
    let others = lock_all(others.into_iter(), "");
    (Ask { locks: format!("{whole}{earlier}{last}{share}{others}{usually}"), lock: usual }, at_most)
}

/// For each of several that are waited for while others are held.
fn share(whole: Duration, among: usize) -> String {
    let among = u32::try_from(among).unwrap_or(u32::MAX).max(1);
    sql::lock_timeout((whole / among).max(Duration::from_millis(5)))
}

/// A statement for each kind of lock, the strongest first.
fn lock_all<'l>(tables: impl Iterator<Item = (&'l String, &'l LockMode)>, how: &str) -> String {
    let mut by_mode: BTreeMap<LockMode, Vec<&str>> = BTreeMap::new();
    tables.for_each(|(table, mode)| by_mode.entry(*mode).or_default().push(table));
    by_mode.iter().rev().map(|(mode, tables)| sql::lock_tables(tables, *mode, how)).collect()
}

impl<'r> Runner<'r> {
    /// For what nobody else can have a hold of.
    pub(super) fn briefly(&self, job: &Job<'_>) -> Asking {
        let statement = self.ours.waits.statement(false);
        let limits = Limits { lock: self.attempts(job).lock_timeout(), statement };
        Asking { locks: String::new(), at: 0, limits, queues: None }
    }

    /// Before the first look.
    pub(super) fn locking(&self, job: &Job<'_>, statements: &[Statement]) -> Locking<'r> {
        let wanted = job.wanted(statements);
        Locking {
            waits: &self.ours.waits,
            is_one_statement: statements.len() == 1,
            is_alone: false,
            was_foreseen: wanted.is_whole(),
            looking: Looking::new(wanted),
            attempts: self.attempts(job),
            blockers: Vec::new(),
            told: Seldom::default(),
            ended: BTreeMap::new(),
            is_cleared: false,
            is_beaten: false,
        }
    }

    /// The same for a statement outside transactions. What lets all others work may wait as it is.
    pub(super) fn locking_alone(&self, job: &Job<'_>, statement: &Statement) -> Locking<'r> {
        let locking = self.locking(job, std::slice::from_ref(statement));
        let looking = match locking.looking.wanted.first_strong() {
            Some(_) => locking.looking,
            None => Looking::new(Wanted::unknown()),
        };
        Locking { is_alone: true, looking, ..locking }
    }

    /// Looks and waits until an attempt is worth it.
    pub(super) async fn next_attempt(
        &mut self,
        job: &Job<'_>,
        locking: &mut Locking<'_>,
    ) -> Result<Asking, sqlx::Error> {
        if std::mem::take(&mut locking.is_beaten) {
            let pause = locking.attempts.until_next_look().unwrap_or_default();
            self.session.rest(self.names, pause).await;
        }
        loop {
            let mut seen = locking.looking.look(self.session, self.names).await?;
            if !locking.knows_where() {
                seen.lockable.clear();
            }
            self.end_blockers(job, locking, &seen.blockers).await;
            if locking.awaits_end(&seen.blockers) {
                self.session.rest(self.names, UNTIL_GONE).await;
                continue;
            }
            locking.is_cleared |= seen.blockers.is_empty() && !locking.blockers.is_empty();
            let asking = locking.asking(&seen, self.session.facts.deadlock_timeout);
            locking.blockers = seen.blockers;
            let Some(asking) = asking else {
                self.wait_for_blockers(job, locking).await;
                continue;
            };
            if let Some(at_most) = asking.queues {
                locking.attempts.begin(at_most);
                self.tell_of_queueing(job, locking, at_most);
            }
            return Ok(asking);
        }
    }

    /// For the report.
    pub(super) fn note_effort(&mut self, locking: &Locking<'_>) {
        self.effort.attempts += locking.attempts.made();
        self.effort.foreseen &= locking.was_foreseen;
    }

    async fn wait_for_blockers(&mut self, job: &Job<'_>, locking: &mut Locking<'_>) {
        if !locking.blockers.is_empty() && locking.told.is_due() {
            let (blockers, waited) = (&locking.blockers, locking.attempts.waited());
            self.ear.tell(&Event::Blocked { id: job.action.id, blockers, waited });
        }
        let pause = locking.attempts.until_next_look().unwrap_or_default();
        self.session.rest(self.names, pause).await;
    }

    fn tell_of_queueing(&self, job: &Job<'_>, locking: &Locking<'_>, at_most: Duration) {
        if locking.blockers.is_empty() {
            return;
        }
        let (attempt, blockers) = (locking.attempts.made(), &locking.blockers);
        self.ear.tell(&Event::Queueing { id: job.action.id, attempt, at_most, blockers });
    }

    /// Ends those in the way whom the migrator was told to end.
    async fn end_blockers(
        &mut self,
        job: &Job<'_>,
        locking: &mut Locking<'_>,
        blockers: &[Blocker],
    ) {
        for blocker in blockers {
            let Some((pid, end, terminated)) = self.ending(blocker) else { continue };
            let who = (pid, blocker.relation.clone());
            if locking.ended.contains_key(&who) {
                continue;
            }
            match self.session.send(end).await {
                Ok(Some(row)) if truth(&row, "ended") => {
                    let id = job.action.id;
                    self.ear.tell(&Event::Ended { id, blocker, terminated });
                }
                Ok(_) => continue, // it has gone meanwhile
                Err(error) => {
                    let text = format!("{blocker}: it could not be ended: {error}");
                    self.ear.tell(&Event::Warning { text: &text });
                }
            }
            locking.ended.insert(who, Instant::now());
        }
    }

    /// How to end somebody in the way, if that is allowed, and whether all of the session ends.
    fn ending(&self, blocker: &Blocker) -> Option<(i32, String, bool)> {
        let (waits, pid) = (&self.ours.waits, blocker.pid?);
        match (blocker.kind, waits.end_idle) {
            (BlockerKind::IdleInTransaction, Some(patience)) if blocker.age >= patience => {
                Some((pid, sql::end_idle(pid, patience), true))
            }
            (BlockerKind::Autovacuum, _) if waits.cancel_autovacuum => {
                Some((pid, sql::cancel_autovacuum(pid), false))
            }
            _ => None,
        }
    }

    /// Is a failed attempt to be followed by another?
    pub(super) fn goes_on(
        &self,
        job: &Job<'_>,
        failure: &Failure,
        asking: &Asking,
        locking: &mut Locking<'_>,
    ) -> bool {
        let state = sqlstate(&failure.error).unwrap_or_default();
        // The look asked what we may lock; the file has taken another role since.
        if failure.is_in_locks && state == INSUFFICIENT_PRIVILEGE {
            locking.is_alone = true;
            return locking.attempts.until_next_look().is_some();
        }
        if !retry::is_worth_it(&state) && !failure.gave_up {
            return false;
        }
        if let Some((relation, mode)) = &failure.waits_for {
            locking.looking.wanted.learn(relation, *mode);
        }
        locking.note_stubborn(failure, asking, self.session.facts.deadlock_timeout);
        // Nobody waited behind what did not wait.
        if failure.is_in_locks && asking.queues.is_none() {
            locking.is_beaten = true;
            return locking.attempts.until_next_look().is_some();
        }
        locking.looking.wanted.has_gaps = true; // or what is not known yet would be asked for without a pause
        self.refused(job, &state, &mut locking.attempts).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lockable() -> BTreeMap<String, LockMode> {
        let tables =
            [("a", LockMode::Share), ("b", LockMode::AccessExclusive), ("c", LockMode::Share)];
        tables.map(|(table, mode)| (table.to_owned(), mode)).into()
    }

    fn seen(blockers: &[(&str, BlockerKind)]) -> Seen {
        let blocker = |(relation, kind): &(&str, BlockerKind)| Blocker {
            relation: (*relation).to_owned(),
            kind: *kind,
            ..Blocker::default()
        };
        Seen { lockable: lockable(), blockers: blockers.iter().map(blocker).collect() }
    }

    const USUAL: Duration = Duration::from_millis(90);
    const PATIENCE: Duration = Duration::from_millis(1300);

    #[test]
    fn what_is_free_is_taken_together_and_never_waited_for() {
        assert_eq!(
            at_once(&seen(&[]), USUAL).locks,
            "LOCK TABLE ONLY b IN ACCESS EXCLUSIVE MODE NOWAIT;\n\
             LOCK TABLE ONLY a, ONLY c IN SHARE MODE NOWAIT;\n"
        );
        assert_eq!(at_once(&Seen::default(), USUAL).locks, "");
    }

    /// All waits together are no longer than one, or somebody's deadlock would be found before we have gone.
    #[test]
    fn what_is_busy_is_asked_for_first_and_each_for_its_share() {
        assert_eq!(
            in_turn(&seen(&[("c", BlockerKind::Session)]), USUAL).locks,
            "SET LOCAL lock_timeout = 30; LOCK TABLE ONLY c IN SHARE MODE;\n\
             LOCK TABLE ONLY b IN ACCESS EXCLUSIVE MODE;\nLOCK TABLE ONLY a IN SHARE MODE;\n\
             SET LOCAL lock_timeout = 90; "
        );
    }

    /// While an autovacuum is waited for nothing is held, and what is held is not waited with for longer than usual.
    #[test]
    fn each_autovacuum_is_outlasted_with_nothing_held() {
        let seen = seen(&[("a", BlockerKind::Autovacuum), ("c", BlockerKind::Autovacuum)]);
        let (ask, at_most) = outlasting(&seen, PATIENCE, USUAL);
        assert_eq!(
            ask.locks,
            "SET LOCAL lock_timeout = 1300; \
             SAVEPOINT migrate_outlast;\nLOCK TABLE ONLY a IN SHARE MODE;\n\
             ROLLBACK TO SAVEPOINT migrate_outlast;\nRELEASE SAVEPOINT migrate_outlast;\n\
             LOCK TABLE ONLY c IN SHARE MODE;\nSET LOCAL lock_timeout = 45; \
             LOCK TABLE ONLY b IN ACCESS EXCLUSIVE MODE;\nLOCK TABLE ONLY a IN SHARE MODE;\n\
             SET LOCAL lock_timeout = 90; "
        );
        assert_eq!((ask.lock, at_most), (USUAL, PATIENCE * 2));
    }

    /// What cannot be locked ahead is for the statement to wait for, and the others are not held meanwhile.
    #[test]
    fn an_autovacuum_of_what_may_not_be_locked_is_outlasted_by_the_statement() {
        let (ask, at_most) = outlasting(&seen(&[("d", BlockerKind::Autovacuum)]), PATIENCE, USUAL);
        assert_eq!((&*ask.locks, ask.lock, at_most), ("", PATIENCE, PATIENCE));
    }
}
