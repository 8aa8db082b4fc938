//! How far something is that takes long: a statement, as the server tells it, and a backfill.
//!
//! Owns what is read of PostgreSQL's progress views, and the words for it. Knows neither who asks nor how often.

use std::fmt;
use std::time::Duration;

use sqlx::postgres::PgRow;

use crate::wire::{number, text};

/// How far a statement is. An index build, a `VACUUM`, a `CLUSTER`, an `ANALYZE` and, from PostgreSQL 14 on, a `COPY`
/// tell; other statements do not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Progress {
    /// As the server calls it, such as `CREATE INDEX CONCURRENTLY`.
    pub command: String,
    /// As the server calls it, such as `building index: scanning table`.
    pub phase: String,
    /// The table, with its schema, quoted where it has to be; empty where it cannot be seen.
    pub relation: String,
    /// What this phase counts; some count nothing.
    pub counted: Option<Counted>,
    /// Partitions, where it takes one after the other.
    pub partitions: Option<Counted>,
}

/// Of how many it is the how manyth.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Counted {
    /// `blocks`, `rows`, `bytes`, `indexes`, `partitions`, `statistics`; `transactions` are waited for.
    pub unit: String,
    /// So many are done.
    pub done: u64,
    /// Of so many, as far as that is known.
    pub total: Option<u64>,
}

impl Counted {
    /// Which part is done: 0 to 1.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        let total = self.total.filter(|total| *total > 0)?;
        #[allow(clippy::cast_precision_loss, reason = "a part of a whole, for people")]
        let ratio = self.done as f64 / total as f64;
        Some(ratio.min(1.0))
    }
}

impl Progress {
    pub(crate) fn of(row: &PgRow) -> Self {
        let text = |column| text(row, column).unwrap_or_default().to_owned();
        let count = |column| number(row, column).and_then(|n| u64::try_from(n).ok());
        let counted = |unit: String, done, total: Option<u64>| {
            let done = count(done).unwrap_or_default();
            (!unit.is_empty()).then_some(Counted { unit, done, total })
        };
        let partitions = count("partitions_total");
        Self {
            command: text("command"),
            phase: text("phase"),
            relation: text("relation"),
            counted: counted(text("unit"), "done", count("total")),
            partitions: partitions
                .and_then(|all| counted("partitions".to_owned(), "partitions_done", Some(all))),
        }
    }
}

/// `building index: scanning table on public.users, 34 % (1200 of 3500 blocks)`
impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.phase)?;
        if !self.relation.is_empty() {
            write!(f, " on {}", self.relation)?;
        }
        for counted in self.counted.iter().chain(&self.partitions) {
            write!(f, ", {counted}")?;
        }
        Ok(())
    }
}

/// `34 % (1200 of 3500 blocks)`
impl fmt::Display for Counted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { unit, done, total } = self;
        match (self.ratio(), total) {
            (Some(ratio), Some(total)) => {
                write!(f, "{:.0} % ({done} of {total} {unit})", (ratio * 100.0).floor())
            }
            _ => write!(f, "{done} {unit}"),
        }
    }
}

/// How far a backfill is, in this pass over its table.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Steps {
    /// Which time the table is gone through; the last pass is the one that finds nothing to change.
    pub pass: u32,
    /// Rows gone through in this pass, by all workers as far as this one knows.
    pub seen: u64,
    /// Rows changed, in all passes.
    pub changed: u64,
    /// Rows of the table, by the statistics of the server; 0 where it has none.
    pub expected: u64,
    /// Rows a second, by this worker, pauses counted.
    pub rate: f64,
    /// Rows of the last batch alone: whoever hears several workers adds these up.
    pub batch_seen: u64,
    /// Rows that the last batch changed.
    pub batch_changed: u64,
}

impl Steps {
    /// The part of this pass that is done, from 0 to 1, where it is known.
    pub fn part(&self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a part, for people")]
        let part = self.seen as f64 / self.expected as f64;
        (self.expected > 0).then(|| part.min(1.0))
    }

    /// Until the end of this pass, at this rate.
    pub fn left(&self) -> Option<Duration> {
        let rows = self.expected.checked_sub(self.seen).filter(|_| self.expected > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = rows as f64 / self.rate;
        (self.rate > 0.0).then(|| Duration::from_secs_f64(seconds.min(1e9)))
    }
}

impl fmt::Display for Steps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pass {}, {} rows", self.pass, self.seen)?;
        if let Some(part) = self.part() {
            write!(f, " ({:.0} %)", part * 100.0)?;
        }
        write!(f, ", {:.0} rows/s", self.rate)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_how_far_and_of_what() {
        let blocks = Counted { unit: "blocks".to_owned(), done: 349, total: Some(350) };
        let parts = Counted { unit: "partitions".to_owned(), done: 2, total: Some(7) };
        let mut progress = Progress {
            command: "CREATE INDEX".to_owned(),
            phase: "building index: scanning table".to_owned(),
            relation: "public.users".to_owned(),
            counted: Some(blocks),
            partitions: Some(parts),
        };
        assert_eq!(
            progress.to_string(),
            "building index: scanning table on public.users, 99 % (349 of 350 blocks), 28 % (2 of 7 partitions)"
        );
        progress.counted = Some(Counted { unit: "rows".to_owned(), done: 4, total: None });
        progress.partitions = None;
        progress.relation.clear();
        assert_eq!(progress.to_string(), "building index: scanning table, 4 rows");
    }

    #[test]
    fn a_part_is_never_more_than_the_whole() {
        let of = |done, total| Counted { unit: "blocks".to_owned(), done, total }.ratio();
        assert_eq!(of(1, Some(2)), Some(0.5));
        assert_eq!(of(9, Some(8)), Some(1.0));
        assert_eq!(of(9, Some(0)), None);
        assert_eq!(of(9, None), None);
    }
}
