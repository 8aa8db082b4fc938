// The table makes no noise, whatever the lints.
#![deny(warnings, unused, unused_qualifications, missing_docs, missing_debug_implementations)]
#![forbid(unsafe_code)]

//! An application.

use migrate_macros::{Migration, Migrations};
use migrate_postgres::{BoxError, Migrations as _};
use sqlx::PgConnection;

mod other {
    use super::*;

    async fn run(_connection: &mut PgConnection) -> Result<(), BoxError> {
        Ok(())
    }

    #[derive(Debug, Migration)]
    #[migration(version = 20261125000000, run = run, undo = run)]
    pub struct Thing;
}

#[derive(Debug, Migration)]
#[migration(version = 20261124000001, up = "fixtures/alone/waits.sql", irreversible = "x")]
struct Waits;

#[derive(Debug, Migrations)]
#[migrations(dir = "fixtures/library/", down = "ignore")]
#[migrations(build_script = "ignore", code(Waits, other::Thing,))]
struct AppMigrations;

/// Parameters.
#[derive(Debug, Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore", build_script = "ignore")]
pub enum Generic<'a, T: Clone>
where
    T: Copy,
{
    /// One.
    _One(&'a T),
}

fn main() {
    let told = format!("{:?}", AppMigrations.source());
    assert!(told.contains("20261124000001 expand waits") && told.contains("20261125000000 expand thing"), "{told}");
    assert!(told.contains("migrate-macros-tests 0.0.0"), "{told}");
}
