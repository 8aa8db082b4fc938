//! Migrations written in Rust.

use migrate_postgres::{MigrationId, Migrator, Phase, Resolution, Source, Version};
use sqlx::Connection;

use crate::harness::proxy::{After, Proxy, Which};
use crate::harness::{Database, Folder, applied};
use crate::rust::{Rust, sql};

fn folder() -> Folder {
    Folder::of(&[
        ("1_log.sql", "CREATE TABLE log (n serial, line text);"),
        ("1_log.down.sql", "DROP TABLE log;"),
        ("3_after.sql", "INSERT INTO log (line) VALUES ('3');"),
        ("3_after.down.sql", "DELETE FROM log WHERE line = '3';"),
    ])
}

fn with(code: Rust) -> Source {
    folder().source().with(code)
}

async fn log(database: &Database) -> String {
    database.value("SELECT string_agg(line, ' ' ORDER BY n) FROM log").await
}

fn writes_a_line() -> Rust {
    Rust::new(2, "writes_a_line", |connection| {
        Box::pin(async move { sql(connection, "INSERT INTO log (line) VALUES ('2')").await })
    })
    .down(|connection| {
        Box::pin(async move { sql(connection, "DELETE FROM log WHERE line = '2'").await })
    })
}

#[tokio::test]
async fn they_run_in_their_place_among_the_files_and_back() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let migrator = Migrator::new(with(writes_a_line()));
    let report = migrator.run(&pool).await.unwrap();
    assert_eq!(applied(&report), ["1 expand", "2 expand", "3 expand"]);
    assert_eq!(log(&database).await, "2 3");
    assert_eq!(database.history().await[1], "2 2 expand code up done");
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    let back = migrator.revert(&pool, Some(Version::new(1))).await.unwrap();
    assert_eq!(applied(&back), ["3 expand", "2 expand"]);
    assert_eq!(log(&database).await, "NULL");
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["2 expand", "3 expand"]);
}

#[tokio::test]
async fn an_error_takes_back_what_it_did() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let failing = Rust::new(2, "fails", |connection| {
        Box::pin(async move {
            sql(connection, "INSERT INTO log (line) VALUES ('half')").await?;
            Err("the moon is full".into())
        })
    });
    let error = Migrator::new(with(failing)).run(&pool).await.unwrap_err();
    let text = error.to_string();
    assert!(text.contains("failed to apply 2 expand fails: the moon is full"), "{text}");
    assert!(
        text.contains("nothing of it stayed") && text.contains("applied before it: 1 expand"),
        "{text}"
    );
    assert_eq!(log(&database).await, "NULL");
    assert_eq!(database.history().await[1], "2 2 expand code up failed");
    assert_eq!(
        applied(&Migrator::new(with(writes_a_line())).run(&pool).await.unwrap()),
        ["2 expand", "3 expand"]
    );
}

#[tokio::test]
async fn an_error_of_the_database_keeps_its_sqlstate() {
    let database = Database::fresh().await;
    let failing = Rust::new(2, "fails", |connection| {
        Box::pin(async move { sql(connection, "SELECT nothing").await })
    });
    let error = Migrator::new(with(failing)).run(&database.pool().await).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42703"), "{error}");
}

#[tokio::test]
async fn a_transaction_inside_is_a_savepoint() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let nesting = Rust::new(2, "nests", |connection| {
        Box::pin(async move {
            let mut kept = connection.begin().await?;
            sqlx::query("INSERT INTO log (line) VALUES ($1)")
                .bind("kept")
                .execute(&mut *kept)
                .await?;
            kept.commit().await?;
            let mut dropped = connection.begin().await?;
            sqlx::query("INSERT INTO log (line) VALUES ($1)")
                .bind("rolled back")
                .execute(&mut *dropped)
                .await?;
            dropped.rollback().await?;
            let mut forgotten = connection.begin().await?;
            sqlx::query("INSERT INTO log (line) VALUES ($1)")
                .bind("dropped")
                .execute(&mut *forgotten)
                .await?;
            Ok(())
        })
    });
    Migrator::new(with(nesting)).run(&pool).await.unwrap();
    assert_eq!(log(&database).await, "kept 3");
    let once = "SELECT count(DISTINCT xmin::text) FROM schema_migrations WHERE version = 2";
    assert_eq!(database.value(once).await, "1");
}

#[tokio::test]
async fn what_it_committed_inside_is_taken_back_by_an_error_after_it() {
    let database = Database::fresh().await;
    let nesting = Rust::new(2, "nests", |connection| {
        Box::pin(async move {
            let mut kept = connection.begin().await?;
            sql(&mut kept, "INSERT INTO log (line) VALUES ('inner')").await?;
            kept.commit().await?;
            Err("after all".into())
        })
    });
    Migrator::new(with(nesting)).run(&database.pool().await).await.unwrap_err();
    assert_eq!(log(&database).await, "NULL");
}

#[tokio::test]
async fn a_raised_revision_is_an_edit() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    Migrator::new(with(writes_a_line())).run(&pool).await.unwrap();
    let edited = Migrator::new(with(writes_a_line().revision(2)));
    let error = edited.run(&pool).await.unwrap_err();
    assert!(error.is_divergence() && error.to_string().contains("2 expand"), "{error}");
    assert_eq!(edited.repair(&pool).await.unwrap().len(), 1);
    assert!(edited.run(&pool).await.unwrap().is_empty());
}

#[tokio::test]
async fn also_when_it_was_only_declared_as_done() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    sql(&mut database.connect().await, "CREATE TABLE log (n serial, line text)").await.unwrap();
    Migrator::new(with(writes_a_line())).baseline(&pool, Version::new(2)).await.unwrap();
    let report = folder().migrator().code_is_elsewhere().run(&pool).await.unwrap();
    assert_eq!(applied(&report), ["3 expand"]);
}

#[tokio::test]
async fn a_folder_alone_can_be_told_that_the_code_is_elsewhere() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    Migrator::new(with(writes_a_line())).run(&pool).await.unwrap();
    assert!(folder().migrator().run(&pool).await.unwrap_err().is_divergence());
    let report = folder().migrator().code_is_elsewhere().run(&pool).await.unwrap();
    assert!(report.is_empty() && report.notices.len() == 1, "{report}");
}

#[tokio::test]
async fn a_lock_that_is_not_to_be_had_is_waited_for_in_attempts() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE busy (id int)").await;
    let mut holder = database.connect().await;
    let mut transaction = holder.begin().await.unwrap();
    sql(&mut transaction, "LOCK TABLE busy").await.unwrap();
    let code = Rust::new(2, "locks", |connection| {
        Box::pin(async move { sql(connection, "ALTER TABLE busy ADD COLUMN b int").await })
    });
    let heard = crate::harness::Heard::default();
    let migrator = Migrator::new(with(code)).observer(heard.clone());
    let pool = database.pool().await;
    let release = async {
        while !heard.take().iter().any(|line| line.starts_with("retrying 2 expand 1 55P03")) {
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
        transaction.rollback().await.unwrap();
    };
    let (report, ()) = tokio::join!(migrator.run(&pool), release);
    assert_eq!(applied(&report.unwrap()).len(), 3);
    assert!(database.history().await.iter().all(|line| line.ends_with("up done")));
}

#[tokio::test]
async fn code_outside_a_transaction_keeps_what_it_did_and_asks() {
    for (resolution, expected) in [(Resolution::Done, "half 3"), (Resolution::Redo, "half 2 3")] {
        let database = Database::fresh().await;
        let pool = database.pool().await;
        let failing = Rust::new(2, "writes_a_line", |connection| {
            Box::pin(async move {
                sql(connection, "INSERT INTO log (line) VALUES ('half')").await?;
                Err("cut short".into())
            })
        });
        let error =
            Migrator::new(with(failing.outside_a_transaction())).run(&pool).await.unwrap_err();
        assert!(error.to_string().contains("what it did before the error stayed"), "{error}");
        let migrator = Migrator::new(with(writes_a_line().outside_a_transaction()));
        let error = migrator.run(&pool).await.unwrap_err();
        assert!(error.is_interrupted(), "{error}");
        let second = MigrationId::new(Version::new(2), Phase::Expand);
        migrator.resolve(&pool, second, resolution).await.unwrap();
        assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["2 expand", "3 expand"]);
        assert_eq!(log(&database).await, expected);
    }
}

/// The run goes on with another connection, and only then can say that it cannot.
#[tokio::test]
async fn a_connection_lost_in_code_outside_a_transaction_is_a_lost_connection() {
    let database = Database::fresh().await;
    let migrator = Migrator::new(with(writes_a_line().outside_a_transaction()));
    let proxy = Proxy::cut(database.options(), After, Which::Says("VALUES ('2')"));
    let error = migrator.run(&proxy.options()).await.unwrap_err();
    assert!(proxy.was_reached() && error.is_interrupted(), "{error}");
    assert!(migrator.run(&database.options()).await.unwrap_err().is_interrupted());
    assert_eq!(log(&database).await, "2");
}

#[tokio::test]
async fn code_outside_a_transaction_that_ends_well_is_done() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let migrator = Migrator::new(with(writes_a_line().outside_a_transaction()));
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 3);
    assert_eq!(log(&database).await, "2 3");
    assert_eq!(applied(&migrator.revert(&pool, Some(Version::new(1))).await.unwrap()).len(), 2);
    assert_eq!(log(&database).await, "NULL");
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 2);
}

#[tokio::test]
async fn an_answer_that_the_code_did_not_expect_is_no_lost_connection() {
    let database = Database::fresh().await;
    let failing = Rust::new(2, "fails", |connection| {
        Box::pin(async move {
            sqlx::query("SELECT FROM log").fetch_one(connection).await?;
            Ok(())
        })
    });
    let error = Migrator::new(with(failing)).run(&database.options()).await.unwrap_err();
    let text = error.to_string();
    assert!(!error.is_connection() && text.contains("nothing of it stayed"), "{text}");
    assert_eq!(database.history().await[1], "2 2 expand code up failed");
}
