//! Indexes that are built anew. It can always be done again; a concurrent one that broke leaves invalid indexes
//! beside the old ones, with `_ccnew` or `_ccold` and perhaps a number behind their names.

use migrate_core::sql::classify::{Reindex, reindex};

use super::{Traces, shown};
use crate::sql::literal;

const LOOK: &str = include_str!("../../../sql/traces/reindex.sql");

pub(super) fn traces(statement: &str) -> Option<Traces> {
    let Reindex { target, name } = reindex(statement)?;
    let schema = name.as_ref().map(|name| literal(&name.name));
    let name = name.as_ref().map(shown);
    let none = || "NULL".to_owned();
    let values = [
        ("target", literal(target)),
        ("name", name.unwrap_or_else(none)),
        ("schema", schema.unwrap_or_else(none)),
    ];
    let traces = Traces::by(LOOK, &values);
    Some(Traces { litters: true, ..traces })
}
