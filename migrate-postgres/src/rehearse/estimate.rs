//! From what a step took on a sample to what it will take on a table.
//!
//! Owns how time and the server's log grow with the rows. Pure: what was measured comes in as values.

use std::time::Duration;

/// A table and the sample of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Size {
    /// Rows of the sample.
    pub(crate) sample: f64,
    /// Rows of the table.
    pub(crate) rows: f64,
    /// Pages of the table.
    pub(crate) pages: f64,
    /// What it takes to get a page of it that nobody has read before, beyond reading it, in seconds.
    pub(crate) fetch: f64,
    /// Workers that help to build an index of it.
    pub(crate) workers: u32,
}

impl Size {
    /// Is the sample all of it?
    pub(crate) fn is_whole(&self) -> bool {
        self.sample >= self.rows
    }

    pub(crate) fn ratio(&self) -> f64 {
        if self.sample > 0.0 { (self.rows / self.sample).max(1.0) } else { 1.0 }
    }

    /// Both tables together, where the rows of the first are looked up among those of the other.
    pub(crate) fn with(&self, other: &Size) -> Size {
        let pages = self.pages + other.pages;
        let fetched = self.pages * self.fetch + other.pages * other.fetch;
        Size {
            sample: self.sample + other.sample * LOOKED_UP,
            rows: self.rows + other.rows * LOOKED_UP,
            pages,
            fetch: if pages > 0.0 { fetched / pages } else { 0.0 },
            workers: self.workers,
        }
    }

    /// Keys are sorted: a row costs more the more there are.
    fn sorted(&self) -> f64 {
        let of = |rows: f64| rows.max(2.0).log2();
        self.ratio() * of(self.rows.max(self.sample)) / of(self.sample)
    }

    /// How much faster it is with their help: what they have sorted, one merges.
    fn helped(&self) -> f64 {
        1.0 / (1.0 + HELP * f64::from(self.workers))
    }

    /// To get all of its pages once.
    fn fetched(&self) -> Duration {
        Duration::from_secs_f64((self.pages * self.fetch).max(0.0))
    }
}

/// How a step grows with its table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Growth {
    /// Not at all.
    Not,
    /// It goes through all rows.
    Rows,
    /// It sorts them.
    Sort,
    /// It sorts them, and goes through all once more to see what has come meanwhile.
    SortConcurrently,
}

/// To put a row where others are looked up takes so many times as long as to look one up.
const LOOKED_UP: f64 = 3.0;

/// What a second look at the table takes, of what building its index took: the rows are read and their places sorted.
const SECOND_LOOK: f64 = 0.6;

/// What a worker adds to the one who builds an index.
const HELP: f64 = 0.6;

/// What decides how many workers a server lends to whoever builds an index.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Help {
    /// `max_parallel_maintenance_workers`
    pub(crate) most: u32,
    /// `maintenance_work_mem`, in bytes.
    pub(crate) memory: f64,
    /// `min_parallel_table_scan_size`, in bytes.
    pub(crate) least: f64,
}

/// How many help with a table of so many bytes: one more each time it is three times as large, and each has 32 MB.
pub(crate) fn workers(help: &Help, bytes: f64) -> u32 {
    let mut workers = 0;
    let mut threshold = help.least.max(1.0);
    while workers < help.most && bytes >= threshold {
        workers += 1;
        threshold *= 3.0;
    }
    while workers > 0 && help.memory / f64::from(workers + 1) < 33_554_432.0 {
        workers -= 1;
    }
    workers
}

/// A step that took so long on the sample.
pub(crate) fn time(measured: Duration, growth: Growth, size: &Size) -> Duration {
    match growth {
        Growth::Not => measured,
        Growth::Rows => measured.mul_f64(size.ratio()) + size.fetched(),
        Growth::Sort => measured.mul_f64(size.sorted() * size.helped()) + size.fetched(),
        Growth::SortConcurrently => {
            let looks = size.helped() + SECOND_LOOK;
            measured.mul_f64(size.sorted() * looks) + size.fetched() * 2
        }
    }
}

/// The bytes that the log grows by.
pub(crate) fn wal(measured: u64, growth: Growth, size: &Size) -> u64 {
    match growth {
        Growth::Not => measured,
        _ => times(measured, size.ratio()),
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate"
)]
fn times(number: u64, ratio: f64) -> u64 {
    (number as f64 * ratio) as u64
}

/// What batches took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batched {
    /// The pass that changes.
    pub(crate) first: Duration,
    /// The pass that finds nothing left.
    pub(crate) second: Duration,
    /// What is verified in the end.
    pub(crate) verified: Duration,
    pub(crate) wal: u64,
}

/// A fifth of what a batch takes is a pause behind it, at least.
const WITH_PAUSE: f64 = 1.2;

/// What a server does with its log.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Log {
    /// The bytes of a table's indexes.
    pub(crate) indexes: f64,
    /// Into how many of them a row that is changed gets an entry, at a place of its own.
    pub(crate) entries: f64,
    /// The bytes of a page; nothing where pages are not written whole.
    pub(crate) page: f64,
    /// After so many bytes there is a checkpoint.
    pub(crate) between_checkpoints: f64,
    /// How long a commit waits for a byte, in seconds.
    pub(crate) safe_byte: f64,
    /// So many bytes a backfill may add to it in a second, where that has a limit.
    pub(crate) a_second: Option<f64>,
}

impl Log {
    /// The bytes of index pages that so many rows change for the first time: of few rows each has its own.
    fn touched(&self, rows: f64) -> f64 {
        let pages = self.indexes / self.page.max(1.0);
        if pages < 1.0 {
            return 0.0;
        }
        self.indexes * (1.0 - (-rows * self.entries / pages).exp())
    }

    /// How many rows fit between two checkpoints, of which each has so many bytes of its own.
    fn rows_between(&self, own: f64, most: f64) -> f64 {
        let (mut low, mut high) = (0.0, most);
        for _ in 0..50 {
            let middle = f64::midpoint(low, high);
            let bytes = middle * own + self.touched(middle);
            *(if bytes <= self.between_checkpoints { &mut low } else { &mut high }) = middle;
        }
        high.max(1.0)
    }
}

/// How often a page of the table is changed for the first time since a checkpoint: when its rows get a successor, and
/// when whoever reads next notes that they are gone and that the successors are there.
const TOUCHES: f64 = 3.0;

/// A backfill: both passes with their pauses, what is verified, and the commits; but no faster than it may write.
pub(crate) fn backfill(batched: &Batched, size: &Size, log: &Log) -> Duration {
    let passes = batched.first + batched.second;
    let written = real(backfill_wal(batched, size, log));
    let commits = written * log.safe_byte;
    let work = (passes.mul_f64(WITH_PAUSE) + batched.verified).mul_f64(size.ratio())
        + size.fetched()
        + Duration::from_secs_f64(commits * WITH_PAUSE);
    let allowed = log.a_second.map_or(0.0, |a_second| written / a_second);
    work.max(Duration::from_secs_f64(allowed))
}

/// A page that is changed for the first time since a checkpoint is written whole; those of an index are changed all over,
/// again after each checkpoint.
pub(crate) fn backfill_wal(batched: &Batched, size: &Size, log: &Log) -> u64 {
    let own = times(batched.wal, size.ratio());
    if log.page <= 0.0 {
        return own;
    }
    let rows = size.rows.max(1.0);
    let each = (real(own) + size.pages * log.page * TOUCHES) / rows;
    let between = log.rows_between(each, rows);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an estimate")]
    let all = (rows * each + rows / between * log.touched(between)) as u64;
    all
}

#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn real(number: u64) -> f64 {
    number as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const SIZE: Size = Size { sample: 1e5, rows: 5e6, pages: 1e5, fetch: 0.0, workers: 0 };

    #[test]
    fn what_reads_all_rows_grows_with_them() {
        assert_eq!(time(SECOND, Growth::Rows, &SIZE), SECOND * 50);
        assert_eq!(time(SECOND, Growth::Not, &SIZE), SECOND);
        assert_eq!(wal(1_000, Growth::Rows, &SIZE), 50_000);
        assert_eq!(wal(1_000, Growth::Not, &SIZE), 1_000);
    }

    #[test]
    fn what_sorts_them_grows_faster() {
        let sorted = time(SECOND, Growth::Sort, &SIZE);
        assert!(sorted > SECOND * 60 && sorted < SECOND * 70, "{sorted:?}");
        assert!(time(SECOND, Growth::SortConcurrently, &SIZE) > sorted.mul_f64(1.4));
    }

    #[test]
    fn workers_help_with_large_tables_as_far_as_there_is_memory_for_each() {
        let help = Help { most: 2, memory: 67_108_864.0, least: 8_388_608.0 };
        assert_eq!(workers(&help, 1e6), 0);
        assert_eq!(workers(&help, 1e7), 1);
        assert_eq!(workers(&help, 1e10), 1, "64 MB are enough for two");
        assert_eq!(workers(&Help { memory: 1e9, ..help }, 1e10), 2);
        assert_eq!(workers(&Help { most: 0, ..help }, 1e10), 0);
        let alone = time(SECOND, Growth::Sort, &SIZE);
        assert!(time(SECOND, Growth::Sort, &Size { workers: 1, ..SIZE }) < alone.mul_f64(0.7));
    }

    #[test]
    fn pages_that_have_to_be_fetched_take_their_time_once_a_pass() {
        let cold = Size { fetch: 1e-4, ..SIZE };
        assert_eq!(time(SECOND, Growth::Rows, &cold), SECOND * 60);
        let twice = time(SECOND, Growth::SortConcurrently, &cold)
            - time(SECOND, Growth::SortConcurrently, &SIZE);
        assert_eq!(twice, SECOND * 20);
    }

    /// The rows that a sample refers to are many for it, and few for the table.
    #[test]
    fn a_foreign_key_grows_with_both_of_its_tables() {
        let parents = Size { sample: 1e5, rows: 5e5, ..Size::default() };
        let both = SIZE.with(&parents);
        assert!(!both.is_whole() && both.ratio() > 10.0 && both.ratio() < 20.0, "{both:?}");
    }

    #[test]
    fn a_small_table_is_what_it_is() {
        let small = Size { sample: 10.0, rows: 10.0, pages: 1.0, fetch: 0.0, workers: 0 };
        assert!(small.is_whole() && !SIZE.is_whole());
        for growth in [Growth::Rows, Growth::Sort] {
            assert_eq!(time(SECOND, growth, &small), SECOND);
        }
        let empty = Size::default();
        assert_eq!(time(SECOND, Growth::Sort, &empty), SECOND);
    }

    #[test]
    fn a_backfill_goes_through_twice_and_rests() {
        let batched = Batched { first: SECOND, second: SECOND / 2, verified: SECOND, wal: 100 };
        assert_eq!(backfill(&batched, &SIZE, &Log::default()), SECOND * 140);
        assert_eq!(backfill_wal(&batched, &SIZE, &Log::default()), 5_000);
        let log = Log { page: 10.0, between_checkpoints: 1e12, safe_byte: 1e-6, ..Log::default() };
        assert_eq!(backfill_wal(&batched, &SIZE, &log), 5_000 + 3_000_000);
        let commits = backfill(&batched, &SIZE, &log) - SECOND * 140;
        assert_eq!(commits.as_secs_f64().round(), 4.0);
        let slowly = Log { a_second: Some(3_005.0), ..log };
        assert_eq!(backfill(&batched, &SIZE, &slowly), SECOND * 1_000, "as slowly as it may write");
    }

    #[test]
    fn pages_of_an_index_are_written_whole_again_after_each_checkpoint() {
        let batched = Batched { wal: 100_000_000, ..Batched::default() };
        let of = |between_checkpoints, entries| {
            let log =
                Log { indexes: 1e9, entries, page: 8192.0, between_checkpoints, ..Log::default() };
            real(backfill_wal(&batched, &SIZE, &log)) / 1e9
        };
        let own = 5.0 + 1e5 * 8192.0 * 3.0 / 1e9;
        assert!((of(1e12, 0.0) - own).abs() < 0.01, "no entries, no pages");
        assert!((of(1e12, 1.0) - own - 1.0).abs() < 0.01, "each page once");
        assert!(of(1e9, 1.0) > own + 5.0, "{}", of(1e9, 1.0));
        assert!(of(3e7, 1.0) > own + 30.0, "{}", of(3e7, 1.0));
        assert!(of(3e7, 1.0) < own + 5e6 * 8192.0 / 1e9, "no more than a page a row");
    }
}
