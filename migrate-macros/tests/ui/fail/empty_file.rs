use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/empty_file", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
