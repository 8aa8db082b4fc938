// Each file is told of, and nothing that follows from it: the type still is what it says.
use migrate_macros::Migrations;
use migrate_postgres::Migrations as _;

#[derive(Migrations)]
#[migrations(dir = "fixtures/everything", build_script = "ignore")]
struct AppMigrations;

fn main() {
    let _ = AppMigrations.source();
}
