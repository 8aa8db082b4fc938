//! What a run will do, decided before it does anything.
//!
//! [`Plan::new`] is a pure function from what is declared, what was applied and what is wanted to the actions
//! in their order, the migrations that have to wait and why, and what is worth telling; or to everything that
//! makes a plan impossible. Knows no database. Whatever a run does, its plan showed.

use std::collections::BTreeSet;
use std::fmt;

use crate::divergence::{self, Divergence, Divergences};
use crate::{
    Down, Held, History, Kind, Migration, MigrationId, Notice, Phase, Set, Status, Step, Target,
    Version,
};

pub use crate::history::Direction;

/// What a run will do.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Plan {
    /// Forward or back.
    pub direction: Direction,
    /// The work, in order.
    pub actions: Vec<Action>,
    /// The migrations that wait, and why.
    pub deferred: Vec<Deferred>,
    /// What is worth telling.
    pub notices: Vec<Notice>,
}

/// One migration to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Action {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// How it runs.
    pub kind: Kind,
    /// How many of its units were done by a run before; 0 is a start from the beginning.
    pub done_units: u32,
    /// The next unit was begun by a run before, and what became of it has to be looked at.
    pub interrupted: bool,
    /// Neighbours with the same number share a transaction.
    pub group: Option<u32>,
    /// What it settles: itself and, on the way back, the phases that its way back undoes too.
    pub covers: Vec<MigrationId>,
    /// Where its text stands.
    pub text: TextOf,
}

/// Where the text of an action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum TextOf {
    /// In the declared migration.
    Declared,
    /// In the history: whoever declared it is gone.
    History,
}

/// A migration that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Deferred {
    /// Which one.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// Why.
    pub reason: Reason,
}

/// Why a migration waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Reason {
    /// Its phase was not asked for.
    PhaseNotAsked,
    /// It comes after the version that was asked for.
    BeyondTarget,
    /// Another one has to run first.
    WaitsFor(MigrationId),
    /// It comes after one that waits for another and holds back all behind it.
    Behind(MigrationId),
    /// It changes data in batches, and not all of them are done.
    Unfilled,
    /// What it removes may still be needed.
    GateClosed,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::PhaseNotAsked => f.write_str("its phase runs only when asked for"),
            Reason::BeyondTarget => f.write_str("it comes after the version asked for"),
            Reason::WaitsFor(id) => write!(f, "it waits for {id}"),
            Reason::Behind(id) => write!(f, "it comes after {id}, which waits"),
            Reason::Unfilled => f.write_str("its backfill goes on"),
            Reason::GateClosed => f.write_str("its gate is closed"),
        }
    }
}

impl Plan {
    /// The way forward.
    ///
    /// # Errors
    /// Everything in which the database and the declared migrations disagree, at once.
    ///
    /// ```
    /// use migrate_core::{History, Plan, Set, Target};
    /// let plan = Plan::new(&Set::default(), &History::of_fresh_database(), &Target::default())?;
    /// assert!(plan.actions.is_empty());
    /// # Ok::<(), migrate_core::Divergences>(())
    /// ```
    pub fn new(declared: &Set, applied: &History, target: &Target) -> Result<Self, Divergences> {
        Self::beyond(declared, applied, target, &Held::default())
    }

    /// The way forward, past migrations that must not run now.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn beyond(
        declared: &Set,
        applied: &History,
        target: &Target,
        held: &Held,
    ) -> Result<Self, Divergences> {
        let notices = divergence::compare(declared, applied, target)?;
        let mut forward = Forward::new(declared, applied, target, held);
        for migration in declared {
            forward.place(&**migration);
        }
        let Forward { mut actions, deferred, .. } = forward;
        if applied.is_fresh() {
            share_transactions(&mut actions, target.group);
        }
        Ok(Self { direction: Direction::Up, actions, deferred, notices })
    }

    /// The way back to a version, which stays; `None` takes everything back.
    ///
    /// # Errors
    /// Every migration on the way that cannot be taken back.
    pub fn revert(
        declared: &Set,
        applied: &History,
        to: Option<Version>,
    ) -> Result<Self, Divergences> {
        let mut back = Back {
            declared,
            applied,
            actions: Vec::new(),
            covered: Vec::new(),
            errors: Vec::new(),
        };
        for (id, _) in applied.iter().rev().filter(|(id, _)| Some(id.version) > to) {
            back.place(id);
        }
        let Back { actions, errors, .. } = back;
        Divergences::check(errors)?;
        Ok(Self { direction: Direction::Down, actions, deferred: Vec::new(), notices: Vec::new() })
    }

    /// Is there no work?
    pub fn is_empty(&self) -> bool {
        self.actions.is_empty()
    }
}

struct Forward<'p> {
    applied: &'p History,
    declared: &'p Set,
    target: &'p Target,
    held: &'p Held,
    planned: BTreeSet<MigrationId>,
    stopped_at: Option<MigrationId>,
    actions: Vec<Action>,
    deferred: Vec<Deferred>,
}

impl<'p> Forward<'p> {
    fn new(declared: &'p Set, applied: &'p History, target: &'p Target, held: &'p Held) -> Self {
        Self {
            applied,
            declared,
            target,
            held,
            planned: BTreeSet::new(),
            stopped_at: None,
            actions: Vec::new(),
            deferred: Vec::new(),
        }
    }

    fn place(&mut self, migration: &dyn Migration) {
        let id = migration.id();
        if self.applied.is_done(id) {
            return;
        }
        match self.reason_to_wait(migration) {
            Some(reason) => {
                self.deferred.push(Deferred { id, name: migration.name().to_owned(), reason })
            }
            None => {
                self.planned.insert(id);
                self.actions.push(forward_action(migration, self.applied));
            }
        }
    }

    fn reason_to_wait(&mut self, migration: &dyn Migration) -> Option<Reason> {
        let id = migration.id();
        if self.target.up_to.is_some_and(|last| id.version > last) {
            return Some(Reason::BeyondTarget);
        }
        if let Some(stop) = self.stopped_at {
            return Some(Reason::Behind(stop));
        }
        if let Some(first) = migration.after().iter().find(|after| !self.will_be_done(**after)) {
            self.stopped_at = Some(id);
            return Some(Reason::WaitsFor(*first));
        }
        if let Some(earlier) = self.earlier_phase(id) {
            return Some(Reason::WaitsFor(earlier));
        }
        if !self.applied.is_fresh() && !self.target.phases.contains(id.phase) {
            return Some(Reason::PhaseNotAsked);
        }
        self.held.reason(id)
    }

    fn will_be_done(&self, id: MigrationId) -> bool {
        self.applied.is_done(id) || self.planned.contains(&id)
    }

    /// The first phase of the same change that will still be open when this one's turn comes.
    fn earlier_phase(&self, id: MigrationId) -> Option<MigrationId> {
        let phases = Phase::ALL.into_iter().take_while(|phase| *phase < id.phase);
        let mut earlier = phases.map(|phase| MigrationId::new(id.version, phase));
        earlier
            .find(|earlier| self.declared.get(*earlier).is_some() && !self.will_be_done(*earlier))
    }
}

fn forward_action(migration: &dyn Migration, applied: &History) -> Action {
    let id = migration.id();
    let (done_units, interrupted) = resume(applied, id, Direction::Up);
    Action {
        id,
        name: migration.name().to_owned(),
        kind: kind_of(migration.up()),
        done_units,
        interrupted,
        group: None,
        covers: vec![id],
        text: TextOf::Declared,
    }
}

/// How far a run before came, and whether it was cut short.
fn resume(applied: &History, id: MigrationId, way: Direction) -> (u32, bool) {
    match applied.get(id).map(|applied| &applied.status) {
        Some(Status::Partial { direction, done, started }) if *direction == way => {
            (u32::try_from(done.len()).unwrap_or(u32::MAX), started.is_some())
        }
        _ => (0, false),
    }
}

/// How the steps run, in the history's word for it. Several of them are recorded one by one.
pub fn kind_of(steps: &[Step]) -> Kind {
    match steps {
        [] | [Step::Transaction(_)] => Kind::Transaction,
        [Step::Code(_)] => Kind::Code,
        [Step::Backfill(_)] => Kind::Backfill,
        [Step::Standalone(_)] | [_, _, ..] => Kind::Standalone,
    }
}

/// Numbers runs of neighbours that may share a transaction.
fn share_transactions(actions: &mut [Action], limit: u32) {
    let (mut group, mut members) = (0, 0);
    for action in actions.iter_mut().filter(|_| limit > 1) {
        if action.kind != Kind::Transaction {
            (group, members) = (group + 1, 0);
            continue;
        }
        if members == limit {
            (group, members) = (group + 1, 0);
        }
        members += 1;
        action.group = Some(group);
    }
}

struct Back<'p> {
    declared: &'p Set,
    applied: &'p History,
    actions: Vec<Action>,
    /// What the next way back undoes beside its own.
    covered: Vec<MigrationId>,
    errors: Vec<Divergence>,
}

impl Back<'_> {
    fn place(&mut self, id: MigrationId) {
        let Some(applied) = self.applied.get(id) else {
            return;
        };
        if applied.is_gone() {
            return;
        }
        let declared = self.declared.get(id);
        match declared.map(|migration| migration.down()) {
            Some(Down::Steps(steps)) => self.push(id, kind_of(steps), TextOf::Declared),
            Some(Down::With(phase)) => self.undone_with(id, phase),
            Some(Down::Irreversible(reason)) => {
                self.errors.push(Divergence::irreversible(id, &applied.name, reason));
            }
            Some(Down::Missing) | None if applied.has_down => {
                self.push(id, Kind::Transaction, TextOf::History);
            }
            None => match self.sibling_with_down(id) {
                Some(phase) => self.undone_with(id, phase),
                None => self.errors.push(Divergence::no_way_back(id, &applied.name)),
            },
            Some(Down::Missing) => self.errors.push(Divergence::no_way_back(id, &applied.name)),
        }
    }

    /// An expand and a migrate of one change share one way back.
    fn sibling_with_down(&self, id: MigrationId) -> Option<Phase> {
        let mut phases = Phase::ALL.into_iter().take_while(|phase| *phase < id.phase);
        phases.find(|phase| {
            let sibling = self.applied.get(MigrationId::new(id.version, *phase));
            id.phase != Phase::Contract && sibling.is_some_and(|applied| applied.has_down)
        })
    }

    fn undone_with(&mut self, id: MigrationId, phase: Phase) {
        self.covered.push(id);
        let carrier = MigrationId::new(id.version, phase);
        if !self.will_come(carrier) {
            self.push_carrier(carrier);
        }
    }

    /// Does anything of it remain, so that its own turn comes? Its way back may have been cut short.
    fn will_come(&self, id: MigrationId) -> bool {
        self.applied.get(id).is_some_and(|applied| !applied.is_gone())
    }

    /// The phase that carries the way back was never recorded, but its script undoes this one too.
    fn push_carrier(&mut self, carrier: MigrationId) {
        if let Some(Down::Steps(steps)) = self.declared.get(carrier).map(|m| m.down()) {
            self.push(carrier, kind_of(steps), TextOf::Declared);
        }
    }

    fn push(&mut self, id: MigrationId, kind: Kind, text: TextOf) {
        let mut covers = std::mem::take(&mut self.covered);
        covers.retain(|covered| covered.version == id.version);
        covers.extend(self.applied.get(id).map(|_| id));
        let (done_units, interrupted) = resume(self.applied, id, Direction::Down);
        let known = self.applied.get(id).map(|applied| applied.name.clone());
        let name = known.or_else(|| self.declared.get(id).map(|m| m.name().to_owned()));
        self.actions.push(Action {
            id,
            name: name.unwrap_or_default(),
            kind,
            done_units,
            interrupted,
            group: None,
            covers,
            text,
        });
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.direction == Direction::Up { "apply" } else { "revert" };
        for Action { id, name, kind, .. } in &self.actions {
            writeln!(f, "{verb:8} {} {:8} {name} ({kind})", id.version, id.phase)?;
        }
        for Deferred { id, name, reason } in &self.deferred {
            writeln!(f, "waits    {} {:8} {name}: {reason}", id.version, id.phase)?;
        }
        for Notice { id, name, kind } in &self.notices {
            writeln!(f, "note     {} {:8} {name}: it {kind}", id.version, id.phase)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
