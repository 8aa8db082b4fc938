// What the project knows silences what the linter would say: a reason, a small table, a table of others.
#![deny(warnings)]

use migrate_macros::Migrations;
use migrate_postgres::Migrations as _;

#[derive(Migrations)]
#[migrations(dir = "fixtures/reviewed_allowed", build_script = "ignore")]
struct AppMigrations;

fn main() {
    let folder = AppMigrations.source();
    drop(folder);
}
