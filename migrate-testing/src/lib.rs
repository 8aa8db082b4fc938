//! A throwaway PostgreSQL for the tests of migrations.
//!
//! [`Server::shared`] finds the PostgreSQL that is installed on this machine, starts a cluster of
//! its own with it (in memory where there is room, on a Unix socket, as an ordinary user even when
//! the tests run as root) and lends the same server to every test process that asks. When the
//! last of them is gone, be it by `kill -9`, the server goes too, and its directory with it.
//! [`Server::private`] gives a test a server that it may stop, freeze and kill.
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let server = migrate_testing::Server::shared()?;
//! println!("psql '{}'", server.url("postgres"));
//! # Ok(()) }
//! ```
//!
//! # The environment
//!
//! | variable | meaning |
//! | --- | --- |
//! | `TEST_DATABASE_URL` | use this server and start none; see [`Server::from_url`] |
//! | `MIGRATE_PG_BIN` | the directory that holds `initdb` and `postgres`; nothing else is looked at |
//! | `MIGRATE_PG_DIR` | where servers keep their data, instead of `/dev/shm` or the temp directory |
//! | `MIGRATE_PG_IDLE` | seconds that a shared server outlives its last user (10) |
//! | `MIGRATE_PG=forbid` | never start a server: only `TEST_DATABASE_URL` will do |
//!
//! `DATABASE_URL` is deliberately not among them. It tends to name the database that somebody
//! develops with, and a test that drops and creates things must be pointed there on purpose.

mod server;

pub use server::{Builder, PrivateServer, Server, ServerError};
