//! The rows of a look as values.
//!
//! Owns the way from the columns of `throttle_signals.sql` to the signals. Knows nothing of limits.

use std::time::Duration;

use sqlx::postgres::PgRow;

use super::follow::{Position, Since, Told, unarchived};
use super::{Dead, Horizon, Replica, Signal, Signals, Slot, Vacuum, Wal};

use crate::wire::{number, text, truth};

/// The first row has what there is once; each has a replica, if there is any.
pub(super) fn signals(row: &PgRow, rows: &[PgRow], earlier: Option<&Signals>) -> Signals {
    let now = millis(row, "now_ms").unwrap_or_default();
    let minute = number(row, "minute").and_then(|minute| u16::try_from(minute).ok());
    let keeps_archive = truth(row, "archiving");
    let backlog = || {
        let (written, segment) = (count(row, "written"), count(row, "segment"));
        unarchived(written, segment, text(row, "archived"), text(row, "failed"))
    };
    Signals {
        now,
        minute: minute.unwrap_or_default(),
        role: owned(row, "role"),
        standby: truth(row, "standby"),
        wal: wal(row, earlier),
        active: active(row),
        blocked: small(row, "blocked"),
        replicas: rows.iter().filter_map(|row| replica(row, now, earlier)).collect(),
        slot: slot(row),
        slot_keep: text(row, "slot_keep").map(|_| count(row, "slot_keep")),
        unarchived: if keeps_archive { backlog() } else { 0 },
        horizon: horizon(row, now, earlier),
        vacuum: vacuum(row, now, earlier),
        dead: dead(row),
    }
}

fn wal(row: &PgRow, earlier: Option<&Signals>) -> Wal {
    let (written, requested) = (count(row, "written"), count(row, "requested"));
    let requested_since = earlier.is_some_and(|earlier| earlier.wal.requested < requested);
    Wal { written, max_wal_size: count(row, "max_wal_size"), requested, requested_since }
}

/// Of a hidden session it is not known whether it works.
fn active(row: &PgRow) -> Signal<u32> {
    match small(row, "hidden") {
        0 => Signal::Known(small(row, "active")),
        _ => Signal::Hidden,
    }
}

fn replica(row: &PgRow, now: Duration, earlier: Option<&Signals>) -> Option<Replica> {
    let pid = number(row, "replica_pid").and_then(|pid| i32::try_from(pid).ok())?;
    let mut before = earlier.into_iter().flat_map(|earlier| &earlier.replicas);
    let before = before.find(|one| one.pid == pid).and_then(|one| match &one.position {
        Signal::Known(position) => Some(position),
        Signal::Hidden | Signal::Untold => None,
    });
    let told = text(row, "replayed").map(|_| Told {
        replayed: count(row, "replayed"),
        received: count(row, "received"),
        reply: owned(row, "reply"),
        lag: millis(row, "replay_lag_ms").unwrap_or_default(),
    });
    let position = match told {
        Some(told) => Signal::Known(Position::follow(told, count(row, "flushed"), now, before)),
        None if text(row, "replica_state").is_none() => Signal::Hidden,
        None => Signal::Untold,
    };
    Some(Replica { pid, name: owned(row, "replica"), logical: truth(row, "logical"), position })
}

fn slot(row: &PgRow) -> Option<Slot> {
    let name = text(row, "slot")?.to_owned();
    Some(Slot { name, active: truth(row, "slot_active"), retained: count(row, "slot_retained") })
}

fn horizon(row: &PgRow, now: Duration, earlier: Option<&Signals>) -> Horizon {
    let before = earlier.map(|earlier| &earlier.horizon);
    let held = text(row, "held_xmin").map(|xmin| {
        let name = owned(row, "held_name");
        let who = match text(row, "held_pid") {
            Some(pid) => transaction(&name, pid),
            None => format!("the {} {name}", owned(row, "held_kind")),
        };
        let held = (who, xmin.to_owned());
        Since::still(held, now, before.and_then(|before| before.held.as_ref()))
    });
    let hidden = text(row, "hidden_transactions").unwrap_or_default();
    let hidden = hidden.split(',').filter(|one| !one.is_empty()).map(|one| {
        let mut before = before.into_iter().flat_map(|before| &before.hidden);
        Since::still(one.to_owned(), now, before.find(|before| before.what == one))
    });
    Horizon { dated: holder(row), held, hidden: hidden.collect() }
}

fn holder(row: &PgRow) -> Option<(String, Duration)> {
    let age = millis(row, "holder_ms")?;
    let name = owned(row, "holder");
    let who = match text(row, "holder_pid") {
        None => format!("the prepared transaction {name}"),
        Some(pid) => transaction(&name, pid),
    };
    Some((who, age))
}

fn transaction(application: &str, pid: &str) -> String {
    match application {
        "" => format!("a transaction of pid {pid}"),
        name => format!("a transaction of {name} (pid {pid})"),
    }
}

/// One that only counts is in nobody's way.
fn vacuum(row: &PgRow, now: Duration, earlier: Option<&Signals>) -> Option<Vacuum> {
    let kind = text(row, "vacuum_kind").filter(|kind| *kind != "analyze")?;
    let before = earlier.and_then(|earlier| earlier.vacuum.as_ref()).map(|before| &before.seen);
    let seen = Since::still(owned(row, "vacuum"), now, before);
    Some(Vacuum { wraparound: kind == "wraparound", seen })
}

fn dead(row: &PgRow) -> Option<Dead> {
    text(row, "dead")?;
    Some(Dead { dead: count(row, "dead"), live: count(row, "live") })
}

fn owned(row: &PgRow, column: &str) -> String {
    text(row, column).unwrap_or_default().to_owned()
}

fn count(row: &PgRow, column: &str) -> u64 {
    number(row, column).and_then(|number| u64::try_from(number).ok()).unwrap_or_default()
}

fn small(row: &PgRow, column: &str) -> u32 {
    u32::try_from(count(row, column)).unwrap_or(u32::MAX)
}

/// A clock that was set back makes no negative time.
fn millis(row: &PgRow, column: &str) -> Option<Duration> {
    text(row, column).map(|_| Duration::from_millis(count(row, column)))
}
