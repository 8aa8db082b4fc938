//! The migration written in Rust, with rows that were there before it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "to panic is how a test says no")]

use code::AppMigrations;
use migrate_postgres::Version;
use migrate_testing::TestDatabase;

const BEFORE_SLUGS: Version = Version::new(20261105090000);

async fn slugs(db: &TestDatabase) -> Vec<String> {
    let slugs = sqlx::query_scalar("SELECT slug FROM articles ORDER BY id");
    slugs.fetch_all(db.pool()).await.unwrap()
}

#[migrate_testing::test(AppMigrations, up_to = 20261105090000)]
async fn articles_that_were_there_get_their_address(db: TestDatabase) {
    let insert =
        "INSERT INTO articles (title) VALUES ('Hello, World!'), ('Hello -- world'), ('Öl')";
    sqlx::query(insert).execute(db.pool()).await.unwrap();
    let report = db.migrate_on().await.unwrap();
    let names: Vec<_> = report.applied.iter().map(|applied| applied.name.as_str()).collect();
    assert_eq!(names, ["add_slug", "fill_slugs", "slug_is_unique"]);
    assert_eq!(slugs(&db).await, ["hello-world-1", "hello-world-2", "öl-3"]);
}

#[migrate_testing::test(AppMigrations)]
async fn it_can_be_taken_back_and_done_again(db: TestDatabase) {
    let insert = "INSERT INTO articles (title, slug) VALUES ('Hello', 'a-name-of-its-own')";
    sqlx::query(insert).execute(db.pool()).await.unwrap();
    let migrator = db.migrator().unwrap();
    let back = migrator.revert(db.pool(), Some(BEFORE_SLUGS)).await.unwrap();
    assert_eq!(back.applied.len(), 3, "{back}");
    let columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'articles'::regclass AND attname = 'slug'";
    let columns: i64 = sqlx::query_scalar(columns).fetch_one(db.pool()).await.unwrap();
    assert_eq!(columns, 0);
    migrator.run(db.pool()).await.unwrap();
    assert_eq!(slugs(&db).await, ["hello-1"]);
}

#[migrate_testing::test(AppMigrations, up_to = 20261112101500)]
async fn the_undo_alone_leaves_the_column_empty(db: TestDatabase) {
    let insert = "INSERT INTO articles (title) VALUES ('Hello')";
    sqlx::query(insert).execute(db.pool()).await.unwrap();
    db.migrate_on().await.unwrap();
    let migrator = db.migrator().unwrap();
    migrator.revert(db.pool(), Some(Version::new(20261112101500))).await.unwrap();
    let empty: bool =
        sqlx::query_scalar("SELECT slug IS NULL FROM articles").fetch_one(db.pool()).await.unwrap();
    assert!(empty);
}

/// `cargo run --example code`, which any `cargo test` without names of targets has built.
#[test]
fn the_example_runs_from_beginning_to_end() {
    let mut program = std::env::current_exe().expect("this program");
    program.pop();
    program.pop();
    let output =
        std::process::Command::new(program.join("examples/code")).output().expect("the example");
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}{}", String::from_utf8_lossy(&output.stderr));
    assert!(
        told.contains("/öl-und-wasser-2") && told.contains("reverted 20261112140000"),
        "{told}"
    );
}
