//! What people tell the history: only what makes sense is written, and nothing else makes its tables.

use migrate_postgres::{MigrationId, Phase, Resolution, Version};

use crate::harness::{Database, Folder};

const A: (&str, &str) = ("5_a.sql", "CREATE TABLE a (id int);");

fn expand(version: i64) -> MigrationId {
    MigrationId::new(Version::new(version), Phase::Expand)
}

#[tokio::test]
async fn where_there_is_nothing_to_take_back_or_to_repair_no_table_is_made() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[A]));
    let pool = database.pool().await;
    assert!(folder.migrator().revert(&pool, None).await.unwrap().is_empty());
    assert_eq!(folder.migrator().repair(&pool).await.unwrap().len(), 0);
    assert!(!database.has_table("schema_migrations").await);
}

#[tokio::test]
async fn what_is_refused_makes_no_table() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[A]));
    let (pool, migrator) = (database.pool().await, folder.migrator());
    migrator.mark_applied(&pool, expand(9), "why").await.unwrap_err();
    migrator.resolve(&pool, expand(5), Resolution::Done).await.unwrap_err();
    migrator.baseline(&pool, Version::new(4)).await.unwrap_err();
    assert!(!database.has_table("schema_migrations").await);
    assert!(!database.has_table("schema_migrations_settled").await);
}

#[tokio::test]
async fn a_baseline_below_the_first_migration_says_so() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[A]));
    let pool = database.pool().await;
    let error = folder.migrator().baseline(&pool, Version::new(4)).await.unwrap_err().to_string();
    assert!(
        error.contains("nothing is declared up to 4; the first migration is 5 expand a"),
        "{error}"
    );
    assert!(error.contains("next: "), "{error}");
}

/// Code that was rolled back does not have it any more, and cannot say what is left to do.
#[tokio::test]
async fn a_migration_that_was_cut_short_is_resolved_by_the_program_that_has_it() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let two = "-- migrate: no-transaction\nCREATE TABLE b (id int);\n\
               DO $$ BEGIN CREATE TABLE c (id int); COMMIT; END $$;";
    let newer = Folder::of(&[A, ("6_b.sql", two)]);
    newer.migrator().run(&pool).await.unwrap();
    let left = "DELETE FROM schema_migrations WHERE seq > \
        (SELECT seq FROM schema_migrations WHERE state = 'started' AND statement = 2)";
    database.run(left).await;
    let older = Folder::of(&[A]).migrator();
    let error = older.resolve(&pool, expand(6), Resolution::Done).await.unwrap_err().to_string();
    assert!(error.contains("6 expand: it was cut short, but is not declared here"), "{error}");
    assert!(
        error.contains("next: Resolve it with the version of the program that has it"),
        "{error}"
    );
    newer.migrator().resolve(&pool, expand(6), Resolution::Done).await.unwrap();
    assert_eq!(newer.migrator().run(&pool).await.unwrap().applied.len(), 1);
}

#[tokio::test]
async fn a_name_that_cannot_be_the_history_is_refused_with_what_can() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[A]));
    let pool = database.pool().await;
    for table in ["", &"t".repeat(60), "a\0b"] {
        let error = folder.migrator().table(table).run(&pool).await.unwrap_err().to_string();
        assert!(error.starts_with("failed to use "), "{error}");
        assert!(
            error.contains("now: nothing was changed") && error.contains("next: Give "),
            "{error}"
        );
    }
}
