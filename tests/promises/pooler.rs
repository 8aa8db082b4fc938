//! Behind a pooler that lends a session for one transaction, a lock of the session is nobody's: it is noticed.
//! What is done there by a lease stands in `lease`.

use std::time::Duration;

use migrate_testing::{PrivateServer, Server};
use sqlx::ConnectOptions;
use sqlx::postgres::PgPoolOptions;

use crate::harness::{Database, Folder, Pooler};

const TABLE: (&str, &str) = ("1_table.sql", "CREATE TABLE t ();");

/// A server that no other test speaks to.
async fn database() -> (PrivateServer, Database) {
    let private = Server::private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    (private, database)
}

async fn is_untouched(database: &Database) {
    let made = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                AND relname NOT LIKE 'schema_migrations_lease%'";
    assert_eq!(database.value(made).await, "0");
    assert_eq!(
        database.value("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'").await,
        "0"
    );
}

/// What no lease can do: it is refused where there is a pooler, and nowhere else.
const OUTSIDE: (&str, &str) = ("1_outside.sql", "-- migrate: no-transaction\nSELECT 1;");

/// Ten times with many sessions to lend, and ten times with a single one.
#[tokio::test]
async fn an_idle_pooler_in_transaction_mode_is_noticed_every_time() {
    let (_server, database) = database().await;
    let migrator = Folder::of(&[OUTSIDE]).migrator();
    for sessions in [20, 1] {
        let Some(pooler) = Pooler::start(&database, "transaction", sessions).await else { return };
        let pool = PgPoolOptions::new().max_connections(1).connect_lazy_with(pooler.options());
        for _ in 0..5 {
            let ends = [migrator.run(&pooler.options()).await, migrator.run(&pool).await];
            for error in ends.map(|end| end.expect_err("it is a pooler")) {
                assert!(error.is_pooler(), "{error}");
                let told = error.to_string();
                for words in ["pooler", "nothing was changed", "next: ", "direct connection"] {
                    assert!(told.contains(words), "`{words}` is not in: {told}");
                }
            }
        }
        is_untouched(&database).await;
    }
}

#[tokio::test]
async fn a_pooler_in_statement_mode_is_refused() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "statement", 20).await else { return };
    for _ in 0..10 {
        let end = Folder::of(&[TABLE]).migrator().run(&pooler.options()).await;
        let error = end.expect_err("it is a pooler");
        assert!(error.is_pooler(), "{error}");
    }
    is_untouched(&database).await;
}

#[tokio::test]
async fn a_pooler_in_session_mode_is_as_good_as_none() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "session", 20).await else { return };
    let migrator = Folder::of(&[TABLE]).migrator();
    let report = migrator.run(&pooler.options()).await.expect("a good end");
    assert_eq!(report.applied.len(), 1);
    assert!(migrator.run(&pooler.options()).await.expect("a good end").is_empty());
    assert_eq!(database.history().await, ["1 1 expand transaction up done"]);
}

/// The look for a pooler wants a second session, and does not wait for one until the pooler's patience ends.
#[tokio::test]
async fn a_pooler_in_session_mode_may_have_a_single_session() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "session", 1).await else { return };
    let migrator = Folder::of(&[TABLE]).migrator().connect_timeout(Duration::from_secs(1));
    let report = migrator.run(&pooler.options()).await.expect("a good end");
    assert_eq!(report.applied.len(), 1);
}

/// One of its two sessions is taken, so that there is a single one for both our connections.
#[tokio::test]
async fn a_busy_pooler_in_transaction_mode_is_noticed() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 2).await else { return };
    let mut busy = pooler.options().connect().await.expect("a connection");
    sqlx::raw_sql("BEGIN").execute(&mut busy).await.expect("a transaction");
    for _ in 0..10 {
        let end = Folder::of(&[OUTSIDE]).migrator().run(&pooler.options()).await;
        assert!(end.expect_err("it is a pooler").is_pooler());
    }
    is_untouched(&database).await;
}

#[tokio::test]
async fn looking_through_a_pooler_is_not_refused() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 20).await else { return };
    let migrator = Folder::of(&[TABLE]).migrator();
    assert!(!migrator.check(&pooler.options()).await.expect("it is pending"));
    migrator.run(&database.options()).await.expect("past the pooler");
    assert!(migrator.check(&pooler.options()).await.expect("it is done"));
    assert!(migrator.run(&pooler.options()).await.expect("nothing to do").is_empty());
    assert_eq!(migrator.status(&pooler.options()).await.expect("a status").len(), 1);
}
