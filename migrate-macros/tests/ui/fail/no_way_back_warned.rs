// A warning by default, which `-D warnings` makes an error.
#![deny(deprecated)]

use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/no_way_back", build_script = "ignore")]
struct AppMigrations;

fn main() {}
