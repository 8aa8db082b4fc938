//! Constraints that are validated. Today they share a transaction with their row; earlier versions ran them by
//! themselves.

use migrate_core::sql::classify::{Validation, validation};

use super::{Traces, shown};
use crate::sql::literal;

const LOOK: &str = include_str!("../../../sql/traces/validation.sql");

pub(super) fn traces(statement: &str) -> Option<Traces> {
    let Validation { table, constraint } = validation(statement)?;
    let values = [("table", shown(&table)), ("constraint", literal(&constraint))];
    Some(Traces::by(LOOK, &values))
}
