//! The application's pool, as it may be.

use std::time::Duration;

use migrate_postgres::Version;
use sqlx::Executor;
use sqlx::postgres::PgPoolOptions;

use crate::harness::{Database, Folder, applied};

fn slow() -> Folder {
    Folder::of(&[("1_slow.sql", "CREATE TABLE a (id int); SELECT pg_sleep(1.2);")])
}

#[tokio::test]
async fn a_pool_of_one_is_enough() {
    let database = Database::fresh().await;
    let options = PgPoolOptions::new().max_connections(1).acquire_timeout(Duration::from_secs(5));
    let pool = options.connect_with(database.options()).await.unwrap();
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("1_a.down.sql", "DROP TABLE a;"),
        ("2_b.sql", "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);"),
        ("2_b.down.sql", "DROP INDEX i;"),
    ]);
    let migrator = folder.migrator();
    assert!(!migrator.check(&pool).await.unwrap());
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 2);
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    migrator.status(&pool).await.unwrap();
    migrator.repair(&pool).await.unwrap();
    assert_eq!(applied(&migrator.revert(&pool, Some(Version::new(1))).await.unwrap()).len(), 1);
    assert_eq!(pool.size(), 1);
}

#[tokio::test]
async fn its_statement_timeout_set_by_a_hook_does_not_cut_us_short() {
    let database = Database::fresh().await;
    let pool = PgPoolOptions::new().max_connections(1).after_connect(|connection, _| {
        Box::pin(async move {
            connection.execute("SET statement_timeout = '1s'").await?;
            Ok(())
        })
    });
    let pool = pool.connect_with(database.options()).await.unwrap();
    assert_eq!(applied(&slow().migrator().run(&pool).await.unwrap()).len(), 1);
    let timeout: String =
        sqlx::query_scalar("SHOW statement_timeout").fetch_one(&pool).await.unwrap();
    assert_eq!(timeout, "1s");
}

#[tokio::test]
async fn its_statement_timeout_set_by_its_options_does_not_cut_us_short() {
    let database = Database::fresh().await;
    let options = database.options().options([("statement_timeout", "1s"), ("lock_timeout", "7s")]);
    let folder = slow();
    folder.write(
        "2_outside.sql",
        "-- migrate: no-transaction\nSELECT pg_sleep(1.2);\nCREATE INDEX CONCURRENTLY i ON a (id);",
    );
    let pool = PgPoolOptions::new().max_connections(1).connect_with(options).await.unwrap();
    assert_eq!(applied(&folder.migrator().run(&pool).await.unwrap()).len(), 2);
    let timeouts =
        "SELECT current_setting('statement_timeout') || ' ' || current_setting('lock_timeout')";
    let timeouts: String = sqlx::query_scalar(timeouts).fetch_one(&pool).await.unwrap();
    assert_eq!(timeouts, "1s 7s");
}

#[tokio::test]
async fn a_timeout_that_the_migrator_was_given_does() {
    let database = Database::fresh().await;
    let migrator = slow().migrator().statement_timeout(Duration::from_millis(100));
    let error = migrator.run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("57014"), "{error}");
    assert!(!error.is_connection(), "{error}");
}

#[tokio::test]
async fn the_search_path_of_its_options_holds_in_migrations() {
    let database = Database::fresh().await;
    database.run("CREATE SCHEMA app").await;
    let options = database.options().options([("search_path", "app")]);
    let pool = PgPoolOptions::new().connect_with(options).await.unwrap();
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.sql", "SET search_path TO public; CREATE TABLE b (id int);"),
        (
            "3_c.sql",
            "-- migrate: no-transaction\nCREATE TABLE c (id int);\nCREATE INDEX CONCURRENTLY i ON c (id);",
        ),
    ]);
    folder.migrator().run(&pool).await.unwrap();
    for table in ["app.a", "public.b", "app.c", "public.schema_migrations"] {
        assert!(database.has_table(table).await, "{table}");
    }
    let path: String = sqlx::query_scalar("SHOW search_path").fetch_one(&pool).await.unwrap();
    assert_eq!(path, "app");
}

#[tokio::test]
async fn a_connection_given_away_and_options_do_as_well() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    let report = folder.migrator().run(database.connect().await).await.unwrap();
    assert_eq!(applied(&report).len(), 1);
    assert!(folder.migrator().run(database.connect().await).await.unwrap().is_empty());
    assert!(folder.migrator().run(database.options()).await.unwrap().is_empty());
}
