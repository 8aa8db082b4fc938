use super::*;
use crate::throttle::signals::Signal;
use crate::throttle::testing::quiet;

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// The limits, with a time to reckon with.
fn usual() -> Limits {
    Limits { batch_time: ms(150), ..Limits::default() }
}

/// A batch on a server where each one costs some microseconds, and so does each row, beside bytes of WAL.
fn batch(rows: u32, fixed: u64, row: u64, wal: u64) -> Measured {
    let rows = u64::from(rows);
    let took = Duration::from_micros(fixed + row * rows);
    Measured { rows_seen: rows, rows_changed: rows, took, wal: wal * rows }
}

/// A quiet server but for this load.
fn load(part: f64) -> Signals {
    let mut signals = quiet();
    signals.active = Signal::Known((part * 100.0).round() as u32);
    signals
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn up_to(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % (most + 1)
    }
}

/// After so many batches of this cost, and what the last was limited by.
fn after(first: u32, batches: usize, fixed: u64, row: u64, wal: u64) -> (u32, LimitedBy) {
    let mut controller = Controller::new(&usual(), first);
    let mut limited = LimitedBy::Nothing;
    for _ in 0..batches {
        let batch = batch(controller.rows(), fixed, row, wal);
        limited = controller.after(&batch, &quiet()).limited_by;
    }
    (controller.rows(), limited)
}

#[test]
fn a_batch_comes_to_take_the_time_that_it_should() {
    for (fixed, row) in [(0, 20), (0, 100), (2000, 50), (50_000, 300)] {
        for first in [1, 1000, 1_000_000] {
            let (rows, limited) = after(first, 30, fixed, row, 0);
            let took = batch(rows, fixed, row, 0).took;
            assert!((ms(135)..=ms(165)).contains(&took), "{fixed} {row} from {first}: {took:?}");
            assert_eq!(limited, LimitedBy::BatchTime);
        }
    }
}

#[test]
fn a_batch_comes_to_write_the_wal_that_it_may() {
    let (rows, limited) = after(10_000, 30, 0, 1, 10_000);
    assert!((755..=922).contains(&rows), "{rows}");
    assert_eq!(limited, LimitedBy::Wal);
}

#[test]
fn a_batch_has_no_more_rows_than_it_may() {
    assert_eq!(after(1000, 30, 0, 1, 0), (20_000, LimitedBy::Rows));
    assert_eq!(after(1000, 30, 0, 100_000, 0), (50, LimitedBy::BatchTime));
    assert_eq!(after(100, 2, 0, 1, 0).1, LimitedBy::Nothing);
}

#[test]
fn where_nothing_changes_the_wal_is_of_others() {
    let mut controller = Controller::new(&usual(), 1000);
    for _ in 0..30 {
        let batch = Measured { rows_changed: 0, ..batch(controller.rows(), 0, 1, 100_000) };
        controller.after(&batch, &quiet());
    }
    assert_eq!(controller.rows(), 20_000);
}

#[test]
fn nothing_that_happens_leads_out_of_the_limits() {
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let mut limits = usual();
    let mut controller = Controller::new(&limits, 1000);
    for turn in 0..50_000 {
        let before = controller.rows();
        let rows_seen = dice.up_to(1) * dice.up_to(50_000);
        let batch = Measured {
            rows_seen,
            rows_changed: rows_seen.min(dice.up_to(50_000)),
            took: Duration::from_micros(1 << dice.up_to(40)),
            wal: (1 << dice.up_to(62)) - 1,
        };
        match dice.up_to(9) {
            0 => controller.refused(),
            1 => {
                let least = 1 + u32::try_from(dice.up_to(99)).unwrap();
                limits.rows = least..=least + u32::try_from(dice.up_to(9999)).unwrap();
                controller.limit(&limits);
                assert!(limits.rows.contains(&controller.rows()));
                continue;
            }
            _ => {
                let pace = controller.after(&batch, &load(dice.up_to(20) as f64 / 10.0));
                let floor = batch.took.mul_f64(0.2).min(limits.pause);
                assert!(pace.pause >= floor && pace.pause <= limits.pause, "{turn}: {pace:?}");
                assert!(pace.pause > Duration::ZERO, "{turn}: {pace:?}");
            }
        }
        let rows = controller.rows();
        assert!(limits.rows.contains(&rows), "{turn}: {rows}");
        assert!(f64::from(rows) <= f64::from(before) * GROW + 1.0, "{turn}: {before} to {rows}");
        let least = f64::from(before) * SHRINK * SHRINK - 1.0;
        assert!(f64::from(rows) >= least, "{turn}: {before} to {rows}");
    }
}

#[test]
fn a_batch_that_was_refused_is_halved_and_not_soon_as_large_again() {
    let mut controller = Controller::new(&usual(), 1000);
    controller.after(&batch(1000, 0, 150, 0), &quiet());
    controller.refused();
    assert_eq!(controller.rows(), 500);
    for _ in 0..WARY {
        controller.after(&batch(controller.rows(), 0, 150, 0), &quiet());
        assert_eq!(controller.rows(), 500);
    }
    controller.after(&batch(controller.rows(), 0, 150, 0), &quiet());
    assert_eq!(controller.rows(), 625);
    for _ in 0..20 {
        controller.refused();
    }
    assert_eq!(controller.rows(), 50, "there is an end to it");
}

#[test]
fn a_batch_that_took_much_too_long_halves_the_next_one_and_those_after_it() {
    let mut controller = Controller::new(&usual(), 1000);
    for _ in 0..5 {
        controller.after(&batch(1000, 0, 150, 0), &quiet());
    }
    let one = controller.after(&batch(1000, 0, 1500, 0), &quiet());
    assert_eq!((controller.rows(), one.limited_by), (500, LimitedBy::BatchTime));
    controller.after(&batch(500, 0, 1500, 0), &quiet());
    controller.after(&batch(250, 0, 1500, 0), &quiet());
    assert!(controller.rows() < 126, "{}", controller.rows());
}

#[test]
fn a_batch_without_rows_teaches_nothing() {
    let mut controller = Controller::new(&usual(), 1000);
    let nothing = Measured { rows_seen: 0, rows_changed: 0, took: ms(900), wal: 0 };
    assert_eq!(controller.after(&nothing, &quiet()).limited_by, LimitedBy::Nothing);
    assert_eq!(controller.rows(), 1000);
}

#[test]
fn the_target_is_never_above_what_a_batch_may_take() {
    let limits = Limits { batch_time: ms(5000), ..Limits::default() };
    let mut controller = Controller::new(&limits, 1000);
    for _ in 0..30 {
        let batch = batch(controller.rows(), 0, 200, 0);
        controller.after(&batch, &quiet());
    }
    assert!((4500..=5500).contains(&controller.rows()), "{}", controller.rows());
}

#[test]
fn a_part_of_the_time_is_left_to_others_whatever_a_batch_takes() {
    for (took, pause) in [(100, 20), (1000, 200), (5, 1), (1_000_000, 5_000)] {
        let mut controller = Controller::new(&usual(), 1000);
        let batch = Measured { took: ms(took), ..batch(1000, 0, 0, 0) };
        assert_eq!(controller.after(&batch, &quiet()).pause, ms(pause));
    }
    let limits = Limits { duty: 2.0, ..Limits::default() };
    let pace = Controller::new(&limits, 1000).after(&batch(1000, 0, 100, 0), &quiet());
    assert_eq!(pace, Pace { pause: ms(200), limited_by: LimitedBy::Duty });
}

#[test]
fn the_pause_follows_the_load_in_four_zones() {
    for (part, pause, rows) in [
        (0.0, 20, 1000),
        (0.39, 20, 1000),
        (0.41, 20, 1000),
        (0.69, 20, 1000),
        (0.71, 30, 1000),
        (0.99, 30, 1000),
        (1.01, 80, 500),
        (9.0, 80, 500),
    ] {
        let limits = Limits { batch_time: ms(100), active: Some(100), ..Limits::default() };
        let mut controller = Controller::new(&limits, 1000);
        let pace = controller.after(&batch(1000, 0, 100, 0), &load(part));
        assert_eq!((pace.pause, controller.rows()), (ms(pause), rows), "{part}");
        assert_eq!(pace.limited_by == LimitedBy::Load, part > 0.7, "{part}");
    }
}

#[test]
fn a_pause_grows_up_to_its_limit_and_goes_when_the_load_has_gone() {
    let mut controller = Controller::new(&usual(), 1000);
    let mut signals = quiet();
    signals.blocked = 3;
    assert_eq!(signals.active, Signal::Known(0));
    for _ in 0..10 {
        controller.after(&batch(50, 0, 1000, 0), &signals);
    }
    let pace = controller.after(&batch(50, 0, 1000, 0), &signals);
    assert_eq!((pace.pause, pace.limited_by), (ms(5_000), LimitedBy::Load));
    assert_eq!(controller.rows(), 50);
    let easing = controller.after(&batch(50, 0, 1000, 0), &quiet());
    assert_eq!((easing.pause, easing.limited_by), (ms(2_500), LimitedBy::Load));
    for _ in 0..40 {
        controller.after(&batch(50, 0, 1000, 0), &quiet());
    }
    let pace = controller.after(&batch(50, 0, 1000, 0), &quiet());
    assert_eq!(pace.pause, ms(10));
    assert_ne!(pace.limited_by, LimitedBy::Load);
}

/// What a batch has written is paid for by its time: no more, however much it was.
#[test]
fn a_pause_is_as_long_as_the_wal_of_its_batch_may_take() {
    let mut signals = quiet();
    signals.wal.max_wal_size = 60 << 20; // 1 MiB a second
    let mut controller = Controller::new(&usual(), 1000);
    let of = |wal: u64| Measured { rows_seen: 1000, rows_changed: 1000, took: ms(100), wal };
    let pace = controller.after(&of(1 << 20), &signals);
    assert_eq!((pace.pause, pace.limited_by), (ms(900), LimitedBy::Wal));
    let pace = controller.after(&of(1 << 10), &signals);
    assert_eq!(pace.pause, ms(20));
    let none = Measured { rows_changed: 0, ..of(1 << 30) };
    assert_eq!(controller.after(&none, &signals).pause, ms(20), "what others write is theirs");
}
