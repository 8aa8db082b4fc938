//! What an application and its logs hear.

use migrate_postgres::Migrator;

use crate::harness::{Database, Folder, Heard, trace_this_thread, traced};
use crate::rust::Rust;

fn folder() -> Folder {
    Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int); -- s3cr3t-comment"),
        ("1_a.down.sql", "DROP TABLE a;"),
        (
            "2_b.sql",
            "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON a (id);\nVACUUM a;",
        ),
        ("2_b.down.sql", "DROP INDEX i;"),
        ("4_d.contract.sql", "SELECT 's3cr3t-literal';"),
    ])
}

#[tokio::test]
async fn the_observer_hears_of_everything_in_order() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE old (id int)").await;
    let pool = database.pool().await;
    let heard = Heard::default();
    let source = folder().source().with(Rust::new(3, "c", |_| Box::pin(async { Ok(()) })));
    let migrator = Migrator::new(source).observer(heard.clone());
    migrator.run(&pool).await.unwrap();
    assert_eq!(
        heard.take(),
        [
            "planned 3, waits 1",
            "started up 1 expand a",
            "done up 1 expand a",
            "started up 2 expand b statement 1",
            "started up 2 expand b statement 2",
            "done up 2 expand b",
            "started up 3 expand c",
            "done up 3 expand c",
            "finished 3",
        ]
    );
    migrator.run(&pool).await.unwrap();
    assert_eq!(heard.take(), ["finished 0"]);
}

#[tokio::test]
async fn it_hears_of_those_that_share_a_transaction_when_they_are_committed() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let heard = Heard::default();
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("1_a.down.sql", "DROP TABLE a;"),
        ("2_b.sql", "CREATE TABLE b (id int);"),
        ("2_b.down.sql", "DROP TABLE b;"),
    ]);
    let migrator = folder.migrator().observer(heard.clone());
    migrator.run(&pool).await.unwrap();
    let expected = [
        "planned 2, waits 0",
        "started up 1 expand a",
        "started up 2 expand b",
        "done up 1 expand a",
        "done up 2 expand b",
        "finished 2",
    ];
    assert_eq!(heard.take(), expected);
    migrator.revert(&pool, None).await.unwrap();
    let expected = [
        "planned 2, waits 0",
        "started down 2 expand b",
        "done down 2 expand b",
        "started down 1 expand a",
        "done down 1 expand a",
        "finished 2",
    ];
    assert_eq!(heard.take(), expected);
}

#[tokio::test]
async fn logs_hold_neither_passwords_nor_the_sql_of_migrations() {
    trace_this_thread();
    let database = Database::fresh().await;
    let options = database.options().password("s3cr3t-p4ss");
    let pool = sqlx::postgres::PgPoolOptions::new().connect_with(options.clone()).await.unwrap();
    let folder = folder();
    folder.migrator().run(&pool).await.unwrap();
    folder.migrator().run(&options).await.unwrap();
    folder.write("5_fails.sql", "SELECT 's3cr3t-literal', nothing;");
    let error = folder.migrator().run(&pool).await.unwrap_err();
    folder.remove("5_fails.sql");
    folder.write("5_slow.sql", "SELECT 's3cr3t-slow', pg_sleep(1.1);");
    folder.migrator().run(&pool).await.unwrap();
    let text = traced();
    for field in
        ["migrate: started", "version=1", "phase=expand", "name=\"a\"", "statement=2", "took_ms="]
    {
        assert!(text.contains(field), "no {field} in\n{text}");
    }
    assert!(!text.contains("s3cr3t"), "{text}");
    assert!(!text.contains("CREATE INDEX"), "{text}");
    assert!(!format!("{error:?}").contains("p4ss"));
    assert_eq!(
        database
            .value("SELECT count(*) FROM schema_migrations h WHERE h::text LIKE '%p4ss%'")
            .await,
        "0"
    );
}
