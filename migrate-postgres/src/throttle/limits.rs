//! How far a backfill may go: every limit, with its default.
//!
//! Owns the limits, their names, and how one is set by a text such as `replica_lag=5s`, which is how the command line
//! and a table of the database change it while a backfill runs. Applies none of them.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::units::{bytes, duration, percent, show_bytes, show_duration};
use super::window::Window;
use crate::error::Error;

/// How far a backfill may go.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// What a batch should take: 20 ms.
    pub batch_time: Duration,
    /// What no batch may take, for the server to end it: 1 s. A `batch_time` above it counts as this.
    pub batch_cap: Duration,
    /// The WAL that a batch should write: 8 MiB.
    pub batch_wal: u64,
    /// The rows of a batch: 50 to 20 000.
    pub rows: RangeInclusive<u32>,
    /// A pause after each batch, as a part of what it took: at least 0.2.
    pub duty: f64,
    /// The longest pause between two batches that nothing forbids: 5 s.
    pub pause: Duration,
    /// From how many sessions on that wait for a lock of ours it is too many: 3.
    pub blocked: Option<u32>,
    /// From how many others on that are at work the server is busy. None: how many its processors take cannot be
    /// asked in SQL.
    pub active: Option<u32>,
    /// How much WAL a backfill may write in a minute: as much as `max_wal_size`.
    pub wal_rate: WalRate,
    /// How long a standby may be behind: 2 s.
    pub replica_lag: Option<Duration>,
    /// How much WAL a standby may be behind: 64 MiB.
    pub replica_bytes: Option<u64>,
    /// The standbys that count, by `application_name`, each of which has to be there. Empty: whichever is.
    pub standbys: Vec<String>,
    /// How much WAL a replication slot may keep.
    pub slot_retention: Retention,
    /// How many segments of WAL may wait to be archived: 32.
    pub archiver: Option<u32>,
    /// From when on an old snapshot is worth a word, and makes stripes useless: 10 min.
    pub horizon_warn: Option<Duration>,
    /// How old the oldest snapshot may be: 60 min.
    pub horizon: Option<Duration>,
    /// How long an autovacuum of the table, or one that is due, is waited for: 30 min.
    pub autovacuum: Option<Duration>,
    /// Whether an autovacuum of the table that prevents wraparound is waited for: until it is done.
    pub wraparound: bool,
    /// How many percent of the table may be dead rows before whoever fills it clears them away: 10, which is before
    /// an autovacuum would.
    pub dead_tuples: Option<u32>,
    /// The hours for work: all.
    pub off_peak: Option<Window>,
    /// What becomes of a signal that cannot be seen.
    pub unknown: OnUnknown,
}

/// How much WAL in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WalRate {
    /// As much as there is.
    Any,
    /// So many percent of `max_wal_size`.
    Percent(u32),
    /// So many bytes.
    Bytes(u64),
}

/// How much WAL a replication slot may keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// As much as there is.
    Any,
    /// 20 % of `max_slot_wal_keep_size` where that is set, behind which a slot is lost, else 1 GiB.
    Auto,
    /// So many bytes.
    Bytes(u64),
}

/// What becomes of a signal that cannot be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnUnknown {
    /// It counts as over its limit.
    Block,
    /// It counts as in order, and a word is said of it.
    Warn,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            batch_time: Duration::from_millis(20),
            batch_cap: Duration::from_secs(1),
            batch_wal: 8 << 20,
            rows: 50..=20_000,
            duty: 0.2,
            pause: Duration::from_secs(5),
            blocked: Some(3),
            active: None,
            wal_rate: WalRate::Percent(100),
            replica_lag: Some(Duration::from_secs(2)),
            replica_bytes: Some(64 << 20),
            standbys: Vec::new(),
            slot_retention: Retention::Auto,
            archiver: Some(32),
            horizon_warn: Some(Duration::from_secs(10 * 60)),
            horizon: Some(Duration::from_secs(60 * 60)),
            autovacuum: Some(Duration::from_secs(30 * 60)),
            wraparound: true,
            dead_tuples: Some(10),
            off_peak: None,
            unknown: OnUnknown::Block,
        }
    }
}

/// One of them, by name.
struct Named {
    name: &'static str,
    /// What its value looks like.
    form: &'static str,
    set: fn(&mut Limits, &str) -> Option<()>,
    show: fn(&Limits) -> String,
}

const NAMED: [Named; 21] = [
    Named {
        name: "batch_time",
        form: "a time such as `20ms`",
        set: |limits, text| put(&mut limits.batch_time, some_time(text)),
        show: |limits| show_duration(limits.batch_time),
    },
    Named {
        name: "batch_cap",
        form: "a time such as `1s`",
        set: |limits, text| put(&mut limits.batch_cap, some_time(text)),
        show: |limits| show_duration(limits.batch_cap),
    },
    Named {
        name: "batch_wal",
        form: "a size such as `8MiB`",
        set: |limits, text| put(&mut limits.batch_wal, bytes(text).filter(|bytes| *bytes > 0)),
        show: |limits| show_bytes(limits.batch_wal),
    },
    Named {
        name: "rows",
        form: "two numbers such as `50..20000`, or one for both",
        set: |limits, text| put(&mut limits.rows, rows(text)),
        show: |limits| format!("{}..{}", limits.rows.start(), limits.rows.end()),
    },
    Named {
        name: "duty",
        form: "a number of 0 to 100 such as `0.2`",
        set: |limits, text| put(&mut limits.duty, duty(text)),
        show: |limits| limits.duty.to_string(),
    },
    Named {
        name: "pause",
        form: "a time such as `5s`",
        set: |limits, text| put(&mut limits.pause, duration(text)),
        show: |limits| show_duration(limits.pause),
    },
    Named {
        name: "blocked",
        form: "a number such as `3`, or `none`",
        set: |limits, text| put(&mut limits.blocked, or_none(text, count)),
        show: |limits| show(limits.blocked),
    },
    Named {
        name: "active",
        form: "a number such as `16`, or `none`",
        set: |limits, text| put(&mut limits.active, or_none(text, count)),
        show: |limits| show(limits.active),
    },
    Named {
        name: "wal_rate",
        form: "a share of max_wal_size such as `25%`, a size such as `256MiB`, or `none`",
        set: |limits, text| put(&mut limits.wal_rate, wal_rate(text)),
        show: |limits| match limits.wal_rate {
            WalRate::Any => NONE.to_owned(),
            WalRate::Percent(percent) => format!("{percent}%"),
            WalRate::Bytes(bytes) => show_bytes(bytes),
        },
    },
    Named {
        name: "replica_lag",
        form: "a time such as `2s`, or `none`",
        set: |limits, text| put(&mut limits.replica_lag, or_none(text, duration)),
        show: |limits| show(limits.replica_lag.map(show_duration)),
    },
    Named {
        name: "replica_bytes",
        form: "a size such as `64MiB`, or `none`",
        set: |limits, text| put(&mut limits.replica_bytes, or_none(text, bytes)),
        show: |limits| show(limits.replica_bytes.map(show_bytes)),
    },
    Named {
        name: "standbys",
        form: "names such as `web-1,web-2`, or `all`",
        set: |limits, text| put(&mut limits.standbys, standbys(text)),
        show: |limits| match limits.standbys.as_slice() {
            [] => "all".to_owned(),
            names => names.join(","),
        },
    },
    Named {
        name: "slot_retention",
        form: "a size such as `1GiB`, `auto` or `none`",
        set: |limits, text| put(&mut limits.slot_retention, retention(text)),
        show: |limits| match limits.slot_retention {
            Retention::Any => NONE.to_owned(),
            Retention::Auto => "auto".to_owned(),
            Retention::Bytes(bytes) => show_bytes(bytes),
        },
    },
    Named {
        name: "archiver",
        form: "a number of segments such as `32`, or `none`",
        set: |limits, text| put(&mut limits.archiver, or_none(text, |text| text.parse().ok())),
        show: |limits| show(limits.archiver),
    },
    Named {
        name: "horizon_warn",
        form: "a time such as `10min`, or `none`",
        set: |limits, text| put(&mut limits.horizon_warn, or_none(text, duration)),
        show: |limits| show(limits.horizon_warn.map(show_duration)),
    },
    Named {
        name: "horizon",
        form: "a time such as `1h`, or `none`",
        set: |limits, text| put(&mut limits.horizon, or_none(text, duration)),
        show: |limits| show(limits.horizon.map(show_duration)),
    },
    Named {
        name: "autovacuum",
        form: "a time such as `30min`, or `none`",
        set: |limits, text| put(&mut limits.autovacuum, or_none(text, duration)),
        show: |limits| show(limits.autovacuum.map(show_duration)),
    },
    Named {
        name: "wraparound",
        form: "`wait` or `none`",
        set: |limits, text| {
            put(&mut limits.wraparound, one_of(text, [("wait", true), (NONE, false)]))
        },
        show: |limits| if limits.wraparound { "wait" } else { NONE }.to_owned(),
    },
    Named {
        name: "dead_tuples",
        form: "a share of the table such as `20%`, or `none`",
        set: |limits, text| put(&mut limits.dead_tuples, or_none(text, percent)),
        show: |limits| show(limits.dead_tuples.map(|percent| format!("{percent}%"))),
    },
    Named {
        name: "off_peak",
        form: "hours such as `22:00-06:00`, perhaps with a time zone such as `22:00-06:00 Europe/Berlin`, or `none`",
        set: |limits, text| put(&mut limits.off_peak, or_none(text, Window::read)),
        show: |limits| show(limits.off_peak.as_ref()),
    },
    Named {
        name: "unknown",
        form: "`block` or `warn`",
        set: |limits, text| {
            let known = [("block", OnUnknown::Block), ("warn", OnUnknown::Warn)];
            put(&mut limits.unknown, one_of(text, known))
        },
        show: |limits| match limits.unknown {
            OnUnknown::Block => "block".to_owned(),
            OnUnknown::Warn => "warn".to_owned(),
        },
    },
];

const NONE: &str = "none";

impl Limits {
    /// Sets one limit by its name and a value, such as `replica_lag=5s`.
    ///
    /// # Errors
    /// When there is no limit of this name, or its value is written otherwise. Nothing is set then.
    pub fn set(&mut self, text: &str) -> Result<(), Error> {
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        let (name, value) = (name.trim(), value.trim());
        let Some(named) = NAMED.iter().find(|named| named.name == name) else {
            return Err(unknown(name));
        };
        (named.set)(self, value).ok_or_else(|| {
            let message = format!("failed to set the limit {name}: `{value}` is no value for it");
            Error::declaration(message).next(format!("Write {}.", named.form))
        })
    }

    /// All of them, each as it can be set.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        NAMED.iter().map(|named| format!("{}={}", named.name, (named.show)(self))).collect()
    }
}

fn unknown(name: &str) -> Error {
    let names = || NAMED.iter().map(|named| named.name);
    let error =
        Error::declaration(format!("failed to set the limit {name}: there is none of this name"));
    match migrate_core::nearest(name, names()) {
        Some(near) => error.next(format!("Did you mean {near}?")),
        None => error.next(format!("There are {}.", names().collect::<Vec<_>>().join(", "))),
    }
}

fn put<T>(limit: &mut T, value: Option<T>) -> Option<()> {
    *limit = value?;
    Some(())
}

fn or_none<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Option<Option<T>> {
    if text == NONE { Some(None) } else { read(text).map(Some) }
}

fn show(limit: Option<impl ToString>) -> String {
    limit.map_or_else(|| NONE.to_owned(), |limit| limit.to_string())
}

fn one_of<T>(text: &str, known: impl IntoIterator<Item = (&'static str, T)>) -> Option<T> {
    known.into_iter().find(|(word, _)| *word == text).map(|(_, value)| value)
}

fn some_time(text: &str) -> Option<Duration> {
    duration(text).filter(|time| !time.is_zero())
}

/// Of what is compared with a count: none at all would be over it.
fn count(text: &str) -> Option<u32> {
    text.parse().ok().filter(|count| *count > 0)
}

fn duty(text: &str) -> Option<f64> {
    text.parse().ok().filter(|duty| (0.0..=100.0).contains(duty))
}

fn rows(text: &str) -> Option<RangeInclusive<u32>> {
    let (least, most) = text.split_once("..").unwrap_or((text, text));
    let (least, most) = (count(least)?, count(most)?);
    (least <= most).then_some(least..=most)
}

fn wal_rate(text: &str) -> Option<WalRate> {
    if text == NONE {
        return Some(WalRate::Any);
    }
    let rate = percent(text).map(WalRate::Percent).or_else(|| bytes(text).map(WalRate::Bytes));
    rate.filter(|rate| !matches!(rate, WalRate::Percent(0) | WalRate::Bytes(0)))
}

fn retention(text: &str) -> Option<Retention> {
    let known = [(NONE, Retention::Any), ("auto", Retention::Auto)];
    one_of(text, known).or_else(|| bytes(text).map(Retention::Bytes))
}

fn standbys(text: &str) -> Option<Vec<String>> {
    if text == "all" {
        return Some(Vec::new());
    }
    let names: Vec<_> = text.split(',').map(|name| name.trim().to_owned()).collect();
    names.iter().all(|name| !name.is_empty()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_book_has_every_limit_with_its_default() {
        let book = include_str!("../../../docs/backfills.md");
        for shown in Limits::default().shown() {
            let (name, value) = shown.split_once('=').unwrap();
            let row = book
                .lines()
                .find(|line| line.starts_with("| `") && line.contains(&format!("`{name}`")));
            assert!(row.is_some_and(|row| row.contains(&format!("`{value}`"))), "{shown}: {row:?}");
        }
    }

    #[test]
    fn what_is_shown_sets_the_same() {
        let other = [
            "batch_time=20ms",
            "batch_cap=3s",
            "batch_wal=1MiB",
            "rows=10..300",
            "duty=1.5",
            "pause=1min",
            "blocked=none",
            "active=16",
            "wal_rate=64MiB",
            "replica_lag=none",
            "replica_bytes=1GiB",
            "standbys=web-1,web-2",
            "slot_retention=5GiB",
            "archiver=0",
            "horizon_warn=1min",
            "horizon=none",
            "autovacuum=none",
            "wraparound=none",
            "dead_tuples=5%",
            "off_peak=22:00-06:00 Europe/Berlin",
            "unknown=warn",
        ];
        let mut limits = Limits::default();
        for text in other {
            limits.set(text).unwrap();
        }
        assert_eq!(limits.shown(), other);
        let mut again = Limits::default();
        for text in limits.shown() {
            again.set(&text).unwrap();
        }
        assert_eq!(again, limits);
        for text in Limits::default().shown() {
            again.set(&text).unwrap();
        }
        assert_eq!(again, Limits::default());
    }

    #[test]
    fn a_name_that_is_not_known_has_a_near_one() {
        let error = Limits::default().set("replica_leg=5s").unwrap_err().to_string();
        assert!(error.contains("Did you mean replica_lag?"), "{error}");
        let error = Limits::default().set("moon").unwrap_err().to_string();
        assert!(error.contains("There are batch_time, batch_cap, "), "{error}");
    }

    #[test]
    fn a_value_that_is_none_changes_nothing_and_is_told_how_to_be_written() {
        let mut limits = Limits::default();
        let wrong = [
            "batch_time=0s",
            "batch_time",
            "batch_wal=0B",
            "rows=0..5",
            "rows=9..5",
            "duty=-1",
            "duty=NaN",
            "duty=inf",
            "blocked=0",
            "wal_rate=0%",
            "replica_lag=5",
            "standbys=",
            "standbys=a,,b",
            "horizon=soon",
            "dead_tuples=20",
            "off_peak=night",
            "unknown=maybe",
            "wraparound=off",
        ];
        for text in wrong {
            let error = limits.set(text).expect_err(text).to_string();
            assert!(error.contains("Write "), "{error}");
        }
        assert_eq!(limits, Limits::default());
    }
}
