use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/begin", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
