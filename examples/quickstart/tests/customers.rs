//! Tests that get a database of their own, migrated, in a few milliseconds.

use migrate_postgres::Migrations;
use migrate_testing::TestDatabase;

#[derive(Migrations)]
#[migrations(dir = "migrations", down = "require")]
struct AppMigrations;

#[migrate_testing::test(AppMigrations)]
async fn a_customer_has_a_name(db: TestDatabase) {
    let insert = "INSERT INTO customers (name) VALUES ('Ada')";
    sqlx::query(insert).execute(db.pool()).await.unwrap();
    let nameless =
        sqlx::query("INSERT INTO customers (email) VALUES ('?')").execute(db.pool()).await;
    assert!(nameless.is_err());
}

#[migrate_testing::test(AppMigrations, up_to = 20261109101500)]
async fn the_email_address_moves_to_its_new_column(db: TestDatabase) {
    let insert = "INSERT INTO customers (name, contact) VALUES ('Ada', 'ada@example.org')";
    sqlx::query(insert).execute(db.pool()).await.unwrap();
    db.migrate_on().await.unwrap();
    let email: String =
        sqlx::query_scalar("SELECT email FROM customers").fetch_one(db.pool()).await.unwrap();
    assert_eq!(email, "ada@example.org");
}
