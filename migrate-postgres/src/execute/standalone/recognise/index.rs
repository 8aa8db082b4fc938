//! Indexes that are built or dropped concurrently. A build that broke leaves an invalid index under its name.

use migrate_core::sql::classify::{ConcurrentIndex, concurrent_index};

use super::{Traces, shown};
use crate::sql::literal;

const BUILT: &str = include_str!("../../../sql/traces/index_built.sql");
const DROPPED: &str = include_str!("../../../sql/traces/index_dropped.sql");

/// One without a name of its own cannot be told from others.
pub(super) fn built(statement: &str) -> Option<Traces> {
    let ConcurrentIndex::Create { index: Some(index), table, if_not_exists, .. } =
        concurrent_index(statement)?
    else {
        return None;
    };
    let values = [("table", shown(&table)), ("index", literal(&index.name))];
    let traces = Traces::by(BUILT, &values);
    Some(Traces { litters: true, yields: if_not_exists, ..traces })
}

pub(super) fn dropped(statement: &str) -> Option<Traces> {
    let ConcurrentIndex::Drop { indexes, .. } = concurrent_index(statement)? else { return None };
    let indexes: Vec<_> = indexes.iter().map(shown).collect();
    Some(Traces::by(DROPPED, &[("indexes", indexes.join(", "))]))
}
