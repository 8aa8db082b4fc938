use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/not_utf8", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
