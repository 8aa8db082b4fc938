//! What ended without being done is not called done when somebody comes again.

use std::time::Duration;

use super::{FILL, fails, folder, is_filled_once, table};
use crate::harness::{Gate, applied};

/// That no row was left was true when it was found; since then there was time.
#[tokio::test]
async fn what_did_not_hold_is_gone_through_anew_before_it_is_looked_at_again() {
    let database = table(100).await;
    database.run("CREATE TABLE want (n bigint); INSERT INTO want VALUES (7)").await;
    let directives = "backfill t by id\nverify (SELECT count(*) FROM t WHERE new IS NULL) = (SELECT n FROM want)";
    let migrator = folder(directives, FILL).migrator();
    fails(&migrator, &database).await;
    database.run("INSERT INTO t VALUES (1000, 'late'); UPDATE want SET n = 14").await;
    assert_eq!(applied(&migrator.run(&database.options()).await.unwrap()), ["1 migrate"]);
    is_filled_once(&database).await;
    assert!(super::reason(&database).await.starts_with("87 rows changed;"), "those before count");
}

#[tokio::test]
async fn a_worker_that_ended_before_it_had_verified_is_not_believed_later() {
    let database = table(100).await;
    let directives = "backfill t by id\nverify (SELECT count(*) FROM later) = 0";
    fails(&folder(directives, FILL).migrator(), &database).await;
    database
        .run(
            "UPDATE schema_migrations_backfill SET state = 'filled';
             UPDATE schema_migrations_range SET updated_at = now() - interval '2 hours';
             INSERT INTO t VALUES (1000, 'late'); CREATE TABLE later ()",
        )
        .await;
    folder(directives, FILL).migrator().run(&database.options()).await.unwrap();
    is_filled_once(&database).await;
}

#[tokio::test]
async fn when_nothing_writes_rows_any_more_that_have_to_be_changed_it_goes_on() {
    let database = table(100).await;
    let old = "CREATE TABLE busy AS SELECT true AS yes;
               CREATE FUNCTION writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                   IF (SELECT yes FROM busy) THEN UPDATE t SET old = t.old || 'x' WHERE id = 1 + NEW.id % 2; END IF;
                   RETURN NEW; END $$;
               CREATE TRIGGER writes AFTER UPDATE ON t FOR EACH ROW
               WHEN (OLD.new IS DISTINCT FROM NEW.new AND pg_trigger_depth() = 0) EXECUTE FUNCTION writes()";
    database.run(old).await;
    let statement = "UPDATE t SET new = old WHERE :batch AND new IS DISTINCT FROM old";
    let migrator = folder("backfill t by id batch 50", statement).migrator();
    // The first batch, when it is repeated, would show it at once.
    database.run("UPDATE busy SET yes = false; UPDATE t SET new = old WHERE id > 60").await;
    let gate = Gate::before("batch 1 migrate pass 1");
    let filling = {
        let (migrator, options) = (migrator.clone().observer(gate.clone()), database.options());
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.unwrap().block_on(async move { migrator.run(&options).await })
        })
    };
    gate.reached().await;
    database.run("UPDATE busy SET yes = true; UPDATE t SET new = 'wrong' WHERE id > 60").await;
    gate.open();
    let error = filling.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("pass 5 over the table still changed"), "{error}");
    database.run("UPDATE busy SET yes = false").await;
    assert_eq!(applied(&migrator.run(&database.options()).await.unwrap()), ["1 migrate"]);
    let wrong = "SELECT count(*) FROM t WHERE new IS DISTINCT FROM old";
    assert_eq!(database.value(wrong).await, "0");
}

#[tokio::test]
async fn no_range_at_all_is_not_every_range_done() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 10", FILL).migrator();
    let first = migrator.clone().budget(Duration::ZERO);
    first.run(&database.options()).await.unwrap();
    database.run("DELETE FROM schema_migrations_range").await;
    assert_eq!(applied(&migrator.run(&database.options()).await.unwrap()), ["1 migrate"]);
    is_filled_once(&database).await;
}

#[tokio::test]
async fn a_worker_whose_ranges_are_deleted_says_so_and_the_next_begins_anew() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 100", FILL).migrator();
    let (gate, filling) = super::at_its_first_batch(&migrator, &database).await;
    database.run("DELETE FROM schema_migrations_range").await;
    gate.open();
    let error = filling.join().unwrap().unwrap_err();
    assert!(error.to_string().contains("somebody has deleted it"), "{error}");
    migrator.backfill(&database.options()).await.unwrap();
    is_filled_once(&database).await;
}

/// Else it would note a place in a range that another goes through from its beginning.
#[tokio::test]
async fn who_held_a_range_before_it_began_anew_cannot_write_it() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 100", FILL).migrator();
    let (first_gate, first) = super::at_its_first_batch(&migrator, &database).await;
    let fence = "SELECT fence FROM schema_migrations_range";
    let before: i64 = database.value(fence).await.parse().unwrap();
    database
        .run("DELETE FROM schema_migrations_range; DELETE FROM schema_migrations_backfill")
        .await;
    let (second_gate, second) = super::at_its_first_batch(&migrator, &database).await;
    assert!(before < database.value(fence).await.parse().unwrap());
    let cursor = "SELECT cursor_place FROM schema_migrations_range";
    let place = database.value(cursor).await;
    first_gate.open();
    tokio::time::sleep(Duration::from_millis(300)).await; // the longer, the more it could do wrong
    assert_eq!(database.value(cursor).await, place);
    second_gate.open();
    second.join().unwrap().unwrap();
    first.join().unwrap().unwrap();
    is_filled_once(&database).await;
}

/// Whoever has a row in its hands that it cannot change has not got the range any more.
#[tokio::test]
async fn a_range_is_free_when_a_batch_of_it_has_failed() {
    let database = table(1_000).await;
    database.run("ALTER TABLE t ADD CHECK (new <> 'ROW 505')").await;
    let migrator = super::by_id().migrator();
    fails(&migrator, &database).await;
    let held = "SELECT count(*) FROM schema_migrations_range WHERE holder IS NOT NULL";
    assert_eq!(database.value(held).await, "0");
}
