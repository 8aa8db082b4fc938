//! Applications call `run` when they start.

use migrate_postgres::{Embedded, Migrator, Report};

use crate::harness::{Database, Folder};

const USERS: (&str, &str) =
    ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);");
const USERS_DOWN: (&str, &str) = ("1_users.down.sql", "DROP TABLE users;");

fn must_be_send<T: Send>(value: T) -> T {
    value
}

#[tokio::test]
async fn an_empty_database_is_brought_up_to_date() {
    let database = Database::fresh().await;
    let folder =
        Folder::of(&[USERS, USERS_DOWN, ("2_more.sql", "ALTER TABLE users ADD COLUMN age int;")]);
    let pool = database.pool().await;
    let report: Report = must_be_send(folder.migrator().run(&pool)).await.unwrap();
    assert_eq!(report.applied.len(), 2, "{report}");
    assert_eq!(
        database.history().await,
        ["1 1 expand transaction up done", "2 2 expand transaction up done"]
    );
    let again = folder.migrator().run(&pool).await.unwrap();
    assert!(again.is_empty(), "{again}");
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations_settled").await, "1");
}

#[tokio::test]
async fn what_was_applied_can_be_taken_back_and_applied_again() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[USERS, USERS_DOWN]);
    let pool = database.pool().await;
    let migrator: Migrator = folder.migrator();
    must_be_send(migrator.run(&pool)).await.unwrap();
    must_be_send(migrator.revert(&pool, None)).await.unwrap();
    assert!(!database.has_table("users").await);
    let report = migrator.run(&pool).await.unwrap();
    assert_eq!(report.applied.len(), 1, "{report}");
    assert!(database.has_table("users").await);
    must_be_send(migrator.status(&pool)).await.unwrap();
    must_be_send(migrator.plan(&pool)).await.unwrap();
    must_be_send(migrator.repair(&pool)).await.unwrap();
}

#[tokio::test]
async fn a_program_older_than_its_folder_does_not_start() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[USERS]);
    let path: &'static str = folder.path().display().to_string().leak();
    let digest = migrate_core::digest([]);
    let on_disk = migrate_core::Folder {
        path: "m",
        packed: migrate_core::Packed::EMPTY,
        digest,
        on_disk: Some(path),
        files: &["1_users.sql"],
        targets: &[],
    };
    let migrator = Migrator::new(Embedded { folder: on_disk, build: "app 1" });
    migrator.run(&database.pool().await).await.unwrap();
    folder.write("2_added.sql", "SELECT 1;");
    let error = migrator.run(&database.pool().await).await.unwrap_err().to_string();
    assert!(error.contains("2_added.sql") && error.contains("Build it again"), "{error}");
}
