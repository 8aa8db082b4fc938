//! Which lock a statement takes on which relation, and whether it reads or writes all rows.
//!
//! Owns the table of PostgreSQL's locks, as measured on real servers. Judges nothing.

pub mod conversion;

/// A lock on a relation, from the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mode {
    AccessShare,
    RowShare,
    RowExclusive,
    ShareUpdateExclusive,
    Share,
    ShareRowExclusive,
    Exclusive,
    AccessExclusive,
}
