//! Folders that work under sqlx work as they are.

use migrate_postgres::Version;

use crate::harness::{Database, Folder};

#[tokio::test]
async fn what_works_under_sqlx_works_as_it_is() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[
        ("0_setup.sql", "CREATE TABLE users (id bigint);"),
        ("1_name.up.sql", "ALTER TABLE users ADD name text;"),
        ("1_name.down.sql", "-- Add down migration script here\n"),
        (
            "2_index.up.sql",
            "-- no-transaction: nobody waits\nCREATE INDEX CONCURRENTLY i ON users (id);",
        ),
        ("2_drop_index.down.sql", "-- no-transaction\nDROP INDEX CONCURRENTLY i;"),
    ]);
    let pool = database.pool().await;
    let migrator = folder.migrator();
    let report = migrator.run(&pool).await.unwrap();
    assert_eq!(report.applied.len(), 3, "{report}");
    let report = migrator.revert(&pool, Some(Version::new(0))).await.unwrap();
    assert_eq!(report.applied.len(), 2, "{report}");
    assert_eq!(database.value("SELECT to_regclass('i') IS NULL").await, "true");
    let column =
        "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attname = 'name'";
    assert_eq!(database.value(column).await, "1", "an empty way back takes nothing back");
}

#[tokio::test]
async fn a_transaction_that_a_file_opens_is_one_unit() {
    let database = Database::fresh().await;
    let block = "BEGIN;\nCREATE TABLE a ();\nSELECT missing;\nCOMMIT;\n";
    let text = format!("-- no-transaction\nCREATE TABLE first ();\n{block}CREATE TABLE last ();");
    let folder = Folder::of(&[("1_a.sql", &text)]);
    let pool = database.pool().await;
    let error = folder.migrator().run(&pool).await.unwrap_err();
    assert!(error.to_string().contains("1_a.sql:5:"), "{error}");
    assert!(database.has_table("first").await && !database.has_table("a").await);
    folder.write("1_a.sql", &text.replace("missing", "1"));
    folder.migrator().run(&pool).await.unwrap();
    assert!(database.has_table("a").await && database.has_table("last").await);
    let history = database.history().await;
    let done: Vec<_> = history.iter().filter(|row| row.ends_with("up done 2")).collect();
    assert_eq!(done.len(), 1, "{history:?}");
}
