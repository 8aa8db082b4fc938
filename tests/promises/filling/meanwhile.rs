//! What others do to the table while it is filled: lock it, rewrite it, add and drop its partitions.

use super::{
    Database, FILL, at_its_first_batch, by_id, close, fails, folder, id, is_filled_once,
    old_server, table,
};

/// As a rewrite of the table has it, or another migration.
#[tokio::test]
async fn a_table_that_is_locked_against_readers_too_is_waited_for() {
    let database = table(1_000).await;
    let migrator = by_id().migrator();
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    let holder = database.session("BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE").await;
    gate.open();
    database.until("SELECT count(*) > 0 FROM schema_migrations_range WHERE why = 'somebody has locked public.t'").await;
    close(holder).await;
    assert_eq!(filling.join().unwrap().unwrap().done.len(), 1);
    is_filled_once(&database).await;
}

/// All rows but the last are as they should be, so that no second pass would find it by itself.
async fn all_but_the_last(rows: u32) -> Database {
    let database = table(rows).await;
    for sql in ["UPDATE t SET new = upper(old) WHERE old IS NOT NULL", "VACUUM FULL t", "ANALYZE t"]
    {
        database.run(sql).await;
    }
    let last = "INSERT INTO t VALUES (1000000, 'last')";
    database.run(last).await;
    database
}

const IS_FILLED: &str = "SELECT new FROM t WHERE id = 1000000";

#[tokio::test]
async fn a_row_that_a_rewrite_moves_into_pages_that_were_done_is_not_left_out() {
    if old_server().await {
        return;
    }
    let database = all_but_the_last(4_000).await;
    let migrator = folder("backfill t by ctid batch 20000", FILL).migrator().ranges(2);
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    database.run("DELETE FROM t WHERE id <= 3500").await;
    database.run("VACUUM FULL t").await;
    gate.open();
    filling.join().unwrap().unwrap();
    assert_eq!(database.value(IS_FILLED).await, "LAST");
}

#[tokio::test]
async fn a_locked_row_that_a_rewrite_moves_is_not_left_out() {
    if old_server().await {
        return;
    }
    let database = all_but_the_last(4_000).await;
    let migrator = folder("backfill t by ctid batch 500", FILL).migrator();
    let holder = database.session("BEGIN; SELECT FROM t WHERE id = 1000000 FOR UPDATE").await;
    let filling = {
        let (migrator, options) = (migrator.clone(), database.options());
        tokio::spawn(async move { migrator.backfill(&options).await })
    };
    super::is_begun(&database).await;
    let hole = "SELECT count(*) FILTER (WHERE NOT done) = 1 AND bool_or(is_hole) FROM schema_migrations_range";
    database.until(hole).await;
    migrator.pause_backfill(&database.options(), id(), "a rewrite").await.unwrap();
    filling.await.unwrap().unwrap();
    close(holder).await;
    database.run("DELETE FROM t WHERE id <= 3500").await;
    database.run("VACUUM FULL t").await;
    migrator.resume_backfill(&database.options(), id()).await.unwrap();
    migrator.backfill(&database.options()).await.unwrap();
    assert_eq!(database.value(IS_FILLED).await, "LAST");
}

async fn partitioned() -> Database {
    let database = Database::fresh().await;
    database
        .run(
            "CREATE TABLE t (id bigint, k int, old text, new text, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
             CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);
             INSERT INTO t SELECT g, 1 + g % 2, 'row ' || g FROM generate_series(1, 400) g;
             CREATE TABLE t3 (LIKE t INCLUDING ALL); INSERT INTO t3 SELECT g, 3, 'row ' || g FROM generate_series(1, 100) g",
        )
        .await;
    database
}

#[tokio::test]
async fn a_partition_that_is_attached_meanwhile_is_filled_too() {
    for by in ["id, k", "ctid"] {
        if by == "ctid" && old_server().await {
            continue;
        }
        let database = partitioned().await;
        let statement = FILL.replace("UPDATE t ", "UPDATE :table ");
        let migrator = folder(&format!("backfill t by {by} batch 1000"), &statement).migrator();
        // Nothing is left but what comes with it: no pass finds it by chance.
        database.run("UPDATE t SET new = upper(old), n = 1").await;
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        database.run("ALTER TABLE t ATTACH PARTITION t3 FOR VALUES IN (3)").await;
        gate.open();
        filling.join().unwrap().unwrap();
        is_filled_once(&database).await;
    }
}

/// As where old ones are dropped every night.
#[tokio::test]
async fn a_partition_that_is_dropped_meanwhile_is_no_error() {
    for by in ["id, k", "ctid"] {
        if by == "ctid" && old_server().await {
            continue;
        }
        let database = partitioned().await;
        let statement = FILL.replace("UPDATE t ", "UPDATE :table ");
        let migrator = folder(&format!("backfill t by {by} batch 1000"), &statement).migrator();
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        database.run("DROP TABLE t2").await;
        gate.open();
        assert_eq!(filling.join().unwrap().unwrap().done.len(), 1);
        is_filled_once(&database).await;
    }
}

#[tokio::test]
async fn a_table_that_is_dropped_meanwhile_is_an_error() {
    let database = table(1_000).await;
    let migrator = by_id().migrator();
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    database.run("DROP TABLE t").await;
    gate.open();
    let error = filling.join().unwrap().unwrap_err().to_string();
    assert!(error.contains("there is no table `t`"), "{error}");
    assert!(!database.has_table("schema_migrations").await);
}

#[tokio::test]
async fn pages_of_tables_that_inherit_are_not_left_out() {
    if old_server().await {
        return;
    }
    let database = table(0).await;
    database.run("CREATE TABLE child () INHERITS (t); INSERT INTO child SELECT 1, 'row' FROM generate_series(1, 100)").await;
    let error = fails(&folder("backfill t by ctid", FILL).migrator(), &database).await.to_string();
    assert!(error.contains("other tables inherit from `t`"), "{error}");
}

#[tokio::test]
async fn a_statement_that_changes_rows_on_the_side_is_refused() {
    let database = table(10).await;
    database.run("CREATE TABLE log (id bigint)").await;
    let statement = "WITH a AS (UPDATE t SET new = upper(old) WHERE :batch AND new IS DISTINCT FROM upper(old) RETURNING id) \
                     INSERT INTO log SELECT id FROM a WHERE false";
    let error =
        fails(&folder("backfill t by id", statement).migrator(), &database).await.to_string();
    assert!(error.contains("a query in its `WITH` changes rows"), "{error}");
    assert_eq!(database.value("SELECT count(*) FROM t WHERE new IS NOT NULL").await, "0");
}

#[tokio::test]
async fn a_truncated_table_is_through_and_rows_that_come_then_are_not_left_out() {
    for directive in ["backfill t by id batch 100", "backfill t by ctid batch 100"] {
        if directive.contains("ctid") && old_server().await {
            continue;
        }
        let database = table(1_000).await;
        let migrator = folder(directive, FILL).migrator();
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        database.run("TRUNCATE t").await;
        database.run("INSERT INTO t SELECT g, 'again ' || g FROM generate_series(1, 300) g").await;
        gate.open();
        filling.join().unwrap().unwrap();
        is_filled_once(&database).await;
    }
}

/// The worker reads keys with the type that they had when it began; whoever comes next, with the one they have.
#[tokio::test]
async fn a_key_that_gets_a_wider_type_is_gone_on_with_by_the_next_worker() {
    let database = table(1_000).await;
    database.run("ALTER TABLE t ALTER id TYPE int").await;
    let migrator = by_id().migrator();
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    database.run("ALTER TABLE t ALTER id TYPE bigint").await;
    database
        .run("INSERT INTO t SELECT 3000000000 + g, 'far ' || g FROM generate_series(1, 30000) g")
        .await;
    gate.open();
    assert_eq!(filling.join().unwrap().unwrap_err().sqlstate(), Some("22003"));
    migrator.backfill(&database.options()).await.unwrap();
    is_filled_once(&database).await;
}
