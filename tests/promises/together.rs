//! On a fresh database many migrations share a transaction; the history tells of each all the same.

use crate::harness::{Database, Folder};

#[tokio::test]
async fn those_that_share_a_transaction_have_a_row_each_with_their_own_times() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (i int);"),
        ("2_b.sql", "SELECT pg_sleep(0.2);"),
        ("3_c.sql", "ALTER TABLE a ADD COLUMN c int;"),
    ]);
    let report = folder.migrator().run(&database.pool().await).await.unwrap();
    assert_eq!(report.applied.len(), 3, "{report}");
    assert_eq!(
        database.history().await,
        ["1 1", "2 2", "3 3"].map(|row| format!("{row} expand transaction up done"))
    );
    assert_eq!(database.transactions().await, 1);
    let slow = "SELECT string_agg(version::text, ',') FROM schema_migrations \
         WHERE finished_at - started_at >= interval '200 ms'";
    assert_eq!(database.value(slow).await, "2");
    let backwards = "SELECT count(*) FROM schema_migrations WHERE finished_at < started_at";
    assert_eq!(database.value(backwards).await, "0");
}

#[tokio::test]
async fn long_texts_are_recorded_whole() {
    let database = Database::fresh().await;
    let text = |table: &str| format!("CREATE TABLE {table} ();\n-- {}", "ä".repeat(400_000));
    let (a, b, c) = (text("a"), text("b"), text("c"));
    let folder = Folder::of(&[("1_a.sql", &a), ("2_b.sql", &b), ("3_c.sql", &c)]);
    folder.migrator().run(&database.pool().await).await.unwrap();
    assert_eq!(database.transactions().await, 1);
    let texts = "SELECT string_agg(left(up_sql, 14) || length(up_sql), ',' ORDER BY seq) FROM schema_migrations";
    let whole = ["a", "b", "c"].map(|table| format!("CREATE TABLE {table}{}", a.chars().count()));
    assert_eq!(database.value(texts).await, whole.join(","));
}

#[tokio::test]
async fn when_the_last_of_them_fails_nothing_stays() {
    let database = Database::fresh().await;
    let folder =
        Folder::of(&[("1_a.sql", "CREATE TABLE a ();"), ("2_b.sql", "CREATE TABLE a ();")]);
    let pool = database.pool().await;
    let error = folder.migrator().run(&pool).await.unwrap_err().to_string();
    assert!(
        error.contains("nothing of the 2 migrations that shared its transaction stayed"),
        "{error}"
    );
    assert!(!database.has_table("a").await);
    assert_eq!(database.history().await, ["1 2 expand transaction up failed"]);
    folder.write("2_b.sql", "CREATE TABLE b ();");
    let report = folder.migrator().run(&pool).await.unwrap();
    assert_eq!(report.applied.len(), 2, "{report}");
}
