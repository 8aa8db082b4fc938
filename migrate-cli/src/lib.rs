//! The command line of a project's migrations, as a library: its own xtask, or a binary of the application,
//! is the program.
//!
//! An xtask names the folder and does not depend on the application, so that `new`, `plan` and `status` work
//! while the application does not compile:
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     migrate_cli::folder("migrations").main()
//! }
//! ```
//!
//! An application that has migrations in Rust brings a binary that has them too:
//!
//! ```no_run
//! # use migrate_postgres::{Migrations, Source};
//! # struct AppMigrations;
//! # impl Migrations for AppMigrations {
//! #     fn source(&self) -> Source { unreachable!() }
//! # }
//! fn main() -> std::process::ExitCode {
//!     migrate_cli::embedded(AppMigrations).main()
//! }
//! ```
//!
//! Results go to stdout (as one JSON object with `--json`), everything else to stderr; on a terminal a run has a
//! progress bar. The database is named by `--database-url`, else `DATABASE_URL`, else the nearest `.env`; its
//! password is never printed.
//!
//! # Exit codes
//!
#![doc = include_str!("exit_codes.md")]

mod args;
mod command_line;
mod commands;
mod context;
mod exit;
mod folder;
mod git;
mod render;
mod secret;
mod server;
mod url;
mod workspace;

pub use command_line::{CommandLine, embedded, folder};
