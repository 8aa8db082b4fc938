//! The settled mark hides nothing.

use migrate_postgres::{MigrationId, Phase, Version};

use crate::harness::{Database, Folder, applied};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE IF NOT EXISTS b (id int);");

/// Settles, does something to the history by hand, and gives what the next run applied.
async fn after(change: &str) -> Vec<String> {
    let database = Database::fresh().await;
    let folder = Folder::of(&[A, B]);
    let pool = database.pool().await;
    folder.migrator().run(&pool).await.unwrap();
    assert!(folder.migrator().run(&pool).await.unwrap().is_empty());
    database.run(change).await;
    let report = folder.migrator().run(&pool).await.unwrap_or_else(|e| panic!("{change}: {e}"));
    assert!(folder.migrator().run(&pool).await.unwrap().is_empty(), "{change}");
    assert_eq!(
        database.value("SELECT count(*) FROM schema_migrations_settled").await,
        "1",
        "{change}"
    );
    applied(&report)
}

#[tokio::test]
async fn a_row_deleted_by_hand_is_run_again() {
    assert_eq!(after("DELETE FROM schema_migrations WHERE version = 2").await, ["2 expand"]);
}

#[tokio::test]
async fn a_row_updated_by_hand_is_seen() {
    assert_eq!(
        after(
            "UPDATE schema_migrations SET state = 'reverted', direction = 'down' WHERE version = 2"
        )
        .await,
        ["2 expand"]
    );
}

#[tokio::test]
async fn a_history_truncated_by_hand_is_run_again() {
    assert_eq!(after("TRUNCATE schema_migrations").await, ["1 expand", "2 expand"]);
}

#[tokio::test]
async fn a_row_deleted_by_a_replication_role_is_seen_too() {
    let delete =
        "SET session_replication_role = replica; DELETE FROM schema_migrations WHERE version = 2";
    assert_eq!(after(delete).await, ["2 expand"]);
}

#[tokio::test]
async fn a_dropped_history_is_made_again() {
    assert_eq!(after("DROP TABLE schema_migrations").await, ["1 expand", "2 expand"]);
}

#[tokio::test]
async fn a_history_dropped_with_all_that_belongs_to_it_is_made_again() {
    let all = "DROP TABLE schema_migrations, schema_migrations_settled; DROP FUNCTION schema_migrations_unsettle";
    assert_eq!(after(all).await, ["1 expand", "2 expand"]);
}

#[tokio::test]
async fn a_history_put_back_from_a_copy_without_its_trigger_leaves_no_marks() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[A, B]);
    let pool = database.pool().await;
    folder.migrator().run(&pool).await.unwrap();
    let swap = "CREATE TABLE copy (LIKE schema_migrations INCLUDING ALL); \
        INSERT INTO copy SELECT * FROM schema_migrations WHERE version = 1; \
        DROP TABLE schema_migrations; ALTER TABLE copy RENAME TO schema_migrations";
    database.run(swap).await;
    for _ in 0..2 {
        let report = folder.migrator().run(&pool).await.unwrap();
        assert_eq!(applied(&report), ["2 expand"]);
        assert!(folder.migrator().run(&pool).await.unwrap().is_empty());
        database.run("DELETE FROM schema_migrations WHERE version = 2").await;
    }
}

#[tokio::test]
async fn a_mark_lost_by_hand_is_left_again() {
    assert_eq!(after("TRUNCATE schema_migrations_settled").await, [""; 0]);
    assert_eq!(after("DELETE FROM schema_migrations_settled").await, [""; 0]);
}

#[tokio::test]
async fn what_people_tell_the_history_is_seen() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[A, B]);
    let pool = database.pool().await;
    let migrator = folder.migrator();
    let first = migrator.run_to(&pool, Version::new(1)).await.unwrap();
    assert_eq!(applied(&first), ["1 expand"]);
    let second = MigrationId::new(Version::new(2), Phase::Expand);
    migrator.mark_applied(&pool, second, "made by hand").await.unwrap();
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert!(!database.has_table("b").await);
    let reason = "SELECT kind || ' ' || reason FROM schema_migrations WHERE version = 2";
    assert_eq!(database.value(reason).await, "marked made by hand");
    assert!(migrator.mark_applied(&pool, second, "again").await.is_err());
}

#[tokio::test]
async fn other_options_have_a_mark_of_their_own() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[A, B]);
    let pool = database.pool().await;
    assert_eq!(
        applied(&folder.migrator().run_to(&pool, Version::new(1)).await.unwrap()),
        ["1 expand"]
    );
    let again = folder.migrator().run_to(&pool, Version::new(1)).await.unwrap();
    assert!(again.is_empty() && again.deferred.len() == 1, "{again}");
    assert_eq!(applied(&folder.migrator().run(&pool).await.unwrap()), ["2 expand"]);
}
