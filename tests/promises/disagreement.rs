//! The database and the declared migrations disagree.

use migrate_postgres::{
    Comparison, MigrationId, Migrator, NoticeKind, Phase, Phases, Policy, Resolution, Source,
    Standing, Version,
};
use sqlx::postgres::PgPool;

use crate::harness::{Database, Folder, Heard, applied};
use crate::rust::Rust;

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");
const C: (&str, &str) = ("3_c.sql", "CREATE TABLE c (id int);");

async fn applied_to(files: &[(&str, &str)]) -> (Database, PgPool, Folder) {
    let database = Database::fresh().await;
    let folder = Folder::of(files);
    let pool = database.pool().await;
    folder.migrator().run(&pool).await.unwrap();
    (database, pool, folder)
}

/// Every way to ask says the same, and nothing is changed.
async fn is_refused(database: &Database, pool: &PgPool, migrator: &Migrator, why: &[&str]) {
    let before = database.history().await;
    for _ in 0..2 {
        let errors = [
            migrator.run(pool).await.unwrap_err(),
            migrator.plan(pool).await.unwrap_err(),
            migrator.check(pool).await.unwrap_err(),
        ];
        for error in errors {
            assert!(error.is_divergence(), "{error}");
            let text = error.to_string();
            why.iter().for_each(|why| assert!(text.contains(why), "no {why:?} in\n{text}"));
        }
    }
    migrator.status(pool).await.unwrap();
    assert_eq!(database.history().await, before);
}

#[tokio::test]
async fn an_edited_migration_stops_the_start_and_shows_what_was_edited() {
    let (database, pool, folder) = applied_to(&[A, B]).await;
    folder.write("1_a.sql", "CREATE TABLE a (id bigint);");
    let why = [
        "1 expand a: was changed after it had been applied",
        "- CREATE TABLE a (id int);",
        "+ CREATE TABLE a (id bigint);",
        "`repair` records the new text",
        "now: nothing was changed",
    ];
    is_refused(&database, &pool, &folder.migrator(), &why).await;
    let standing = folder.migrator().status(&pool).await.unwrap()[0].standing;
    assert_eq!(standing, Standing::Edited);
}

#[tokio::test]
async fn an_edited_directive_that_changes_how_it_runs_does_so_too() {
    let (database, pool, folder) = applied_to(&[A, B]).await;
    folder.write("2_b.sql", "-- migrate: no-transaction\nCREATE TABLE b (id int);");
    is_refused(
        &database,
        &pool,
        &folder.migrator(),
        &["2 expand b: was changed", "+ -- migrate: no-transaction"],
    )
    .await;
}

#[tokio::test]
async fn line_ends_blanks_comments_and_other_directives_are_cosmetic() {
    let (_database, pool, folder) =
        applied_to(&[("1_a.sql", "CREATE TABLE a (\n  id int -- key\n);\nSELECT 1;")]).await;
    for text in [
        "CREATE TABLE a (\r\n  id int -- key\r\n);\r\nSELECT 1;\r\n",
        "\u{feff}-- migrate: irreversible because it is the first\n-- migrate: lock-timeout 2s\nCREATE  TABLE a (id int);\n/* then */ SELECT 1",
    ] {
        folder.write("1_a.sql", text);
        let report = folder.migrator().run(&pool).await.unwrap();
        assert!(report.is_empty() && report.notices.is_empty(), "{report}");
        assert!(folder.migrator().check(&pool).await.unwrap());
    }
}

#[tokio::test]
async fn repair_shows_the_difference_and_records_the_new_text() {
    let (database, pool, folder) = applied_to(&[A, B]).await;
    folder.write("1_a.sql", "CREATE TABLE a (id bigint);");
    let differences = folder.migrator().repair(&pool).await.unwrap();
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].comparison, Comparison::Changed);
    assert_eq!(differences[0].lines, "- CREATE TABLE a (id int);\n+ CREATE TABLE a (id bigint);\n");
    assert!(folder.migrator().run(&pool).await.unwrap().is_empty());
    assert!(folder.migrator().repair(&pool).await.unwrap().is_empty());
    assert_eq!(database.history().await.last().unwrap(), "3 1 expand repaired up done");
}

#[tokio::test]
async fn one_missing_in_the_middle_stops_the_start() {
    let (database, pool, folder) = applied_to(&[A, B, C]).await;
    folder.remove("2_b.sql");
    is_refused(
        &database,
        &pool,
        &folder.migrator(),
        &["2 expand b: was applied and is not declared", "Restore its file"],
    )
    .await;
}

#[tokio::test]
async fn a_late_one_is_an_error_or_told() {
    let (database, pool, folder) = applied_to(&[A, C]).await;
    folder.write(B.0, B.1);
    let why = [
        "2 expand b: is older than 3 expand, which was applied already",
        "Give it a version above 3",
    ];
    is_refused(&database, &pool, &folder.migrator(), &why).await;
    let report = folder.migrator().on_late(Policy::Warn).run(&pool).await.unwrap();
    assert_eq!(applied(&report), ["2 expand"]);
    assert_eq!(report.notices.iter().map(|n| n.kind).collect::<Vec<_>>(), [NoticeKind::Late]);
    assert!(folder.migrator().run(&pool).await.unwrap().is_empty(), "applied is applied");
}

#[tokio::test]
async fn an_old_binary_starts_after_a_newer_one_and_says_so_each_time() {
    let (_database, pool, folder) = applied_to(&[A]).await;
    let old = folder.migrator();
    folder.write(B.0, B.1);
    folder.migrator().run(&pool).await.unwrap();
    for _ in 0..3 {
        let heard = Heard::default();
        let report = old.clone().observer(heard.clone()).run(&pool).await.unwrap();
        assert!(report.is_empty());
        let told: Vec<_> =
            report.notices.iter().map(|n| (n.id.to_string(), n.name.as_str(), n.kind)).collect();
        assert_eq!(told, [("2 expand".to_owned(), "b", NoticeKind::UnknownNewer)]);
        assert_eq!(heard.take()[0], "notice 2 expand it was applied by newer code than this");
    }
    let strict = old.clone().on_unknown_newer(Policy::Error);
    assert!(strict.run(&pool).await.unwrap_err().is_divergence());
    assert!(old.check(&pool).await.unwrap());
}

#[tokio::test]
async fn a_newer_contract_stops_the_old_binary() {
    let (database, pool, folder) = applied_to(&[A]).await;
    let old = folder.migrator();
    folder.write("2_b.contract.sql", "DROP TABLE a;");
    folder
        .migrator()
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database")
        .run(&pool)
        .await
        .unwrap();
    is_refused(
        &database,
        &pool,
        &old,
        &["2 contract b: was applied by newer code", "Deploy the code that brought it"],
    )
    .await;
}

#[tokio::test]
async fn two_of_one_version_and_phase_are_refused_before_anything_is_touched() {
    let folder = Folder::of(&[A, ("1_other.sql", "SELECT 1;")]);
    assert!(Source::read(folder.path()).is_err());
    let database = Database::fresh().await;
    let folder = Folder::of(&[A]);
    let twice = folder.source().with(Rust::new(1, "again", |_| Box::pin(async { Ok(()) })));
    let error = Migrator::new(twice).run(&database.pool().await).await.unwrap_err();
    assert!(error.to_string().contains("two migrations are 1 expand: `a` and `again`"), "{error}");
    assert!(!database.has_table("schema_migrations").await);
}

#[tokio::test]
async fn baseline_records_what_was_there_and_runs_the_rest() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE a (id int); CREATE TABLE b (id int)").await;
    let (pool, folder) = (database.pool().await, Folder::of(&[A, B, C]));
    let recorded = folder.migrator().baseline(&pool, Version::new(2)).await.unwrap();
    assert_eq!(recorded.len(), 2);
    assert_eq!(applied(&folder.migrator().run(&pool).await.unwrap()), ["3 expand"]);
    let kinds = [
        "1 1 expand baseline up done",
        "2 2 expand baseline up done",
        "3 3 expand transaction up done",
    ];
    assert_eq!(database.history().await, kinds);
    let error = folder.migrator().baseline(&pool, Version::new(3)).await.unwrap_err();
    assert!(error.to_string().contains("1 expand is in the history already"), "{error}");
    assert_eq!(database.history().await, kinds);
}

#[tokio::test]
async fn a_statement_cut_short_that_proves_nothing_waits_for_a_word() {
    for (resolution, expected) in [(Resolution::Done, "1"), (Resolution::Redo, "2")] {
        let (database, pool, folder) = applied_to(&[("1_a.sql", "CREATE TABLE a (id int);")]).await;
        let text = "-- migrate: no-transaction\nINSERT INTO a VALUES (1);\n\
                    DO $$ BEGIN INSERT INTO a VALUES (2); COMMIT; END $$;\nINSERT INTO a VALUES (3);";
        folder.write("2_b.sql", text);
        folder.migrator().run(&pool).await.unwrap();
        // What a kill within the second statement leaves, when the statement took effect.
        database
            .run("DELETE FROM schema_migrations WHERE seq > (SELECT seq FROM schema_migrations WHERE state = 'started' AND statement = 2); \
                 DELETE FROM a WHERE id = 3")
            .await;
        let migrator = folder.migrator();
        let error = migrator.run(&pool).await.unwrap_err();
        assert!(
            error.is_interrupted() && error.to_string().contains("cut short in statement 2"),
            "{error}"
        );
        let second = MigrationId::new(Version::new(2), Phase::Expand);
        let first = MigrationId::new(Version::new(1), Phase::Expand);
        assert!(
            migrator.resolve(&pool, first, resolution).await.is_err(),
            "that one was not cut short"
        );
        migrator.resolve(&pool, second, resolution).await.unwrap();
        assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["2 expand"]);
        assert_eq!(database.value("SELECT count(*) FROM a WHERE id = 2").await, expected);
        assert_eq!(database.value("SELECT count(*) FROM a WHERE id <> 2").await, "2");
        assert!(migrator.run(&pool).await.unwrap().is_empty());
    }
}
