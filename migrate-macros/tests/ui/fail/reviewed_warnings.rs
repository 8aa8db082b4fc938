// Some hazards are warnings; who denies deprecated things denies those too.
#![deny(deprecated)]

use migrate_macros::Migrations;
use migrate_postgres::Migrations as _;

#[derive(Migrations)]
#[migrations(dir = "fixtures/reviewed_warnings", build_script = "ignore")]
struct AppMigrations;

fn main() {
    let _ = AppMigrations.source();
}
