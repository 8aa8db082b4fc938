//! What `#[migrate_testing::test]` calls: a runtime, a database, and the test with it.
//!
//! Owns which arguments and results a test may have. It must not know how the attribute is written.

use std::future::Future;
use std::process::ExitCode;

use migrate_postgres::MigrationId;
use sqlx::postgres::PgPool;

use crate::{DatabaseBuilder, TestDatabase};

pub use migrate_postgres::{Phase, Version};

/// What a test may ask for.
pub trait Argument {
    /// Made of the test's database.
    fn of(db: &TestDatabase) -> Self;
}

impl Argument for TestDatabase {
    fn of(db: &TestDatabase) -> TestDatabase {
        db.share()
    }
}

impl Argument for PgPool {
    fn of(db: &TestDatabase) -> PgPool {
        db.pool().clone()
    }
}

/// What a test may return; one that fails keeps its database.
pub trait Outcome {
    /// Whether the test passed.
    fn passed(&self) -> bool;
}

impl Outcome for () {
    fn passed(&self) -> bool {
        true
    }
}

impl Outcome for ExitCode {
    fn passed(&self) -> bool {
        *self == ExitCode::SUCCESS
    }
}

impl<T: Outcome, E> Outcome for Result<T, E> {
    fn passed(&self) -> bool {
        self.as_ref().is_ok_and(Outcome::passed)
    }
}

/// Runs a test as `#[tokio::test]` does, with a database.
#[allow(clippy::panic, reason = "a test fails by panicking")]
pub fn run<A, F>(wish: DatabaseBuilder, test: impl FnOnce(A) -> F) -> F::Output
where
    A: Argument,
    F: Future<Output: Outcome>,
{
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => panic!("failed to start a runtime: {error}"),
    };
    runtime.block_on(async {
        let db = match wish.create().await {
            Ok(db) => db,
            Err(error) => panic!("{error}"),
        };
        let outcome = test(A::of(&db)).await;
        if !outcome.passed() {
            db.keep();
        }
        outcome
    })
}

/// A database without migrations.
pub fn empty() -> DatabaseBuilder {
    DatabaseBuilder::default()
}

/// For `#[should_panic]`.
pub fn expendable(wish: DatabaseBuilder) -> DatabaseBuilder {
    wish.expendable()
}

/// `stop_before = 20261121093000 contract`
pub fn stop_before(wish: DatabaseBuilder, version: i64, phase: Phase) -> DatabaseBuilder {
    wish.stop_before(MigrationId::new(Version::new(version), phase))
}

/// `up_to = 20261121093000`
pub fn up_to(wish: DatabaseBuilder, version: i64) -> DatabaseBuilder {
    wish.up_to(Version::new(version))
}
