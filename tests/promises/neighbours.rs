//! Others in the same database: the histories of other tools, and other sets of ours.

use crate::harness::{Database, Folder, applied};

fn folder() -> Folder {
    Folder::of(&[("1_a.sql", "CREATE TABLE IF NOT EXISTS a (id int);")])
}

/// With this in the database, every way to ask names the tool, and its table stays as it is.
async fn is_recognised(made_by_it: &str, tool: &str) {
    let database = Database::fresh().await;
    database.run(made_by_it).await;
    let rows = "SELECT string_agg(to_jsonb(s)::text, ' ') FROM schema_migrations s";
    let before = database.value(rows).await;
    let pool = database.pool().await;
    let migrator = folder().migrator();
    for error in [
        migrator.run(&pool).await.unwrap_err(),
        migrator.check(&pool).await.unwrap_err(),
        migrator.status(&pool).await.unwrap_err(),
        migrator.revert(&pool, None).await.unwrap_err(),
        migrator.baseline(&pool, migrate_postgres::Version::new(1)).await.unwrap_err(),
        migrator.repair(&pool).await.unwrap_err(),
    ] {
        assert!(error.is_foreign_history(), "{error}");
        let text = error.to_string();
        assert!(text.contains(tool), "no {tool:?} in {text}");
        assert!(text.contains("Migrator::table") && text.contains("left as it is"), "{text}");
    }
    assert_eq!(database.value(rows).await, before);
    assert!(!database.has_table("schema_migrations_settled").await);
    let beside = folder().migrator().table("migrate_history");
    assert_eq!(applied(&beside.run(&pool).await.unwrap()).len(), 1);
    assert_eq!(database.value(rows).await, before);
}

/// Whose table has this name too, its columns, and a row.
const OTHERS: [(&str, &str, &str); 5] = [
    (
        "it is a Rails-like history",
        "version character varying NOT NULL PRIMARY KEY",
        "'20260101000000'",
    ),
    ("it is dbmate's", "version varchar(128) PRIMARY KEY", "'20260101000000'"),
    (
        "it is golang-migrate's",
        "version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL",
        "3, false",
    ),
    (
        "it is Ecto's",
        "version bigint PRIMARY KEY, inserted_at timestamp(0)",
        "20260101000000, now()",
    ),
    ("it is geni's", "id varchar(255) PRIMARY KEY", "'20260101000000'"),
];

#[tokio::test]
async fn the_tables_of_other_tools_are_recognised() {
    for (tool, columns, row) in OTHERS {
        let made_by_it = format!(
            "CREATE TABLE schema_migrations ({columns}); INSERT INTO schema_migrations VALUES ({row})"
        );
        is_recognised(&made_by_it, tool).await;
    }
}

#[tokio::test]
async fn any_other_table_of_that_name_is_left_alone_too() {
    is_recognised("CREATE TABLE schema_migrations (what text, ever int)", "what, ever").await;
    is_recognised("CREATE VIEW schema_migrations AS SELECT 1 AS one", "one").await;
}

#[tokio::test]
async fn sets_share_a_database_in_one_table_or_in_several() {
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let other = Folder::of(&[
        ("1_other.sql", "CREATE TABLE b (id int);"),
        ("2_c.sql", "CREATE TABLE c (id int);"),
    ]);
    let first = folder().migrator();
    let second = other.migrator().set("billing");
    let third = folder().migrator().set("audit").table("audit_migrations");
    assert_eq!(applied(&first.run(&pool).await.unwrap()), ["1 expand"]);
    assert_eq!(applied(&second.run(&pool).await.unwrap()), ["1 expand", "2 expand"]);
    assert_eq!(applied(&third.run(&pool).await.unwrap()), ["1 expand"]);
    for migrator in [&first, &second, &third] {
        for _ in 0..2 {
            let report = migrator.run(&pool).await.unwrap();
            assert!(report.is_empty() && report.notices.is_empty(), "{report}");
        }
    }
    let rows = "SELECT string_agg(set_name || ' ' || seq, ' ' ORDER BY set_name, seq) FROM schema_migrations";
    assert_eq!(database.value(rows).await, "billing 1 billing 2 default 1");
    assert_eq!(
        database.value("SELECT count(*) FROM schema_migrations_settled").await,
        "2",
        "a mark each"
    );
    assert_eq!(database.value("SELECT count(*) FROM audit_migrations").await, "1");
}

#[tokio::test]
async fn sets_that_start_at_once_on_an_empty_database_all_end_well() {
    for table in ["schema_migrations", "own"] {
        let database = Database::fresh().await;
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                let text = format!("CREATE TABLE t{n} (id int);");
                let folder = Folder::of(&[("1_a.sql", &text)]);
                let table = if table == "own" { format!("own{n}") } else { table.to_owned() };
                let migrator = folder.migrator().set(format!("s{n}")).table(table).schema("kept");
                let options = database.options();
                tokio::spawn(async move { migrator.run(options).await })
            })
            .collect();
        for task in tasks {
            let report = task.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(applied(&report), ["1 expand"]);
        }
    }
}
