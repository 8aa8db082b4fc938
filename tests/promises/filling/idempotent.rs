//! A backfill is done when a whole pass finds nothing to change, and everything that was promised of it holds.

use super::{FILL, close, fails, folder, is_filled_once, reason, table};
use crate::harness::{Database, Folder, applied};

#[tokio::test]
async fn a_statement_that_changes_its_rows_again_is_refused_before_it_changes_one() {
    for statement in [
        "UPDATE t SET n = n + 1 WHERE :batch",
        "UPDATE t SET new = clock_timestamp()::text WHERE :batch AND new IS DISTINCT FROM clock_timestamp()::text",
        "UPDATE t SET new = upper(old) WHERE :batch AND new IS NULL",
    ] {
        let database = table(1_000).await;
        let error =
            fails(&folder("backfill t by id batch 100", statement).migrator(), &database).await;
        let text = error.to_string();
        assert!(text.contains("and when it was repeated at once"), "{text}");
        assert!(text.contains("1_fill.migrate.sql:2:1"), "{text}");
        let touched = "SELECT count(*) FROM t WHERE n > 0 OR new IS NOT NULL";
        assert_eq!(database.value(touched).await, "0");
        assert_eq!(database.history().await, ["1 1 migrate backfill up failed"]);
    }
}

#[tokio::test]
async fn rows_that_come_behind_the_cursor_are_found_by_the_next_pass() {
    let database = table(500).await;
    let pass = "CREATE FUNCTION behind() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                    IF NEW.id = 400 THEN UPDATE t SET old = 'changed', new = NULL WHERE id = 3; END IF; RETURN NEW; END $$;
                CREATE TRIGGER behind AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION behind()";
    database.run(pass).await;
    super::by_id().migrator().run(&database.options()).await.unwrap();
    assert_eq!(database.value("SELECT new FROM t WHERE id = 3").await, "CHANGED");
    assert!(reason(&database).await.contains("pass 3, over 500 rows, found none left"));
}

#[tokio::test]
async fn rows_that_keep_coming_back_are_told_and_it_is_not_done() {
    let database = table(100).await;
    // Old code that writes a row for each that is filled.
    let old = "CREATE FUNCTION writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   UPDATE t SET old = t.old || 'x' WHERE id = 1 AND pg_trigger_depth() = 1; RETURN NEW; END $$;
               CREATE TRIGGER writes AFTER UPDATE ON t FOR EACH ROW WHEN (OLD.new IS DISTINCT FROM NEW.new)
               EXECUTE FUNCTION writes()";
    database.run(old).await;
    let migrator = folder(
        "backfill t by id batch 100",
        "UPDATE t SET new = old WHERE :batch AND new IS DISTINCT FROM old",
    )
    .migrator();
    let error = fails(&migrator, &database).await.to_string();
    assert!(
        error.contains("pass 5 over the table still changed") || error.contains("repeated at once"),
        "{error}"
    );
    assert_eq!(
        database.value("SELECT count(*) FROM schema_migrations WHERE state = 'done'").await,
        "0"
    );
}

#[tokio::test]
async fn a_condition_that_does_not_hold_keeps_it_from_being_done() {
    let database = table(100).await;
    database.run("CREATE TABLE want (n bigint); INSERT INTO want VALUES (7)").await;
    let directives = "backfill t by id\nverify (SELECT count(*) FROM t WHERE new IS NULL) = (SELECT n FROM want)";
    let migrator = folder(directives, FILL).migrator();
    let error = fails(&migrator, &database).await.to_string();
    assert!(
        error.contains(
            "`(SELECT count(*) FROM t WHERE new IS NULL) = (SELECT n FROM want)` does not hold"
        ),
        "{error}"
    );
    assert_eq!(database.history().await, ["1 1 migrate backfill up failed"]);
    database.run("UPDATE want SET n = 14").await;
    assert_eq!(applied(&migrator.run(&database.options()).await.unwrap()), ["1 migrate"]);
    assert!(reason(&database).await.ends_with("1 condition holds"), "{}", reason(&database).await);
    is_filled_once(&database).await;
}

#[tokio::test]
async fn the_database_proves_it_and_keeps_it_so() {
    let database = table(100).await;
    let directives = "backfill t by id\nprove new IS NOT DISTINCT FROM upper(old)";
    // Somebody reads, and the constraint has to wait for them without a queue behind it.
    let reader = database.session("BEGIN; SELECT count(*) FROM t").await;
    let running = {
        let (migrator, options) = (folder(directives, FILL).migrator(), database.options());
        tokio::spawn(async move { migrator.run(&options).await })
    };
    super::is_begun(&database).await;
    database
        .until("SELECT count(*) = 1 FROM schema_migrations_backfill WHERE state = 'filled'")
        .await;
    close(reader).await;
    running.await.unwrap().unwrap();
    let proof = "SELECT convalidated FROM pg_constraint WHERE conname = 'migrate_proof_1'";
    assert_eq!(database.value(proof).await, "true");
    assert!(reason(&database).await.ends_with("proved by a constraint"));
}

/// A change of the declaration begins it anew; how many rows are in a batch is no change.
#[tokio::test]
async fn another_statement_begins_anew() {
    let database = table(300).await;
    let zero = std::time::Duration::ZERO;
    let first = folder("backfill t by id batch 10", FILL).migrator().budget(zero);
    first.run(&database.options()).await.unwrap();
    database.run("UPDATE schema_migrations_range SET cursor_place = '{300}', seen = 300").await;
    let other =
        folder("backfill t by id batch 20", &FILL.replace("upper(old)", "lower(old)")).migrator();
    other.run(&database.options()).await.unwrap();
    let wrong = "SELECT count(*) FROM t WHERE new IS DISTINCT FROM lower(old)";
    assert_eq!(database.value(wrong).await, "0");
}

#[tokio::test]
async fn what_was_taken_back_is_filled_anew() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (id bigint PRIMARY KEY, old text); INSERT INTO t SELECT g, 'a' FROM generate_series(1, 100) g").await;
    let folder = Folder::of(&[
        ("1_new.expand.sql", "ALTER TABLE t ADD COLUMN new text;"),
        (
            "1_new.migrate.sql",
            "-- migrate: backfill t by id\nUPDATE t SET new = upper(old) WHERE :batch AND new IS DISTINCT FROM upper(old);",
        ),
        ("1_new.down.sql", "ALTER TABLE t DROP COLUMN new;"),
    ]);
    for _ in 0..2 {
        folder.migrator().run(&database.options()).await.unwrap();
        assert_eq!(database.value("SELECT count(*) FROM t WHERE new = 'A'").await, "100");
        folder.migrator().revert(&database.options(), None).await.unwrap();
    }
}
