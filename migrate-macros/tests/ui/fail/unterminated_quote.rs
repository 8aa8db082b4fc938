use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/quote", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
