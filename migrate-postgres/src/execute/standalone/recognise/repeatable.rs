//! What may be done twice: the second time changes nothing that the first did not.

use migrate_core::sql::classify::{begins_with, is_setting};

use super::Traces;

const REPEATABLE: [&str; 7] = [
    "VACUUM",
    "ANALYZE",
    "ANALYSE",
    "CHECKPOINT",
    "CLUSTER",
    "ALTER SYSTEM",
    "REFRESH MATERIALIZED VIEW",
];

pub(super) fn traces(statement: &str) -> Option<Traces> {
    let may = is_setting(statement) || REPEATABLE.iter().any(|words| begins_with(statement, words));
    may.then_some(Traces { look: None, litters: false, yields: false })
}
