use migrate_macros::{Migrations, embed};
use migrate_postgres::{Embedded, Migrations as _};

#[derive(Migrations)]
#[migrations(dir = "fixtures/released", down = "ignore", build_script = "ignore")]
struct InTheFile;

static HERE: Embedded =
    embed!("fixtures/library", down = "ignore", build_script = "ignore", released = "20261121093000");

fn main() {
    assert_eq!(InTheFile.source().set().unwrap().len(), 1);
    assert!(HERE.source().set().is_ok());
}
