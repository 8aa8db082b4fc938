//! What the macro embeds is what a program reads that opens the folder when it runs.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a test that fails")]

use migrate_core::source::{File, WayBack, read};
use migrate_core::{Checksum, Down, Migration as _, MigrationId, Phase, Step, Version};
use migrate_macros::{Migration, Migrations, embed};
use migrate_postgres::{BoxError, Embedded, Migrations as _};
use sqlx::PgConnection;

static LIBRARY: Embedded =
    embed!("tests/fixtures/library", down = "ignore", build_script = "ignore");

#[derive(Migrations)]
#[migrations(dir = "tests/fixtures/library", down = "ignore", build_script = "ignore")]
struct Library;

fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap();
    let name = |entry: std::fs::DirEntry| entry.file_name().into_string().unwrap();
    entries
        .map(|entry| name(entry.unwrap()))
        .map(|name| format!("{folder}/{name}"))
        .map(|path| (path.clone(), std::fs::read(path).unwrap()))
        .collect()
}

#[test]
fn the_table_is_what_the_folder_holds() {
    let files = files("tests/fixtures/library");
    let files: Vec<_> = files.iter().map(|(path, bytes)| File { path, bytes }).collect();
    let contents = read("tests/fixtures/library", &files, WayBack::Ignore);
    assert_eq!(contents.problems, []);
    assert_eq!(LIBRARY.folder.packed.unpack().unwrap(), contents.migrations);
    assert_eq!(contents.migrations.len(), 6);

    let migrations = contents.migrations.iter();
    let digest = migrate_core::digest(migrations.map(|m| m as &dyn migrate_core::Migration));
    assert_eq!(LIBRARY.folder.digest, digest);
}

#[test]
fn what_statements_lock_stands_beside_them() {
    let targets = LIBRARY.folder.targets().expect("the linter was asked");
    let migrations = LIBRARY.folder.packed.unpack().unwrap();
    let shown = targets.iter().map(|targets| {
        let script =
            migrations.iter().find(|m| m.id == targets.migration).unwrap().up.script().unwrap();
        let statement = script.statements.iter().find(|s| s.start == targets.offset).unwrap();
        let words: Vec<_> = script.statement(statement).split(' ').take(2).collect();
        let locks =
            targets.locks.iter().map(|lock| format!("{} {}", lock.relation, lock.mode.as_sql()));
        format!("{}: {}", words.join(" "), locks.collect::<Vec<_>>().join(", "))
    });
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            "alter table: public.readers ACCESS EXCLUSIVE",
            "alter table: public.readers ACCESS EXCLUSIVE",
            "update readers: public.readers ROW EXCLUSIVE",
            "alter table: public.readers ACCESS EXCLUSIVE",
            "create index: public.readers SHARE UPDATE EXCLUSIVE",
        ]
    );
}

#[test]
fn statements_stand_where_the_table_says() {
    let migrations = LIBRARY.folder.packed.unpack().unwrap();
    let statements = migrations.iter().flat_map(|migration| {
        let script = migration.up.script().unwrap();
        let texts = script.statements.iter().map(|s| script.statement(s));
        texts.map(|text| text.split(' ').next().unwrap_or_default())
    });
    let words: Vec<_> = statements.collect();
    assert_eq!(
        words,
        ["create", "comment", "alter", "alter", "update", "alter", "create", "create"]
    );
}

#[test]
fn it_knows_where_it_is_from() {
    assert_eq!(LIBRARY.folder.path, "tests/fixtures/library");
    assert_eq!(LIBRARY.folder.files.len(), 9);
    assert!(LIBRARY.folder.files.iter().all(|name| name.ends_with(".sql")));
    assert_eq!(LIBRARY.build, concat!("migrate-macros ", env!("CARGO_PKG_VERSION")));
    let on_disk = LIBRARY.folder.on_disk.unwrap();
    assert!(std::path::Path::new(on_disk).is_dir(), "{on_disk}");
}

#[test]
fn the_derive_and_the_expression_are_the_same() {
    let [derived, embedded] = [Library.source(), LIBRARY.source()];
    assert_eq!(format!("{derived:?}"), format!("{embedded:?}"));
}

async fn fill(_connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    Ok(())
}

async fn empty(_connection: &mut PgConnection) -> Result<(), BoxError> {
    Ok(())
}

#[derive(Migration)]
#[migration(version = 7, run = fill, irreversible = "nobody knows what was there")]
struct FillNames;

#[derive(Migration)]
#[migration(
    version = 20_261_125_000_000,
    phase = "migrate",
    name = "names",
    run = self::fill,
    undo = empty,
    revision = 3,
    transaction = true,
    after = "7 contract",
    lock_timeout = "250ms"
)]
struct FillNamesAgain;

#[test]
fn code_is_an_identity_and_a_revision() {
    assert_eq!(FillNames.id(), MigrationId::new(Version::new(7), Phase::Expand));
    assert_eq!(FillNames.name(), "fill_names");
    assert_eq!(FillNames.checksum(), Checksum::of_code(1));
    assert_eq!(FillNames.down(), Down::Irreversible("nobody knows what was there"));

    let code = Step::Code(migrate_core::Code { revision: 3, transaction: true });
    assert_eq!(FillNamesAgain.phase(), Phase::Migrate);
    assert_eq!(FillNamesAgain.name(), "names");
    assert_eq!(FillNamesAgain.checksum(), Checksum::of_code(3));
    assert_eq!(FillNamesAgain.up(), std::slice::from_ref(&code));
    assert_eq!(FillNamesAgain.down(), Down::Steps(&[code]));
    assert_eq!(FillNamesAgain.after(), [MigrationId::new(Version::new(7), Phase::Contract)]);
    assert_eq!(FillNamesAgain.lock_timeout().unwrap().as_millis(), 250);
}

#[derive(Migration)]
#[migration(
    version = 8,
    phase = "contract",
    up = "tests/fixtures/alone/fill_names.sql",
    down = "tests/fixtures/alone/fill_names.down.sql"
)]
struct FillNamesBySql;

#[test]
fn a_file_alone_is_what_it_would_be_in_a_folder() {
    let up = "update readers set name = '' where name is null;\n";
    let script = FillNamesBySql.up()[0].script().unwrap();
    assert_eq!(script.file, "tests/fixtures/alone/fill_names.sql");
    assert_eq!((&*script.text, script.statements.len()), (up, 1));
    assert_eq!(FillNamesBySql.checksum(), Checksum::of_migration(&Default::default(), up));
    assert_eq!(FillNamesBySql.name(), "fill_names_by_sql");
    let Down::Steps([Step::Transaction(down)]) = FillNamesBySql.down() else {
        panic!("{:?}", FillNamesBySql.down());
    };
    assert_eq!(down.file, "tests/fixtures/alone/fill_names.down.sql");
}
