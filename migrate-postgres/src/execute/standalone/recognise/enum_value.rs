//! Labels that are added to an enum. Today they share a transaction with their row; earlier versions ran them by
//! themselves.

use migrate_core::sql::classify::{AddedValue, added_value};

use super::{Traces, shown};
use crate::sql::literal;

const LOOK: &str = include_str!("../../../sql/traces/enum_value.sql");

pub(super) fn traces(statement: &str) -> Option<Traces> {
    let AddedValue { enumeration, label } = added_value(statement)?;
    let values = [("enumeration", shown(&enumeration)), ("label", literal(&label))];
    Some(Traces::by(LOOK, &values))
}
