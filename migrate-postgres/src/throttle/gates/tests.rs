use super::*;
use crate::throttle::signals::{Dead, Since, Slot, Vacuum};
use crate::throttle::testing::quiet;

fn limits(texts: &[&str]) -> Limits {
    let mut limits = Limits::default();
    texts.iter().for_each(|text| limits.set(text).unwrap());
    limits
}

/// What is closed, as people read it.
fn told(signals: &Signals, texts: &[&str]) -> Vec<String> {
    let closed = closed(signals, &limits(texts), signals.minute);
    closed.iter().map(ToString::to_string).collect()
}

fn ago<T: PartialEq>(minutes: u64, what: T) -> Since<T> {
    let mut since = Since::still(what, quiet().now, None);
    since.at -= Duration::from_secs(minutes * 60);
    since
}

fn replica(name: &str, position: Signal<Position>) -> Replica {
    Replica { pid: 1, name: name.to_owned(), logical: false, position }
}

/// It has stood there since a look this many milliseconds ago, behind by so many bytes.
fn behind(bytes: u64, millis: u64) -> Signal<Position> {
    use crate::throttle::signals::Told;
    let told = |reply: &str| Told {
        replayed: 7,
        received: 7,
        reply: reply.to_owned(),
        lag: Duration::ZERO,
    };
    let now = quiet().now;
    let before = Position::follow(told("a"), 8, now - Duration::from_millis(millis), None);
    Signal::Known(Position::follow(told("b"), 7 + bytes, now, Some(&before)))
}

#[test]
fn on_a_quiet_server_nothing_is_closed() {
    assert_eq!(told(&quiet(), &[]), [""; 0]);
    assert!(warned(&quiet(), &Limits::default()).is_empty());
}

#[test]
fn a_standby_closes_by_time_and_by_bytes() {
    let mut signals = quiet();
    signals.replicas = vec![replica("web-2", behind(100, 5100))];
    let late =
        "replica_lag: standby web-2 is 5.1 s behind (limit 2 s); opens: when it has caught up";
    assert_eq!(told(&signals, &[]), [late]);
    assert_eq!(told(&signals, &["replica_lag=6s"]), [""; 0]);
    signals.replicas = vec![replica("web-2", behind(65 << 20, 100))];
    let far =
        "replica_lag: standby web-2 is 65 MiB behind (limit 64 MiB); opens: when it has caught up";
    assert_eq!(told(&signals, &[]), [far]);
    assert_eq!(told(&signals, &["replica_bytes=none"]), [""; 0]);
}

#[test]
fn only_the_standbys_that_were_chosen_count_and_each_has_to_be_there() {
    let mut signals = quiet();
    signals.replicas = vec![replica("far", behind(1 << 30, 0)), replica("near", behind(0, 0))];
    assert_eq!(told(&signals, &["standbys=near"]), [""; 0]);
    assert_eq!(told(&signals, &["standbys=far"]).len(), 1);
    let missing = &told(&signals, &["standbys=near,gone"])[0];
    assert!(
        missing.starts_with("replica_lag: standby gone is not connected; opens: "),
        "{missing}"
    );
    assert_eq!(
        told(&signals, &["standbys=gone", "replica_lag=none", "replica_bytes=none"]),
        [""; 0]
    );
}

#[test]
fn a_subscriber_counts_only_by_name() {
    let mut signals = quiet();
    signals.replicas = vec![Replica { logical: true, ..replica("sub", behind(1 << 30, 0)) }];
    assert_eq!(told(&signals, &[]), [""; 0]);
    assert_eq!(told(&signals, &["standbys=sub"]).len(), 1);
}

#[test]
fn what_cannot_be_seen_closes_and_says_how_to_see_it_or_to_do_without() {
    let mut signals = quiet();
    signals.replicas = vec![replica("web-2", Signal::Hidden)];
    signals.active = Signal::Hidden;
    let hidden = "unknown: how far standby web-2 is cannot be seen by role app; opens: by `GRANT pg_monitor TO app`, by \
                  the limit `unknown=warn`, or `replica_lag=none` with `replica_bytes=none`";
    assert_eq!(told(&signals, &[]), [hidden]);
    assert_eq!(told(&signals, &["unknown=warn"]), [""; 0]);
    assert_eq!(warned(&signals, &limits(&["unknown=warn"])).len(), 1);
    assert_eq!(told(&signals, &["replica_lag=none", "replica_bytes=none"]), [""; 0]);
    assert_eq!(told(&signals, &["active=9"]).len(), 2, "it is not wanted to be known else");
    signals.replicas = vec![replica("new", Signal::Untold)];
    let new = &told(&signals, &[])[0];
    assert!(
        new.starts_with("unknown: standby new has not said yet how far it is; opens: when it"),
        "{new}"
    );
    assert!(!new.contains("GRANT"), "{new}");
}

#[test]
fn a_slot_closes_by_its_own_limit_or_by_a_part_of_what_the_server_keeps() {
    let mut signals = quiet();
    signals.slot = Some(Slot { name: "cdc".to_owned(), active: true, retained: 3 << 29 });
    let kept = "slot: replication slot cdc keeps 1.5 GiB of WAL (limit 1 GiB); opens: when whoever reads it has caught up";
    assert_eq!(told(&signals, &[]), [kept]);
    assert_eq!(told(&signals, &["slot_retention=none"]), [""; 0]);
    signals.slot_keep = Some(100 << 30);
    assert_eq!(told(&signals, &[]), [""; 0]);
    signals.slot_keep = Some(5 << 30);
    signals.slot.as_mut().unwrap().active = false;
    let [left] = &told(&signals, &[])[..] else { panic!("it is closed") };
    assert!(
        left.contains("nobody reads it") && left.contains("pg_drop_replication_slot"),
        "{left}"
    );
    assert_eq!(told(&signals, &["slot_retention=2GiB"]), [""; 0]);
}

#[test]
fn wal_that_is_not_archived_closes() {
    let mut signals = quiet();
    signals.unarchived = 32;
    assert_eq!(told(&signals, &[]), [""; 0]);
    signals.unarchived = 33;
    assert!(told(&signals, &[])[0].starts_with("archiver: 33 segments of WAL wait"), "{signals:?}");
    assert_eq!(told(&signals, &["archiver=none"]), [""; 0]);
}

#[test]
fn an_old_snapshot_is_told_of_first_and_closes_later() {
    let with = |minutes: u64| {
        let mut signals = quiet();
        let age = Duration::from_secs(minutes * 60);
        signals.horizon.dated = Some(("a transaction of app (pid 7)".to_owned(), age));
        let warned = warned(&signals, &Limits::default()).len();
        (signals.lets_prune(&Limits::default()), warned, told(&signals, &[]))
    };
    assert_eq!(with(10), (true, 0, vec![]));
    assert_eq!(with(11), (false, 1, vec![]));
    let closed = "xmin: a transaction of app (pid 7) keeps dead rows from being cleaned up for 61 min (limit 60 min); \
                  opens: when it ends";
    assert_eq!(with(61), (false, 1, vec![closed.to_owned()]));
}

#[test]
fn the_oldest_of_all_that_hold_the_horizon_counts() {
    let mut signals = quiet();
    signals.horizon.dated = Some(("a transaction".to_owned(), Duration::from_secs(65 * 60)));
    signals.horizon.held = Some(ago(70, ("the slot web".to_owned(), "815".to_owned())));
    assert!(told(&signals, &[])[0].starts_with("xmin: the slot web keeps"));
    signals.horizon.hidden = vec![ago(61, "3/4 12".to_owned()), ago(80, "5/6 4711".to_owned())];
    assert!(told(&signals, &[])[0].starts_with("xmin: a transaction of pid 4711 keeps"));
}

#[test]
fn an_autovacuum_is_waited_for_a_while_and_one_against_wraparound_to_its_end() {
    let with = |wraparound, minutes, texts: &[&str]| {
        let mut signals = quiet();
        signals.vacuum = Some(Vacuum { wraparound, seen: ago(minutes, "3/4".to_owned()) });
        told(&signals, texts)
    };
    let waits = "autovacuum: an autovacuum works on the table, seen for 3 min; opens: when it has finished, and in 27 min \
                 in any case";
    assert_eq!(with(false, 3, &[]), [waits]);
    assert_eq!(with(false, 30, &[]), [""; 0]);
    assert_eq!(with(false, 3, &["autovacuum=none"]), [""; 0]);
    assert!(with(true, 600, &[])[0].starts_with("wraparound: an autovacuum to prevent wraparound"));
    assert_eq!(with(true, 600, &["wraparound=none"]), [""; 0]);
}

#[test]
fn dead_rows_are_many_by_their_number_and_by_their_share() {
    let wants = |dead, live, limit: &str| {
        let mut signals = quiet();
        signals.dead = Some(Dead { dead, live });
        assert_eq!(told(&signals, &[limit]), [""; 0], "they are not waited for");
        signals.wants_vacuum(&limits(&[limit]))
    };
    assert!(wants(50_000, 100_000, "dead_tuples=20%"));
    assert!(!wants(49_999, 10, "dead_tuples=20%"), "a small table");
    assert!(!wants(50_000, 200_000, "dead_tuples=20%"));
    assert!(!wants(50_000, 100_000, "dead_tuples=none"));
}

#[test]
fn dead_rows_are_left_to_a_vacuum_that_is_at_work() {
    let mut signals = quiet();
    signals.dead = Some(Dead { dead: 60_000, live: 90_000 });
    assert!(signals.wants_vacuum(&limits(&[])));
    signals.vacuum = Some(Vacuum { wraparound: false, seen: ago(1, String::new()) });
    assert!(!signals.wants_vacuum(&limits(&[])));
}

#[test]
fn outside_the_hours_for_work_it_is_closed() {
    let mut signals = quiet();
    signals.minute = 21 * 60 + 59;
    let off = "window: it is 21:59, and the hours for work are 22:00-06:00; opens: at 22:00";
    assert_eq!(told(&signals, &["off_peak=22:00-06:00"]), [off]);
    signals.minute += 1;
    assert_eq!(told(&signals, &["off_peak=22:00-06:00"]), [""; 0]);
}

#[test]
fn a_standby_is_closed_whatever_else_is_seen_there() {
    let mut signals = quiet();
    signals.standby = true;
    signals.unarchived = 99;
    let only = "standby: the server is a standby and takes no writes; opens: when it is promoted";
    assert_eq!(told(&signals, &["unknown=warn"]), [only]);
}
