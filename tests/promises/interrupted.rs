//! A statement outside transactions that was cut short: what the catalog proves goes on by itself, anything else
//! stops and says what to do, and a person settles it.

use migrate_postgres::{Error, MigrationId, Phase, Resolution, Version};

use crate::harness::proxy::{After, Before, Moment, Proxy, Which};
use crate::harness::{Database, Folder, Heard};

/// What it does ends a transaction, and the catalog does not tell whether it did.
const ADD: &str = "-- migrate: no-transaction\nSET search_path = app;\n\
                   DO $$ BEGIN ALTER TABLE t ADD COLUMN added int; COMMIT; END $$;\nINSERT INTO t (n) VALUES (3);";
const COLUMNS: &str = "SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute \
                       WHERE attrelid = 'app.t'::regclass AND attnum > 0 AND NOT attisdropped";
const ROWS: &str = "SELECT string_agg(n::text, ' ' ORDER BY n) FROM app.t";
const IT: MigrationId = MigrationId::new(Version::new(1), Phase::Expand);

/// A database with a table, in which the run of a file lost its connection at some words of it.
async fn cut(folder: &Folder, moment: Moment, words: &'static str) -> Database {
    let database = Database::fresh().await;
    database
        .run("CREATE SCHEMA app; CREATE TABLE app.t (n int); INSERT INTO app.t VALUES (1), (2)")
        .await;
    database.run("CREATE INDEX old ON app.t (n)").await;
    let proxy = Proxy::cut(database.options(), moment, Which::Says(words));
    let once = folder.migrator().reconnects(0);
    let error = once.run(&proxy.options()).await.expect_err("the connection is cut");
    assert!(proxy.was_reached() && error.is_connection(), "{error}");
    let told = error.to_string();
    for words in ["what became of statement 2 is not known", "next: Run again"] {
        assert!(told.contains(words), "`{words}` is not in: {told}");
    }
    database
}

async fn runs(folder: &Folder, database: &Database) -> Result<usize, Error> {
    let report = folder.migrator().run(&database.options()).await?;
    Ok(report.applied.len())
}

async fn resolves(folder: &Folder, database: &Database, how: Resolution) -> Result<(), Error> {
    folder.migrator().resolve(&database.options(), IT, how).await
}

#[tokio::test]
async fn what_cannot_be_proved_stops_until_a_person_has_looked() {
    let folder = Folder::of(&[("1_add.sql", ADD)]);
    for (moment, is, resolution) in
        [(Before, "n", Resolution::Redo), (After, "n added", Resolution::Done)]
    {
        let database = cut(&folder, moment, "ADD COLUMN added").await;
        for _ in 0..2 {
            let error = runs(&folder, &database).await.expect_err("nobody has looked");
            assert!(error.is_interrupted(), "{error}");
            let told = error.to_string();
            for words in
                ["1 expand add", "statement 2", "migrate resolve 1 --phase expand --done", "--redo"]
            {
                assert!(told.contains(words), "`{words}` is not in: {told}");
            }
        }
        assert_eq!(database.value(COLUMNS).await, is);
        resolves(&folder, &database, resolution).await.expect("resolved");
        assert_eq!(runs(&folder, &database).await.expect("a good end"), 1);
        assert_eq!(database.value(COLUMNS).await, "n added");
        assert_eq!(database.value(ROWS).await, "1 2 3");
        let error = resolves(&folder, &database, resolution).await.expect_err("it is done");
        assert!(error.to_string().contains("was not cut short"), "{error}");
    }
}

/// A person who says the wrong thing is told so by the statement, and may say the other.
#[tokio::test]
async fn what_was_resolved_to_be_done_again_may_fail_and_go_on_later() {
    let folder = Folder::of(&[("1_add.sql", ADD)]);
    let database = cut(&folder, After, "ADD COLUMN added").await;
    resolves(&folder, &database, Resolution::Redo).await.expect("resolved");
    let error = runs(&folder, &database).await.expect_err("the column is there");
    assert_eq!(error.sqlstate(), Some("42701"), "{error}");
    database.run("ALTER TABLE app.t DROP COLUMN added").await;
    assert_eq!(runs(&folder, &database).await.expect("a good end"), 1);
    assert_eq!(database.value(COLUMNS).await, "n added");
    assert_eq!(database.value(ROWS).await, "1 2 3");
}

/// What it left behind is looked for by its text.
#[tokio::test]
async fn the_text_of_what_was_cut_short_may_not_change_until_a_person_has_looked() {
    let folder = Folder::of(&[("1_add.sql", ADD)]);
    const DO: &str = "DO $$ BEGIN ALTER TABLE t ADD COLUMN added int; COMMIT; END $$;";
    let rest = "\nINSERT INTO t (n) VALUES (3);";
    for (edited, columns) in [
        (ADD.replace(DO, "VACUUM t;"), "n"),
        (ADD.replace("added", "instead"), "n instead"),
        (ADD.replace(DO, "").replace(rest, ""), "n"),
    ] {
        let database = cut(&folder, Before, "ADD COLUMN added").await;
        folder.write("1_add.sql", &edited);
        let error = runs(&folder, &database).await.expect_err("nobody has looked");
        assert!(error.is_divergence() && error.to_string().contains("statement 2"), "{error}");
        resolves(&folder, &database, Resolution::Redo).await.expect("resolved");
        assert_eq!(runs(&folder, &database).await.expect("a good end"), 1);
        assert_eq!(database.value(COLUMNS).await, columns);
        folder.write("1_add.sql", ADD);
    }
}

async fn goes_on(what: &str, words: &'static str, recovered_after: usize) {
    let text = format!(
        "-- migrate: no-transaction\nSET search_path = app;\n{what};\nINSERT INTO t (n) VALUES (3);"
    );
    let folder = Folder::of(&[("1_it.sql", &text)]);
    for (moment, recovered) in [(Before, 0), (After, recovered_after)] {
        let database = cut(&folder, moment, words).await;
        let heard = Heard::default();
        let migrator = folder.migrator().observer(heard.clone());
        let report = migrator.run(&database.options()).await.expect("a good end");
        assert_eq!(report.applied.len(), 1);
        assert_eq!(database.value(ROWS).await, "1 2 3");
        let indexes = "SELECT string_agg(relname || ' ' || indisvalid, ', ' ORDER BY relname) FROM pg_index \
                       JOIN pg_class ON oid = indexrelid WHERE indrelid = 'app.t'::regclass";
        let expected = if what.contains("DROP") { "NULL" } else { "new true, old true" };
        let left = database.value(indexes).await;
        assert!(left == expected || what.contains("VACUUM"), "{moment:?} {left}");
        assert_eq!(heard.with("recovered").len(), recovered, "{moment:?} {:#?}", heard.all());
    }
}

#[tokio::test]
async fn an_index_that_was_built_is_taken_as_it_is() {
    goes_on("CREATE INDEX CONCURRENTLY new ON t (n)", "apply 1 expand it */ CREATE INDEX", 1).await;
}

#[tokio::test]
async fn an_index_that_was_dropped_is_not_missed() {
    goes_on("DROP INDEX CONCURRENTLY old", "apply 1 expand it */ DROP INDEX", 1).await;
}

#[tokio::test]
async fn what_may_be_done_twice_is() {
    goes_on("VACUUM t", "apply 1 expand it */ VACUUM", 0).await;
}

/// The way back outside transactions has a journal, too.
#[tokio::test]
async fn a_way_back_that_was_cut_short_goes_on() {
    let folder = Folder::of(&[
        (
            "1_it.sql",
            "-- migrate: no-transaction\nSET search_path = app;\nCREATE INDEX CONCURRENTLY new ON t (n);",
        ),
        (
            "1_it.down.sql",
            "-- migrate: no-transaction\nSET search_path = app;\nDROP INDEX CONCURRENTLY new;\n\
             DO $$ BEGIN ALTER TABLE t ADD COLUMN back int; COMMIT; END $$;",
        ),
    ]);
    for (words, resolution) in [("DROP INDEX", None), ("ADD COLUMN back", Some(Resolution::Done))] {
        let database = Database::fresh().await;
        database.run("CREATE SCHEMA app; CREATE TABLE app.t (n int)").await;
        assert_eq!(runs(&folder, &database).await.expect("a good end"), 1);
        let proxy = Proxy::cut(database.options(), After, Which::Says(words));
        let once = folder.migrator().reconnects(0);
        let error = once.revert(&proxy.options(), None).await.expect_err("it is cut");
        assert!(proxy.was_reached() && error.is_connection(), "{error}");
        let again = folder.migrator().revert(&database.options(), None).await;
        if let Some(resolution) = resolution {
            let error = again.expect_err("nobody has looked");
            assert!(error.is_interrupted(), "{error}");
            resolves(&folder, &database, resolution).await.expect("resolved");
            folder.migrator().revert(&database.options(), None).await.expect("a good end");
        } else {
            again.expect("a good end");
        }
        assert_eq!(database.value(COLUMNS).await, "n back");
        assert_eq!(database.value("SELECT to_regclass('app.new')").await, "NULL");
        assert_eq!(runs(&folder, &database).await.expect("and forward again"), 1);
    }
}
