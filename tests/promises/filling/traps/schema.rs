//! Triggers, constraints and columns beside the filling.

use sqlx::{Connection, Row};

use super::super::fails;
use super::{
    FILL, SYNC, at_its_first_batch, fill_and_meanwhile, folder, is_in_step, is_right, synced,
    table, ways,
};

/// Trap 11: a trigger of the application that sorts behind ours changes what ours has read.
#[tokio::test]
async fn a_trigger_that_changes_the_source_behind_ours_is_told_before_a_row_is_changed() {
    let user = "CREATE FUNCTION trims() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.old := trim(NEW.old); RETURN NEW; END $$;
                UPDATE t SET old = ' ' || old;
                CREATE TRIGGER \"NAME\" BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION trims()";
    let database = table(1_000).await;
    database.run(&user.replace("NAME", "~~behind")).await;
    database.run(SYNC).await;
    let error = fails(&folder("backfill t by id", FILL).migrator(), &database).await.to_string();
    assert!(error.contains("and when it was repeated at once"), "{error}");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE new IS NOT NULL").await, "0");
    for way in ways().await {
        let database = table(1_000).await;
        database.run(&user.replace("NAME", "ahead")).await;
        database.run(SYNC).await;
        database.run("ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET old = trim(old); ALTER TABLE t ENABLE TRIGGER USER").await;
        fill_and_meanwhile(&database, way, "UPDATE t SET old = ' spaced ' WHERE id IN (50, 500)")
            .await;
        is_in_step(&database).await;
    }
}

/// Trap 12: a trigger with `UPDATE OF` does not fire for what another trigger changes. While it is filled, the next pass
/// finds that; behind it nobody would.
#[tokio::test]
async fn what_a_trigger_with_a_list_of_columns_does_not_see_is_found_by_the_next_pass() {
    let listed = SYNC.replace("INSERT OR UPDATE ON t", "INSERT OR UPDATE OF old, new ON t");
    let user = "CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.old := 'noted'; RETURN NEW; END $$;
                CREATE TRIGGER a BEFORE UPDATE ON t FOR EACH ROW WHEN (NEW.n = 0 AND OLD.n = 0 AND OLD.id IN (500, 501)) EXECUTE FUNCTION notes()";
    for way in ways().await {
        let database = table(1_000).await;
        database.run(&listed).await;
        database.run(user).await;
        fill_and_meanwhile(&database, way, "UPDATE t SET n = n WHERE id IN (50, 500)").await;
        is_in_step(&database).await;
    }
}

/// Trap 23: a constraint NOT VALID holds for every row that is written, also for one that is not filled yet.
#[tokio::test]
async fn rows_that_are_not_filled_can_be_written_until_all_are() {
    let database = table(1_000).await;
    let directives = "backfill t by id batch 100\nprove new IS NOT DISTINCT FROM 'n:' || old";
    let migrator = folder(directives, FILL).migrator();
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    database.run("UPDATE t SET n = n WHERE id IN (50, 500)").await;
    gate.open();
    filling.join().unwrap().unwrap();
    database.run("UPDATE t SET n = n WHERE id IN (50, 500)").await;
    is_in_step(&database).await;
}

/// Trap 25: to the triggers of the application a filling is a write like any other. A row is written once, and one that
/// is as it should be not at all: so often does `updated_at` change, and does a lock by version fail.
#[tokio::test]
async fn triggers_of_the_application_see_each_changed_row_once_and_no_other() {
    for way in ways().await {
        let database = table(1_000).await;
        database
            .run(
                "ALTER TABLE t ADD version int NOT NULL DEFAULT 0;
                 CREATE FUNCTION touches() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.version := OLD.version + 1; RETURN NEW; END $$;
                 CREATE TRIGGER touches BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touches()",
            )
            .await;
        fill_and_meanwhile(&database, way, "SELECT 1").await;
        is_in_step(&database).await;
        let often = "SELECT count(*) FROM t WHERE version <> (old IS NOT NULL)::int";
        assert_eq!(database.value(often).await, "0", "{way}");
    }
}

/// Trap 31: a filling changes no result of a statement that was prepared before.
#[tokio::test]
async fn prepared_statements_of_the_application_go_on() {
    let database = table(1_000).await;
    let mut application = database.connect().await;
    let directives = "backfill t by id batch 100\nprove new IS NOT DISTINCT FROM 'n:' || old";
    let migrator = folder(directives, FILL).migrator();
    for round in 0..3 {
        let row = sqlx::query("SELECT * FROM t WHERE id = $1")
            .bind(50_i64)
            .fetch_one(&mut application)
            .await
            .unwrap();
        assert_eq!(row.get::<Option<String>, _>("new").is_some(), round > 0);
        if round == 0 {
            migrator.run(&database.options()).await.unwrap();
        }
    }
    application.close().await.unwrap();
}

/// Trap 34: somebody turns the trigger off for a while. What was written then behind the place is found by the next pass.
#[tokio::test]
async fn rows_that_were_written_while_the_trigger_was_off_are_found() {
    let writes = "ALTER TABLE t DISABLE TRIGGER \"~sync\"; UPDATE t SET old = 'unseen' WHERE id IN (50, 500); ALTER TABLE t ENABLE TRIGGER \"~sync\"";
    for way in ways().await {
        let database = synced().await;
        fill_and_meanwhile(&database, way, writes).await;
        is_right(&database).await;
    }
}

/// Trap 34, another: what the statement names is no longer there.
#[tokio::test]
async fn a_column_that_is_dropped_meanwhile_ends_it_with_a_word() {
    let database = table(1_000).await;
    let migrator = folder("backfill t by id batch 100", FILL).migrator();
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    database.run("ALTER TABLE t DROP COLUMN old").await;
    gate.open();
    let error = filling.join().unwrap().unwrap_err();
    assert_eq!(error.sqlstate(), Some("42703"), "{error}");
    assert!(error.to_string().contains("1_fill.migrate.sql:2:"), "{error}");
}

/// Trap 37: new code is planned by statistics of a column that were taken when it was empty, unless they are renewed.
#[tokio::test]
async fn the_new_column_has_statistics_when_it_is_done() {
    for way in ways().await {
        let database = table(1_000).await;
        let nulls =
            "SELECT null_frac > 0.9 FROM pg_stats WHERE tablename = 't' AND attname = 'new'";
        assert_eq!(database.value(nulls).await, "true");
        fill_and_meanwhile(&database, way, "SELECT 1").await;
        assert_eq!(database.value(nulls).await, "false", "{way}");
    }
}

/// Trap 34: somebody changes the table beside the fill. What would make it wrong ends it or is found by the next pass:
/// what the statement names is looked up anew at each batch, and a table that was rewritten is gone through anew.
#[tokio::test]
async fn a_table_that_is_changed_meanwhile_is_filled_as_it_is_then() {
    for change in [
        "VACUUM FULL t",
        "CLUSTER t USING t_pkey",
        "ALTER TABLE t ADD other int DEFAULT 5",
        "ALTER TABLE t ALTER id TYPE numeric",
        "CREATE OR REPLACE FUNCTION sync() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
         UPDATE t SET old = 'unseen' WHERE id IN (5, 50, 500)",
    ] {
        for way in ways().await {
            let database = synced().await;
            fill_and_meanwhile(&database, way, change).await;
            is_right(&database).await;
        }
    }
}

/// The server's own word where a trigger has a plan for the column as it was: every session that wrote before hears it,
/// the application's too. Whoever comes next goes on.
#[tokio::test]
async fn a_column_that_gets_another_type_under_a_trigger_ends_it_and_the_next_run_goes_on() {
    for way in ways().await {
        let database = synced().await;
        let migrator = folder(way, FILL).migrator();
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        database.run("ALTER TABLE t ALTER old TYPE varchar(100)").await;
        gate.open();
        let error = filling.join().expect("no panic").expect_err("the plan is of another type");
        assert_eq!(error.sqlstate(), Some("42804"), "{error}");
        migrator.run(&database.options()).await.expect("filled");
        is_in_step(&database).await;
    }
}
