//! Databases, tablespaces and subscriptions that are made or dropped: they are there, or they are not.

use migrate_core::sql::classify::{Whole, whole};

use super::Traces;
use crate::sql::literal;

const LOOK: &str = include_str!("../../../sql/traces/whole.sql");

pub(super) fn traces(statement: &str) -> Option<Traces> {
    let Whole { kind, name, made } = whole(statement)?;
    let values = [("kind", literal(kind)), ("name", literal(&name)), ("made", made.to_string())];
    Some(Traces::by(LOOK, &values))
}
