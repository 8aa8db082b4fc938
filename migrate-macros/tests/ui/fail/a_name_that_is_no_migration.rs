use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/no_name", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
