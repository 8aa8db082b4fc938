#![deny(warnings)]

use migrate_macros::embed;
use migrate_postgres::{Embedded, Migrations as _};

static MIGRATIONS: Embedded = embed!("fixtures/library", down = "ignore", build_script = "ignore");
const CONSTANT: Embedded = embed!("fixtures/library", down = "ignore", build_script = "ignore",);

fn main() {
    assert_eq!(MIGRATIONS.folder.packed.unpack().unwrap().len(), 6);
    assert_eq!(MIGRATIONS.folder.files.len(), 9);
    assert!(MIGRATIONS.folder.on_disk.unwrap().ends_with("fixtures/library"));
    assert_eq!(format!("{:?}", MIGRATIONS.source()), format!("{:?}", CONSTANT.source()));
}
