// The compiler reads the SQL: what is released is not judged, all that is wrong with the rest is told at once.
use migrate_macros::Migrations;
use migrate_postgres::Migrations as _;

#[derive(Migrations)]
#[migrations(dir = "fixtures/reviewed", released = "1", build_script = "ignore")]
struct AppMigrations;

fn main() {
    let _ = AppMigrations.source();
}
