#![deny(warnings)]
#![allow(deprecated)]

use migrate_macros::{Migration, Migrations, embed};
use migrate_postgres::Embedded;

#[derive(Migrations)]
#[migrations(dir = "fixtures/no_way_back")]
struct AppMigrations;

#[derive(Migration)]
#[migration(version = 3, up = "fixtures/alone/fill_names.sql")]
struct FillNames;

static MIGRATIONS: Embedded = embed!("fixtures/no_way_back");

fn main() {}
