//! What PostgreSQL's parser says that somebody made a library of. Compiled in with the feature `pg_query` only.

use crate::verdict::Verdict;

/// `None` without the feature.
#[cfg(not(feature = "pg_query"))]
pub(crate) fn verdict(_text: &str) -> Option<Verdict> {
    None
}

/// It has no place to tell, and the words are the server's.
#[cfg(feature = "pg_query")]
pub(crate) fn verdict(text: &str) -> Option<Verdict> {
    Some(match pg_query::parse(text, 0) {
        Ok(_) => Verdict::Fine,
        Err(error) => Verdict::refused(None, error.to_string()),
    })
}
