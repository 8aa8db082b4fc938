//! The command line as it is used: real programs, real databases, exit codes and output.
//!
//! The programs are the examples of this package, which `cargo test` builds.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its harness too"
)]

mod adopt;
mod back;
mod contract;
mod filling;
mod forward;
mod harness;
mod init;
mod lint;
mod lint_db;
mod lint_fix;
mod output;
mod project;
mod records;
mod rehearse;
mod rust;
mod secrets;
mod switch;
mod terminal;
mod watching;
