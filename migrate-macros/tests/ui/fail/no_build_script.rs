#![deny(deprecated)]

use migrate_macros::{Migrations, embed};
use migrate_postgres::Embedded;

#[derive(Migrations)]
#[migrations(dir = "fixtures/library", down = "ignore")]
struct AppMigrations;

static MIGRATIONS: Embedded = embed!("fixtures/library", down = "ignore");

fn main() {}
