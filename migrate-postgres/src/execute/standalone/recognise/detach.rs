//! Partitions that are detached concurrently, in two transactions: between them a partition is half detached, and
//! another statement finishes it.

use migrate_core::sql::classify::{ConcurrentDetach, concurrent_detach};

use super::{Traces, shown};

const LOOK: &str = include_str!("../../../sql/traces/detach.sql");

pub(super) fn traces(statement: &str) -> Option<Traces> {
    let ConcurrentDetach { table, partition } = concurrent_detach(statement)?;
    let traces = Traces::by(LOOK, &[("table", shown(&table)), ("partition", shown(&partition))]);
    Some(Traces { litters: true, ..traces })
}
