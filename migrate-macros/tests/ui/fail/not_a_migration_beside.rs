use migrate_macros::Migrations;

struct FillNames;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore", build_script = "ignore", code(FillNames))]
struct AppMigrations;

fn main() {}
