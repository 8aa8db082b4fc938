//! What a run comes to in numbers, for whoever collects them with the `metrics` facade.
//!
//! Owns the names, which are a promise, and which event changes which number. Fed by the events alone.

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};

use crate::observe::Event;

const APPLIED: &str = "migrate_applied_total";
const FAILED: &str = "migrate_failed_total";
const TOOK: &str = "migrate_migration_seconds";
const LOCK_WAIT: &str = "migrate_lock_wait_seconds";
const LOCK_HELD: &str = "migrate_lock_held_seconds";
const RETRIES: &str = "migrate_retries_total";
const BLOCKED: &str = "migrate_blocked_seconds";
const WAITING: &str = "migrate_waiting_sessions";
const PROGRESS: &str = "migrate_progress_ratio";

/// Changes what an event changes.
pub(crate) fn measure(event: &Event<'_>) {
    match event {
        Event::Planned { .. } => describe(),
        Event::Blocked { waited, .. } => gauge!(BLOCKED).set(waited.as_secs_f64()),
        Event::Queueing { .. } => gauge!(BLOCKED).set(0.0),
        Event::Locked { waited, held, .. } => {
            histogram!(LOCK_WAIT).record(waited.as_secs_f64());
            histogram!(LOCK_HELD).record(held.as_secs_f64());
            gauge!(WAITING).set(0.0);
        }
        Event::Retrying { sqlstate, .. } => {
            counter!(RETRIES, "sqlstate" => (*sqlstate).to_owned()).increment(1);
            gauge!(WAITING).set(0.0);
        }
        Event::Working { progress, waiting, .. } => {
            gauge!(WAITING).set(u32::try_from(*waiting).unwrap_or(u32::MAX));
            let counted = progress.and_then(|progress| progress.counted.as_ref());
            gauge!(PROGRESS).set(counted.and_then(|counted| counted.ratio()).unwrap_or(0.0));
        }
        Event::Done { direction, took, .. } => {
            counter!(APPLIED, "direction" => direction.to_string()).increment(1);
            histogram!(TOOK, "direction" => direction.to_string()).record(took.as_secs_f64());
            at_rest();
        }
        Event::Failed { error } => {
            let sqlstate = error.sqlstate().unwrap_or_default().to_owned();
            counter!(FAILED, "sqlstate" => sqlstate).increment(1);
            at_rest();
        }
        _ => {}
    }
}

/// Nothing runs: nobody is in the way, and nobody waits.
fn at_rest() {
    [BLOCKED, WAITING, PROGRESS].into_iter().for_each(|name| gauge!(name).set(0.0));
}

fn describe() {
    describe_counter!(APPLIED, Unit::Count, "Migrations applied or taken back");
    describe_counter!(FAILED, Unit::Count, "Runs that ended with an error");
    describe_histogram!(TOOK, Unit::Seconds, "A migration, with its waits");
    describe_histogram!(LOCK_WAIT, Unit::Seconds, "From asking for locks to having them");
    describe_histogram!(
        LOCK_HELD,
        Unit::Seconds,
        "From having locks to the end of the transaction"
    );
    describe_counter!(
        RETRIES,
        Unit::Count,
        "Attempts that were refused a lock or broken as a deadlock"
    );
    describe_gauge!(
        BLOCKED,
        Unit::Seconds,
        "Since when others are in the way of the present migration"
    );
    describe_gauge!(WAITING, Unit::Count, "Sessions that wait behind the present migration");
    describe_gauge!(PROGRESS, "Which part of its present phase is done");
}
