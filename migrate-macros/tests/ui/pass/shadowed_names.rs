// What the application calls its own does not reach the table.
#![allow(dead_code, unused_macros)]

use migrate_macros::{Migration, Migrations};

#[derive(Debug)]
enum Option { Some, None }
struct Result;
struct String;
mod core {}
mod std {}
mod migrate_core {}
macro_rules! include_str { () => {} }
macro_rules! concat { () => {} }
const FOLDER: u8 = 0;
const ROWS: u8 = 0;

async fn run(_connection: &mut sqlx::PgConnection) -> ::core::result::Result<(), sqlx::Error> {
    Ok(())
}

#[derive(Migration)]
#[migration(version = 1, run = run, undo = run)]
struct A;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore", build_script = "ignore", code(A))]
struct AppMigrations;

fn main() {}
