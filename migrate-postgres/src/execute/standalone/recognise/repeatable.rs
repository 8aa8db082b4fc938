//! What may be done twice: nothing has to be known of it.

use migrate_core::sql::classify::may_be_repeated;

use super::Traces;

pub(super) fn traces(statement: &str) -> Option<Traces> {
    may_be_repeated(statement).then_some(Traces { look: None, litters: false, yields: false })
}
