//! What a migration locks, and who is in the way: one look at the server.
//!
//! Owns the way from the linter's targets to tables of this database, and who holds what on them. Decides nothing
//! about it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use migrate_core::sql::Statement;
use migrate_core::{LockMode, LockTarget, MigrationId, Targets};
use sqlx::postgres::PgRow;

use crate::activity;
use crate::blocker::{Blocker, BlockerKind};
use crate::session::Session;
use crate::sql::{self, Names};
use crate::wire::{number, rows, text, truth};

/// What a migration locks of what others may be using.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// The strongest lock on each relation, as the migration names it, and whether its schema is a guess.
    locks: BTreeMap<(String, bool), LockMode>,
    /// Where the first statement begins that keeps others out, in bytes of the file.
    first_strong: Option<usize>,
    /// Not all is known.
    pub(crate) has_gaps: bool,
}

impl Wanted {
    /// What the linter says of statements of a migration; of those that it does not speak of, it knows that they lock
    /// nothing of what was there.
    pub(crate) fn of(targets: &[Targets], id: MigrationId, statements: &[Statement]) -> Self {
        let is_theirs = |offset: u32| statements.iter().any(|one| one.start == offset);
        let own = targets.iter().filter(|one| one.migration == id && is_theirs(one.offset));
        let mut wanted = Self::default();
        for Targets { offset, locks, opaque, .. } in own {
            wanted.has_gaps |= opaque;
            let strong = |lock: &LockTarget| lock.mode.is_strong();
            if wanted.first_strong.is_none() && locks.iter().any(strong) {
                wanted.first_strong = usize::try_from(*offset).ok();
            }
            for LockTarget { relation, is_guess, mode, .. } in locks.iter() {
                wanted.add(relation, *is_guess, *mode);
            }
        }
        wanted
    }

    /// Nothing is known.
    pub(crate) fn unknown() -> Self {
        Self { has_gaps: true, ..Self::default() }
    }

    /// It was seen to wait for a lock that nobody had told of.
    pub(crate) fn learn(&mut self, relation: &str, mode: LockMode) {
        self.add(relation, false, mode);
    }

    fn add(&mut self, relation: &str, is_guess: bool, mode: LockMode) {
        let strongest = self.locks.entry((relation.to_owned(), is_guess)).or_insert(mode);
        *strongest = (*strongest).max(mode);
    }

    /// Is all known that it locks?
    pub(crate) fn is_whole(&self) -> bool {
        !self.has_gaps
    }

    /// Where to ask for the locks: at the first statement that keeps others out.
    pub(crate) fn first_strong(&self) -> Option<usize> {
        self.first_strong
    }

    /// Does it keep everybody out of something?
    pub(crate) fn keeps_all_out(&self) -> bool {
        self.locks.values().any(|mode| *mode == LockMode::AccessExclusive)
    }

    /// Is it known of what it waits for that those who read and write rows pass it meanwhile?
    pub(crate) fn lets_work_pass(&self) -> bool {
        !self.may_stop_work() && !self.locks.is_empty()
    }

    /// May those who read and write rows have to wait behind it?
    pub(crate) fn may_stop_work(&self) -> bool {
        self.has_gaps || self.locks.values().any(|mode| mode.is_strong())
    }

    fn values(&self) -> String {
        let values: Vec<_> =
            self.locks.iter().map(|((name, guess), mode)| value(name, *guess, *mode)).collect();
        values.join(", ")
    }
}

fn value(relation: &str, is_guess: bool, mode: LockMode) -> String {
    let excluded = LockMode::ALL.into_iter().filter(|other| mode.conflicts_with(*other));
    let excluded: Vec<_> = excluded.map(LockMode::as_shown).collect();
    let (relation, excluded) = (sql::literal(relation), excluded.join(","));
    format!("({relation}, {is_guess}, E'{}', E'{{{excluded}}}')", mode.as_shown())
}

/// What a look saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// The tables that can be locked ahead of the work, quoted, each with its lock.
    pub(crate) lockable: BTreeMap<String, LockMode>,
    /// Who is in the way.
    pub(crate) blockers: Vec<Blocker>,
}

/// Looks again and again.
pub(crate) struct Looking {
    pub(crate) wanted: Wanted,
    /// When each process was first met: how old its transaction is at least, for those who may not see more.
    met: BTreeMap<i32, Instant>,
    /// The autovacuums that were waited for in vain, each with its table. Who may not see what they do takes one that
    /// gives way to nobody for an ordinary one.
    stubborn: BTreeSet<(i32, String)>,
}

impl Looking {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self { wanted, met: BTreeMap::new(), stubborn: BTreeSet::new() }
    }

    /// Looks once.
    pub(crate) async fn look(
        &mut self,
        session: &mut Session,
        names: &Names,
    ) -> Result<Seen, sqlx::Error> {
        if self.wanted.locks.is_empty() {
            return Ok(Seen::default());
        }
        let look = names.as_role() + &sql::blockers(&self.wanted.values());
        let rows = rows(&mut session.connection, look).await?;
        let now = Instant::now();
        let mut seen = Seen::default();
        for row in &rows {
            seen.target(row);
            if let Some(blocker) = self.blocker(row, now) {
                seen.blockers.push(blocker);
            }
        }
        let is_here = |pid: i32| seen.blockers.iter().filter(move |one| one.pid == Some(pid));
        self.met.retain(|pid, _| is_here(*pid).next().is_some());
        self.stubborn.retain(|(pid, relation)| is_here(*pid).any(|one| one.relation == *relation));
        Ok(seen)
    }

    /// It was waited for as long as an autovacuum needs to give way.
    pub(crate) fn did_not_give_way(&mut self, blocker: &Blocker) {
        if let (BlockerKind::Autovacuum, Some(pid)) = (blocker.kind, blocker.pid) {
            self.stubborn.insert((pid, blocker.relation.clone()));
        }
    }

    fn blocker(&mut self, row: &PgRow, now: Instant) -> Option<Blocker> {
        text(row, "held")?; // or it is a table that nobody has
        let seen = activity::blocker(row);
        let since = seen.pid.map_or(now, |pid| *self.met.entry(pid).or_insert(now));
        let age = number(row, "age_ms").and_then(|age| u64::try_from(age).ok());
        let is_stubborn =
            seen.pid.is_some_and(|pid| self.stubborn.contains(&(pid, seen.relation.clone())));
        let kind = if is_stubborn { BlockerKind::WraparoundVacuum } else { seen.kind };
        Some(Blocker { age: age.map_or(now - since, Duration::from_millis), kind, ..seen })
    }
}

impl Seen {
    fn target(&mut self, row: &PgRow) {
        let mode = text(row, "wanted").and_then(LockMode::of_shown);
        if let (Some(relation), Some(mode), true) =
            (text(row, "relation"), mode.filter(|mode| mode.is_strong()), truth(row, "lockable"))
        {
            let strongest = self.lockable.entry(relation.to_owned()).or_insert(mode);
            *strongest = (*strongest).max(mode);
        }
    }
}

#[cfg(test)]
mod tests {
    use migrate_core::{Phase, Script, Version, Work};

    use super::*;

    const ID: MigrationId = MigrationId::new(Version::new(1), Phase::Expand);

    fn targets(offset: u32, mode: LockMode) -> Targets {
        let lock =
            LockTarget { relation: "public.t".into(), is_guess: false, mode, work: Work::None };
        Targets { migration: ID, offset, locks: vec![lock].into(), opaque: false }
    }

    #[test]
    fn the_strongest_lock_counts_and_what_nobody_told_of_is_a_gap() {
        let script = Script::parse("1.sql", "SELECT 1; SELECT 2; SELECT 3").unwrap();
        let weak = targets(0, LockMode::ShareUpdateExclusive);
        let told =
            [weak.clone(), targets(10, LockMode::AccessExclusive), targets(20, LockMode::Share)];
        let wanted = Wanted::of(&told, ID, &script.statements);
        assert_eq!(
            wanted.locks,
            [(("public.t".to_owned(), false), LockMode::AccessExclusive)].into()
        );
        assert_eq!((wanted.first_strong(), wanted.is_whole()), (Some(10), true));
        assert!(wanted.keeps_all_out() && !wanted.lets_work_pass());

        let wanted = Wanted::of(&told, ID, script.statements.get(..1).unwrap());
        assert!(wanted.lets_work_pass() && wanted.first_strong().is_none());
        let opaque = Targets { migration: ID, offset: 20, locks: vec![].into(), opaque: true };
        let with_gaps = Wanted::of(&[weak, opaque], ID, &script.statements);
        assert!(!with_gaps.lets_work_pass() && !with_gaps.is_whole());
        let nothing = Wanted::of(&[], ID, &script.statements);
        assert!(nothing.is_whole() && !nothing.may_stop_work());
        assert!(!nothing.lets_work_pass(), "what it waits for all the same is not known");
        assert!(!Wanted::unknown().is_whole());
    }
}
