use migrate_macros::Migrations;

#[derive(Migrations)]
#[migrations(dir = "fixtures/quote/1_users.sql", down = "ignore", build_script = "ignore")]
struct AppMigrations;

fn main() {}
