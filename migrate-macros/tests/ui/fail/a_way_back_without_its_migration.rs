use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/down_alone", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
