#![deny(warnings)]

mod facade {
    pub use migrate_postgres as migrate;
}

use facade::migrate::Migrations as _;
use migrate_macros::{Migration, Migrations, embed};

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore", build_script = "ignore", crate = "crate::facade::migrate", code(FillNames))]
struct AppMigrations;

#[derive(Migration)]
#[migration(
    version = 20261125000000,
    phase = "migrate",
    name = "names",
    up = "fixtures/alone/fill_names.sql",
    down = "fixtures/alone/fill_names.down.sql",
    crate = "facade::migrate"
)]
struct FillNames;

fn main() {
    AppMigrations.source();
    embed!("fixtures/library", down = "ignore", build_script = "ignore", crate = "facade::migrate");
}
