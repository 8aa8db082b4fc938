//! How values of the library are written as data, where serde's own way would not do.
//!
//! Owns the forms. Knows none of the values that have them.

use std::time::Duration;

use migrate_core::{LockMode, MigrationId};
use serde::{Serialize, Serializer};

/// A duration: milliseconds, with a fraction.
pub(crate) fn milliseconds<S: Serializer>(
    duration: &Duration,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(duration.as_secs_f64() * 1e3)
}

/// One that may not be known.
pub(crate) fn milliseconds_if_known<S: Serializer>(
    duration: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => milliseconds(duration, serializer),
        None => serializer.serialize_none(),
    }
}

/// A lock: `ACCESS EXCLUSIVE`.
pub(crate) fn lock_mode<S: Serializer>(mode: &LockMode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(mode.as_sql())
}

/// Migrations, and why of each.
pub(crate) fn reasons<S: Serializer>(
    reasons: &[(MigrationId, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Reason<'r> {
        id: &'r MigrationId,
        why: &'r str,
    }
    serializer.collect_seq(reasons.iter().map(|(id, why)| Reason { id, why }))
}
