//! The linter against real servers: what it says of a statement, and the examples of its rules.
// To panic is how a test says no, also in what it is helped by.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod case;
mod cases;
mod examples;
mod golden;
mod lab;
mod linter;
mod locks;
mod seen;
