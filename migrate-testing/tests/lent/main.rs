//! What tests borrow: servers and databases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "helpers of tests"
)]

mod attribute;
mod databases;
mod processes;
mod servers;
