//! `#[migrate_testing::test]`, used.

use migrate_postgres::{Migrations, Source};
use migrate_testing::TestDatabase;
use sqlx::postgres::PgPool;

use crate::databases::{folder, value};

struct Shop;

impl Migrations for Shop {
    fn source(&self) -> Source {
        folder(&[
            ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY, full_name text);"),
            ("2_name.expand.sql", "ALTER TABLE users ADD COLUMN name text;"),
            ("2_name.migrate.sql", "UPDATE users SET name = full_name;"),
            ("2_name.contract.sql", "ALTER TABLE users DROP COLUMN full_name;"),
        ])
    }
}

const COLUMNS: &str = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
                       WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped";

#[migrate_testing::test(Shop)]
async fn a_test_gets_a_database_with_all_migrations(db: TestDatabase) {
    assert_eq!(value(db.pool(), COLUMNS).await, "id name");
}

#[migrate_testing::test(Shop)]
async fn a_test_gets_a_pool(pool: PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("INSERT INTO users VALUES (1, 'Ada')").execute(&pool).await?;
    Ok(())
}

#[migrate_testing::test(Shop, up_to = 1)]
async fn a_test_gets_an_older_database(pool: PgPool) {
    assert_eq!(value(&pool, COLUMNS).await, "id full_name");
}

#[migrate_testing::test(Shop, stop_before = 2 contract)]
async fn a_test_sees_what_a_migration_does_to_its_rows(db: TestDatabase) -> std::io::Result<()> {
    assert_eq!(value(db.pool(), COLUMNS).await, "id full_name name");
    db.migrate_on().await.map_err(std::io::Error::other)?;
    assert_eq!(value(db.pool(), COLUMNS).await, "id name");
    Ok(())
}

#[migrate_testing::test]
async fn a_test_gets_an_empty_database(pool: PgPool) {
    let tables = "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(value(&pool, tables).await, "0");
}

/// Attributes below belong to the test.
#[migrate_testing::test]
#[should_panic = "this is what it must say"]
async fn a_test_may_be_expected_to_fail(db: TestDatabase) {
    db.pool().close().await;
    drop(db); // else the test would keep it: it fails, after all
    panic!("this is what it must say");
}
