use migrate_macros::{Migration, Migrations};
use migrate_postgres::BoxError;
use sqlx::PgConnection;

async fn run(_connection: &mut PgConnection) -> Result<(), BoxError> {
    Ok(())
}

#[derive(Migration)]
struct Nothing;

#[derive(Migration)]
#[migration(version = 1, irreversible = "it is the first")]
struct NoWork;

#[derive(Migration)]
#[migration(up = "fixtures/alone/fill_names.sql", down = "fixtures/alone/fill_names.down.sql")]
struct NoVersion;

#[derive(Migration)]
#[migration(version = 1, up = "fixtures/alone/fill_names.sql", run = run, irreversible = "")]
struct Both;

#[derive(Migration)]
#[migration(version = "1", phase = "contrct", run = "run", undo = 3, revision = -1, transaction = 1)]
struct Types;

#[derive(Migration)]
#[migration(version = 1, run = run, undo = run, irreversible = "x", tranaction = true)]
struct Ways;

#[derive(Migration)]
#[migration(version = 1, run = run, down = "fixtures/alone/fill_names.down.sql")]
struct DownOfCode;

#[derive(Migration)]
#[migration(version = 1, up = "fixtures/alone/fill_names.sql", undo = run, transaction = true, revision = 2)]
struct UndoOfSql;

#[derive(Migration)]
#[migration(version = 99999999999999999999, run = run, irreversible = "x", after = "soon", lock_timeout = "2 weeks")]
struct Numbers;

#[derive(Migration)]
#[migration(version = 1, run = run, irreversible = " ")]
struct Generic<T>(T);

#[derive(Migration)]
#[migration(version = 1, up = "fixtures/alone/broken.sql", down = "fixtures/alone/absent.sql")]
struct Absent;

#[derive(Migration)]
#[migration(version = 1, run = run, backfill = "users", undo = run)]
struct Backfill;

#[derive(Migration)]
#[migration(version = 1, run = run, verify = "true", irreversible = "x")]
struct VerifyOfNothing;

#[derive(Migration)]
#[migration(version = 1, up = "fixtures/alone/broken.sql", irreversible = "x")]
struct Broken;

// None of them is complained of a second time here.
#[derive(Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore", build_script = "ignore", code(Nothing, Broken))]
struct AppMigrations;

fn main() {}
