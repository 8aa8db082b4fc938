use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/no_way_back", down = "require", build_script = "ignore")]
struct AppMigrations;

fn main() {}
