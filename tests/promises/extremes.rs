//! Much, long, strange.

use migrate_core::{Entry, Set};
use migrate_postgres::{Migrator, Source, Version};

use crate::harness::{Database, Folder, applied};
use crate::rust::{Rust, sql};

#[tokio::test]
async fn an_empty_set_is_up_to_date_everywhere() {
    let database = Database::fresh().await;
    let migrator = Migrator::new(Source::of_set(Set::default()));
    let pool = database.pool().await;
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert!(!database.has_table("schema_migrations").await, "there is nothing to remember");
    assert!(migrator.check(&pool).await.unwrap());
    assert!(migrator.revert(&pool, None).await.unwrap().is_empty());
    let folder = Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);")]);
    folder.migrator().run(&pool).await.unwrap();
    let report = migrator.run(&pool).await.unwrap();
    assert_eq!(report.notices.len(), 1, "all of it is newer: {report}");
}

#[tokio::test]
async fn five_thousand_migrations_are_applied_and_then_cost_one_look() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[]);
    for n in 1..=5_000 {
        folder.write(&format!("{n}_m.sql"), &format!("COMMENT ON SCHEMA public IS '{n}';"));
    }
    let migrator = folder.migrator();
    let pool = database.pool().await;
    let report = migrator.run(&pool).await.unwrap();
    assert_eq!(report.applied.len(), 5_000);
    assert_eq!(database.transactions().await, 25);
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert!(migrator.check(&pool).await.unwrap());
    assert_eq!(migrator.status(&pool).await.unwrap().len(), 5_000);
}

#[tokio::test]
async fn a_file_of_twenty_megabytes_runs_and_is_kept() {
    let database = Database::fresh().await;
    let megabyte = "größe it''s \\ ".repeat(70_000);
    let insert = format!("INSERT INTO large VALUES ('{megabyte}');\n");
    let text = format!("CREATE TABLE large (text text);\n{}", insert.repeat(20));
    assert!(text.len() > 20_000_000);
    let folder = Folder::of(&[("1_large.sql", &text)]);
    let (pool, migrator) = (database.pool().await, folder.migrator());
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["1 expand"]);
    let kept = "SELECT octet_length(up_sql) FROM schema_migrations";
    assert_eq!(database.value(kept).await, text.len().to_string());
    assert_eq!(database.value("SELECT count(DISTINCT text) FROM large").await, "1");
    assert!(migrator.run(&pool).await.unwrap().is_empty());
}

/// Applies, reverts and applies one of this name, and gives the name in the history.
async fn kept_name(name: &str) -> String {
    let database = Database::fresh().await;
    let make = |version| {
        Rust::new(version, name, |connection| {
            Box::pin(async move { sql(connection, "CREATE TABLE IF NOT EXISTS a (id int)").await })
        })
        .down(|connection| Box::pin(async move { sql(connection, "DROP TABLE IF EXISTS a").await }))
    };
    let source = Source::of_set(Set::default()).with(make(1)).with(make(2).outside_a_transaction());
    let migrator = Migrator::new(source);
    let pool = database.pool().await;
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 2, "{name}");
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert_eq!(applied(&migrator.revert(&pool, None).await.unwrap()).len(), 2);
    assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 2);
    database.value("SELECT string_agg(DISTINCT name, '|') FROM schema_migrations").await
}

#[tokio::test]
async fn names_may_be_long_and_anything() {
    let long = "n".repeat(300);
    for name in [
        long.as_str(),
        "größe 名前 🦀",
        "*/ DROP TABLE schema_migrations; /*",
        "it's \\ \"quoted\" {seq} $1 -- x",
        "a\nb\tc",
        "",
    ] {
        assert_eq!(kept_name(name).await, name);
    }
    assert_eq!(kept_name("nul\0nul").await, "nul\u{fffd}nul", "PostgreSQL keeps none");
}

#[tokio::test]
async fn long_and_foreign_names_of_files_work_too() {
    let database = Database::fresh().await;
    let name = format!("1_{}.sql", "名".repeat(80));
    let folder = Folder::of(&[
        (&name, "CREATE TABLE a (id int);"),
        ("2_größe's.sql", "CREATE TABLE größe (id int);"),
    ]);
    folder.migrator().group(1).run(&database.pool().await).await.unwrap();
    let names =
        database.value("SELECT string_agg(name, ' ' ORDER BY seq) FROM schema_migrations").await;
    assert_eq!(names, format!("{} größe's", "名".repeat(80)));
}

#[tokio::test]
async fn versions_reach_from_end_to_end() {
    let database = Database::fresh().await;
    let nothing = |version| Rust::new(version, "m", |_| Box::pin(async { Ok(()) }));
    let ends = [i64::MAX, 0, i64::MIN, -1];
    let source = ends.into_iter().fold(Source::of_set(Set::default()), |s, v| s.with(nothing(v)));
    let pool = database.pool().await;
    let migrator = Migrator::new(source);
    let report = migrator.run(&pool).await.unwrap();
    let order: Vec<i64> = report.applied.iter().map(|applied| applied.id.version.get()).collect();
    assert_eq!(order, [i64::MIN, -1, 0, i64::MAX]);
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert!(migrator.run_to(&pool, Version::new(i64::MAX)).await.unwrap().is_empty());
    let text = format!("{}_last.sql", i64::MAX);
    assert!(Source::read(Folder::of(&[(&text, "SELECT 1;")]).path()).is_ok());
    assert!(
        Source::read(Folder::of(&[("9223372036854775808_more.sql", "SELECT 1;")]).path()).is_err()
    );
}

#[tokio::test]
async fn names_of_schema_table_and_set_may_be_anything() {
    let database = Database::fresh().await;
    let folder =
        Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);"), ("1_a.down.sql", "DROP TABLE a;")]);
    let pool = database.pool().await;
    for (schema, table, set) in [
        ("Größe \"x\" it's", "My {set} \\Table", "s'et \\ \"q\" 🦀"),
        ("select", &"t".repeat(53), &"s".repeat(300)),
    ] {
        let migrator = folder.migrator().schema(schema).table(table).set(set);
        migrator.run(&pool).await.unwrap();
        assert!(migrator.run(&pool).await.unwrap().is_empty());
        migrator.revert(&pool, None).await.unwrap();
        assert_eq!(applied(&migrator.run(&pool).await.unwrap()).len(), 1);
        migrator.revert(&pool, None).await.unwrap();
    }
    for table in ["", &"t".repeat(55), "nul\0"] {
        assert!(folder.migrator().table(table).run(&pool).await.is_err(), "{table:?}");
    }
}

#[tokio::test]
async fn an_entry_may_be_made_by_hand() {
    let database = Database::fresh().await;
    let entry: Entry = Rust::new(1, "no code listed", |_| Box::pin(async { Ok(()) })).into();
    let migrator = Migrator::new(Source::of_set(Set::new([entry]).unwrap()));
    let error = migrator.run(&database.pool().await).await.unwrap_err();
    assert!(error.to_string().contains("its code is not part of this program"), "{error}");
}

#[tokio::test]
async fn a_text_with_a_nul_is_refused_before_anything_is_sent() {
    for text in ["SELECT 'a\0b';", "SELECT 1; -- a\0b\nCREATE TABLE a (id int);", "\0"] {
        let folder = Folder::of(&[("1_nul.sql", text)]);
        let problems = Source::read(folder.path()).unwrap_err();
        let told = format!("{problems:?}");
        assert!(told.contains("NUL"), "{text:?}: {told}");
    }
}
