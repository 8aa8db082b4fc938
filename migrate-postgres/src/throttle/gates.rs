//! What keeps the next batch from beginning.
//!
//! Pure: what was seen and the limits come in, and what is over its limit goes out, in plain words with numbers and with
//! what would change it. Owns these rules. Whoever waits does so elsewhere.

use std::fmt;
use std::time::Duration;

use super::limited_by::LimitedBy;
use super::limits::{Limits, OnUnknown, Retention};
use super::signals::{Dead, Horizon, Position, Replica, Signal, Signals};
use super::units::{about, about_bytes};
use super::window::clock;

/// Something that keeps a backfill from going on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Closed {
    /// What it is.
    pub by: LimitedBy,
    /// Why, such as `standby web-2 is 5.1 s behind (limit 2 s)`.
    pub why: String,
    /// What would open it.
    pub opens: String,
}

impl Closed {
    pub(super) fn new(by: LimitedBy, why: impl Into<String>, opens: impl Into<String>) -> Self {
        Self { by, why: why.into(), opens: opens.into() }
    }
}

/// `replica_lag: standby web-2 is 5.1 s behind (limit 2 s); opens: when it has caught up`
impl fmt::Display for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; opens: {}", self.by, self.why, self.opens)
    }
}

/// All that is closed at this minute of the server's day.
pub(crate) fn closed(signals: &Signals, limits: &Limits, minute: u16) -> Vec<Closed> {
    if signals.standby {
        let why = "the server is a standby and takes no writes";
        return vec![Closed::new(LimitedBy::Standby, why, "when it is promoted")];
    }
    let gates = [slot, archiver, horizon, vacuum];
    let mut closed: Vec<_> = window(limits, minute).into_iter().collect();
    closed.extend(replicas(signals, limits));
    closed.extend(gates.into_iter().filter_map(|gate| gate(signals, limits)));
    if limits.unknown == OnUnknown::Block {
        closed.extend(unknown(signals, limits));
    }
    closed
}

/// What is worth a word and closes nothing.
pub(crate) fn warned(signals: &Signals, limits: &Limits) -> Vec<Closed> {
    let mut warned: Vec<_> = old_horizon(signals, limits.horizon_warn).into_iter().collect();
    if limits.unknown == OnUnknown::Warn {
        warned.extend(unknown(signals, limits));
    }
    warned
}

fn window(limits: &Limits, minute: u16) -> Option<Closed> {
    let window = limits.off_peak.as_ref().filter(|window| !window.has(minute))?;
    let why = format!("it is {}, and the hours for work are {window}", clock(minute));
    Some(Closed::new(LimitedBy::Window, why, format!("at {}", window.beginning())))
}

fn replicas(signals: &Signals, limits: &Limits) -> Vec<Closed> {
    if limits.replica_lag.is_none() && limits.replica_bytes.is_none() {
        return Vec::new();
    }
    let missing = limits
        .standbys
        .iter()
        .filter(|name| !signals.replicas.iter().any(|replica| replica.name == **name));
    let missing = missing.map(|name| {
        let why = format!("standby {name} is not connected");
        let opens = "when it is, or by the limit `standbys` without it";
        Closed::new(LimitedBy::ReplicaLag, why, opens)
    });
    let late = standbys(signals, limits).filter_map(|(name, position)| match position {
        Signal::Known(position) => late(name, position, limits),
        Signal::Hidden | Signal::Untold => None,
    });
    missing.chain(late).collect()
}

/// Those that count: without names, all that get WAL.
fn standbys<'s>(
    signals: &'s Signals,
    limits: &'s Limits,
) -> impl Iterator<Item = (&'s str, &'s Signal<Position>)> {
    let counts = |replica: &&Replica| match limits.standbys.as_slice() {
        [] => !replica.logical,
        names => names.contains(&replica.name),
    };
    let standbys = signals.replicas.iter().filter(counts);
    standbys.map(|replica| (replica.name.as_str(), &replica.position))
}

fn late(name: &str, position: &Position, limits: &Limits) -> Option<Closed> {
    let by_time = limits.replica_lag.filter(|limit| position.late > *limit);
    let by_time = by_time.map(|limit| (about(position.late), about(limit)));
    let by_bytes = || {
        let limit = limits.replica_bytes.filter(|limit| position.bytes > *limit)?;
        Some((about_bytes(position.bytes), about_bytes(limit)))
    };
    let (behind, limit) = by_time.or_else(by_bytes)?;
    let why = format!("standby {name} is {behind} behind (limit {limit})");
    Some(Closed::new(LimitedBy::ReplicaLag, why, "when it has caught up"))
}

const ONE_GIB: u64 = 1 << 30;

fn slot(signals: &Signals, limits: &Limits) -> Option<Closed> {
    let limit = match limits.slot_retention {
        Retention::Any => return None,
        Retention::Auto => signals.slot_keep.map_or(ONE_GIB, |keep| keep / 5),
        Retention::Bytes(bytes) => bytes,
    };
    let slot = signals.slot.as_ref().filter(|slot| slot.retained > limit)?;
    let (kept, limit) = (about_bytes(slot.retained), about_bytes(limit));
    let why = format!("replication slot {} keeps {kept} of WAL (limit {limit})", slot.name);
    let (why, opens) = match slot.active {
        true => (why, "when whoever reads it has caught up"),
        false => (
            why + ", and nobody reads it",
            "when it is read, or by `pg_drop_replication_slot` where nobody needs it any more",
        ),
    };
    Some(Closed::new(LimitedBy::Slot, why, opens))
}

fn archiver(signals: &Signals, limits: &Limits) -> Option<Closed> {
    let limit = limits.archiver.filter(|limit| signals.unarchived > u64::from(*limit))?;
    let why = format!("{} segments of WAL wait to be archived (limit {limit})", signals.unarchived);
    Some(Closed::new(LimitedBy::Archiver, why, "when they are; the server's log tells of errors"))
}

fn horizon(signals: &Signals, limits: &Limits) -> Option<Closed> {
    old_horizon(signals, limits.horizon)
}

fn old_horizon(signals: &Signals, limit: Option<Duration>) -> Option<Closed> {
    let limit = limit?;
    let (who, age) = signals.horizon.oldest(signals.now).filter(|(_, age)| *age > limit)?;
    let why = format!(
        "{who} keeps dead rows from being cleaned up for {} (limit {})",
        about(age),
        about(limit)
    );
    Some(Closed::new(LimitedBy::Xmin, why, "when it ends"))
}

/// An autovacuum that is due goes on for as long as it must, but a backfill is not stopped by it for ever.
fn vacuum(signals: &Signals, limits: &Limits) -> Option<Closed> {
    let vacuum = signals.vacuum.as_ref()?;
    let lasts = vacuum.seen.lasts(signals.now);
    if vacuum.wraparound {
        let why = format!(
            "an autovacuum to prevent wraparound works on the table, seen for {}",
            about(lasts)
        );
        let closed = Closed::new(LimitedBy::Wraparound, why, "when it has finished");
        return limits.wraparound.then_some(closed);
    }
    let limit = limits.autovacuum.filter(|limit| lasts < *limit)?;
    let why = format!("an autovacuum works on the table, seen for {}", about(lasts));
    let opens = format!("when it has finished, and in {} in any case", about(limit - lasts));
    Some(Closed::new(LimitedBy::Autovacuum, why, opens))
}

/// What would have to be known, and is not.
fn unknown(signals: &Signals, limits: &Limits) -> Vec<Closed> {
    let waived = |by: &str| format!("by the limit `unknown=warn`, or {by}");
    let grant = format!("by `GRANT pg_monitor TO {}`", signals.role);
    let mut unknown = Vec::new();
    let watched = limits.replica_lag.is_some() || limits.replica_bytes.is_some();
    for (name, position) in standbys(signals, limits).filter(|_| watched) {
        let waived = waived("`replica_lag=none` with `replica_bytes=none`");
        let (why, opens) = match position {
            Signal::Known(_) => continue,
            Signal::Hidden => (
                format!("how far standby {name} is cannot be seen by role {}", signals.role),
                format!("{grant}, {waived}"),
            ),
            Signal::Untold => (
                format!("standby {name} has not said yet how far it is"),
                format!("when it has, {waived}"),
            ),
        };
        unknown.push(Closed::new(LimitedBy::Unknown, why, opens));
    }
    if limits.active.is_some() && signals.active == Signal::Hidden {
        let why = format!("how many sessions are at work cannot be seen by role {}", signals.role);
        let opens = format!("{grant}, {}", waived("`active=none`"));
        unknown.push(Closed::new(LimitedBy::Unknown, why, opens));
    }
    unknown
}

impl Signals {
    /// Too much of the table is dead rows, and no vacuum is at work: whoever fills it should clear them away now. That is
    /// not waited for, since what still has the rows in sight may keep them where they are.
    #[must_use]
    pub fn wants_vacuum(&self, limits: &Limits) -> bool {
        self.vacuum.is_none() && self.dead.as_ref().is_some_and(|dead| dead.are_over(limits))
    }

    /// Dead rows of a moment ago can be cleaned up, so that a fill in stripes gains something.
    #[must_use]
    pub fn lets_prune(&self, limits: &Limits) -> bool {
        old_horizon(self, limits.horizon_warn).is_none()
    }
}

impl Horizon {
    /// Who it is, and for how long at least.
    fn oldest(&self, now: Duration) -> Option<(String, Duration)> {
        let held = self.held.iter().map(|held| (held.what.0.clone(), held.lasts(now)));
        let hidden = self.hidden.iter().map(|hidden| {
            let pid = hidden.what.rsplit(' ').next().unwrap_or_default();
            (format!("a transaction of pid {pid}"), hidden.lasts(now))
        });
        let all = self.dated.iter().cloned().chain(held).chain(hidden);
        all.max_by_key(|(_, age)| *age)
    }
}

/// Of fewer no table suffers.
const MANY: u64 = 50_000;

impl Dead {
    /// Are they more than the limit lets be?
    fn are_over(&self, limits: &Limits) -> bool {
        let over = |limit: u32| self.dead >= MANY && self.percent() > u64::from(limit);
        limits.dead_tuples.is_some_and(over)
    }

    fn percent(&self) -> u64 {
        let all = self.dead.saturating_add(self.live);
        self.dead.saturating_mul(100).checked_div(all).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;
