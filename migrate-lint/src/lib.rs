//! Understands the SQL of migrations: parses it, replays the schema, judges what a statement does to a live
//! database.
//!
//! It runs at compile time and on the command line only, never in the user's binary. [`judge`] takes the
//! migrations of a folder in order, with the [`Facts`] that a project and the runner know, and gives the
//! [`Finding`]s of the [`rules`]. [`mistake`] says of one statement whether it is SQL.

mod allow;
mod facts;
mod finding;
mod fix;
mod judge;
mod live;
mod locks;
mod name;
mod parse;
mod read;
pub mod report;
pub mod rules;
mod schema;
mod statement;
mod verdict;

pub use facts::Facts;
pub use finding::{Finding, Level, NotALevel};
pub use fix::{Edit, Fix, Fixed, NewFile, fix};
pub use judge::{Judgement, judge, judge_each};
pub use live::{LiveColumn, LiveTable, judge_live};
pub use name::Name;
pub use parse::{Mistake, mistake};
pub use verdict::{Asked, Refusal, statements, with_verdicts};

#[cfg(test)]
mod tests;
