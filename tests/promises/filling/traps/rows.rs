//! Rows that are written, moved and hidden while they are filled.

use sqlx::Connection;

use super::super::fails;
use super::{
    Database, FILL, SYNC, at_its_first_batch, fill_and_meanwhile, folder, is_in_step, is_right,
    old_server, synced, table, ways,
};

/// Trap 5: with `=` in place of `IS DISTINCT FROM`, what becomes NULL or was NULL is never seen.
#[tokio::test]
async fn values_that_become_null_and_nulls_that_become_values_are_not_left_out() {
    let writes = "UPDATE t SET old = NULL WHERE id IN (50, 51, 500); UPDATE t SET old = 'is' WHERE id IN (7, 707);
                  UPDATE t SET old = NULL WHERE id = 707; INSERT INTO t VALUES (-1, NULL), (2000, NULL), (2001, 'late')";
    for way in ways().await {
        let database = synced().await;
        fill_and_meanwhile(&database, way, writes).await;
        is_in_step(&database).await;
        // Without the trigger too: what is written behind the place is found by the next pass.
        let database = table(1_000).await;
        fill_and_meanwhile(&database, way, writes).await;
        is_right(&database).await;
    }
}

/// Trap 7: on a row that is not filled yet nobody can tell a NULL that new code has written from one that was always
/// there, so that the filling writes over it. What can be done is to tell new code when it may begin.
#[tokio::test]
async fn new_code_is_told_that_it_is_not_filled_until_it_is() {
    let database = synced().await;
    let migrator = folder("backfill t by id batch 100", FILL).migrator();
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    assert!(!migrator.check(&database.options()).await.unwrap());
    database.run("UPDATE t SET new = NULL WHERE id IN (50, 500)").await;
    gate.open();
    filling.join().unwrap().unwrap();
    assert!(migrator.check(&database.options()).await.unwrap());
    let rows =
        "SELECT string_agg(coalesce(new, '-'), ' ' ORDER BY id) FROM t WHERE id IN (50, 500)";
    assert_eq!(database.value(rows).await, "- n:row 500", "of a filled row the NULL stays");
    is_in_step(&database).await;
}

/// Trap 8: of an upsert BEFORE INSERT fires first, and what it has put in comes again as EXCLUDED.
#[tokio::test]
async fn upserts_of_either_code_are_kept() {
    let writes = "INSERT INTO t (id, old) VALUES (50, 'o1'), (500, 'o2'), (2000, 'o3') ON CONFLICT (id) DO UPDATE SET old = EXCLUDED.old;
                  INSERT INTO t (id, new) VALUES (51, 'n:p1'), (501, 'n:p2'), (2001, 'n:p3') ON CONFLICT (id) DO UPDATE SET new = EXCLUDED.new;
                  INSERT INTO t (id, old) VALUES (52, NULL), (502, NULL) ON CONFLICT (id) DO UPDATE SET old = EXCLUDED.old;
                  INSERT INTO t (id, old) VALUES (53, 'no'), (503, 'no') ON CONFLICT DO NOTHING";
    for way in ways().await {
        let database = synced().await;
        fill_and_meanwhile(&database, way, writes).await;
        is_in_step(&database).await;
        let kept = "SELECT string_agg(coalesce(old, '-'), ' ' ORDER BY id) FROM t WHERE id IN (50, 51, 52, 500, 501, 502, 2000, 2001)";
        assert_eq!(database.value(kept).await, "o1 p1 - o2 p2 - o3 p3", "{way}");
    }
}

/// Trap 9: COPY fires the triggers of rows, and its rows come behind the place as well as ahead of it.
#[tokio::test]
async fn rows_that_are_copied_in_are_filled() {
    for way in ways().await {
        let database = synced().await;
        let migrator = folder(way, FILL).migrator();
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        let mut connection = database.connect().await;
        let mut copy = connection.copy_in_raw("COPY t (id, old) FROM STDIN").await.unwrap();
        let line = |n: i64| format!("{}\tcopied {n}\n", if n % 2 == 0 { -n } else { 5_000 + n });
        copy.send((0..10_000).map(line).collect::<String>().into_bytes()).await.unwrap();
        assert_eq!(copy.finish().await.unwrap(), 10_000);
        connection.close().await.unwrap();
        gate.open();
        filling.join().unwrap().unwrap();
        is_in_step(&database).await;
    }
}

/// Trap 16: what is skipped because it is locked lies behind the place, and nobody comes there again.
#[tokio::test]
async fn a_row_that_is_locked_in_its_turn_is_not_left_out_by_pages_either() {
    for way in ways().await {
        let database = synced().await;
        // All others are as they should be, so that no second pass would find it.
        database
            .run("UPDATE t SET n = 0; UPDATE t SET new = NULL, old = 'is' WHERE id = 500")
            .await;
        database.run("ALTER TABLE t DISABLE TRIGGER USER; UPDATE t SET new = NULL, old = 'is' WHERE id = 500; ALTER TABLE t ENABLE TRIGGER USER").await;
        let holder = database.session("BEGIN; SELECT FROM t WHERE id = 500 FOR UPDATE").await;
        let filling = {
            let (migrator, options) = (folder(way, FILL).migrator(), database.options());
            tokio::spawn(async move { migrator.backfill(&options).await })
        };
        super::super::is_begun(&database).await;
        let hole = "SELECT count(*) FILTER (WHERE NOT done) = 1 AND coalesce(bool_or(is_hole), false) FROM schema_migrations_range";
        database.until(hole).await;
        holder.close().await.unwrap();
        filling.await.unwrap().unwrap();
        assert_eq!(database.value("SELECT new FROM t WHERE id = 500").await, "n:is", "{way}");
    }
}

/// Trap 17: a row whose key changes goes from ahead of the place to behind it.
#[tokio::test]
async fn rows_whose_key_changes_meanwhile_are_filled() {
    let writes = "UPDATE t SET id = id - 2000 WHERE id BETWEEN 500 AND 600; UPDATE t SET id = id + 5000 WHERE id <= 20";
    for way in ways().await {
        for sync in ["SELECT 1", SYNC] {
            let database = table(1_000).await;
            database.run(sync).await;
            fill_and_meanwhile(&database, way, writes).await;
            is_in_step(&database).await;
        }
    }
}

/// Trap 18: a row without a key has no place in the order of it; the table is gone through by its pages.
#[tokio::test]
async fn rows_without_a_key_are_filled_by_their_pages() {
    let database = synced().await;
    database.run("ALTER TABLE t DROP CONSTRAINT t_pkey, ALTER id DROP NOT NULL, ADD UNIQUE (id); UPDATE t SET id = NULL WHERE id % 3 = 0").await;
    let error = fails(&folder("backfill t by id", FILL).migrator(), &database).await.to_string();
    assert!(error.contains("may be NULL") && error.contains("by ctid"), "{error}");
    if !old_server().await {
        fill_and_meanwhile(
            &database,
            "backfill t by ctid batch 100",
            "INSERT INTO t VALUES (NULL, 'late')",
        )
        .await;
        is_in_step(&database).await;
    }
}

/// Trap 19: an order that is not that of the bytes: places are compared by the server, in the collation of the column.
#[tokio::test]
async fn keys_that_compare_otherwise_than_their_bytes_are_gone_through() {
    let database = Database::fresh().await;
    let icu = "SELECT count(*) > 0 FROM pg_collation WHERE collprovider = 'i'";
    if database.value(icu).await != "true" {
        return;
    }
    database
        .run(&format!(
            "CREATE COLLATION fold (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
             CREATE TABLE t (id text COLLATE fold, old text, new text, n int NOT NULL DEFAULT 0, PRIMARY KEY (id));
             INSERT INTO t SELECT CASE g % 3 WHEN 0 THEN 'É' WHEN 1 THEN 'e' ELSE 'Z' END || g, 'row ' || g FROM generate_series(1, 1000) g;
             {SYNC}"
        ))
        .await;
    fill_and_meanwhile(
        &database,
        "backfill t by id batch 100",
        "UPDATE t SET id = upper(id); INSERT INTO t VALUES ('ea', 'late')",
    )
    .await;
    is_in_step(&database).await;
    let reason = super::super::reason(&database).await;
    assert!(reason.contains("pass 2, "), "none was left to the next pass: {reason}");
}

/// Trap 20: a default that stands for nothing is not NULL, and a row that has it is not done.
#[tokio::test]
async fn a_default_that_stands_for_nothing_is_not_taken_for_done() {
    let database = table(100).await;
    database.run("ALTER TABLE t ALTER old SET DEFAULT '', ALTER new SET DEFAULT ''; UPDATE t SET old = 'is', new = ''").await;
    let is_null = "UPDATE t SET new = 'n:' || old WHERE :batch AND new IS NULL";
    let verify = "verify NOT EXISTS (SELECT FROM t WHERE new IS DISTINCT FROM 'n:' || old)";
    let migrator = folder(&format!("backfill t by id\n{verify}"), is_null).migrator();
    let error = fails(&migrator, &database).await.to_string();
    assert!(error.contains("does not hold"), "{error}");
    folder(&format!("backfill t by id\n{verify}"), FILL)
        .migrator()
        .run(&database.options())
        .await
        .unwrap();
    is_in_step(&database).await;
}

/// Trap 22: an update that changes the key of a partition is a delete and an insert.
#[tokio::test]
async fn rows_that_move_between_partitions_are_filled() {
    let parts = "CREATE TABLE t (id bigint, k int, old text, new text, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
                 CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2);
                 INSERT INTO t SELECT g, 1 + g % 2, 'row ' || g FROM generate_series(1, 1000) g";
    let by_part = FILL.replace("UPDATE t ", "UPDATE :table ");
    let mut ways = vec![("id, k", FILL), ("id, k", &by_part)];
    if !old_server().await {
        ways.push(("ctid", &by_part));
    }
    for (by, statement) in ways {
        for sync in ["SELECT 1", SYNC] {
            let database = Database::fresh().await;
            database.run(parts).await;
            database.run(sync).await;
            let migrator = folder(&format!("backfill t by {by} batch 100"), statement).migrator();
            let (gate, filling) = at_its_first_batch(&migrator, &database).await;
            // One moves while it is waited for.
            database.run("UPDATE t SET k = 3 - k WHERE id % 10 < 3").await;
            let mover =
                database.session("BEGIN; UPDATE t SET k = 3 - k WHERE id IN (55, 555, 556)").await;
            gate.open();
            database.until("SELECT count(*) > 0 FROM schema_migrations_range WHERE is_hole").await;
            super::super::close(mover).await;
            database.run("UPDATE t SET k = 3 - k WHERE id IN (55, 777)").await;
            filling.join().unwrap().unwrap();
            is_in_step(&database).await;
        }
    }
}

/// Trap 36: see `orders.rs` for one whose policy hides rows from their owner.
/// Trap 38: how much the log of the server grows by is measured with each batch.
#[tokio::test]
async fn what_a_batch_adds_to_the_log_is_measured() {
    let mut bytes = Vec::new();
    for identity in ["DEFAULT", "FULL"] {
        let database = table(1_000).await;
        database.run(&format!("ALTER TABLE t REPLICA IDENTITY {identity}")).await;
        let migrator = folder("backfill t by id batch 1000", FILL).migrator();
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        bytes.push(
            database
                .value("SELECT batch_wal FROM schema_migrations_range")
                .await
                .parse::<u64>()
                .unwrap(),
        );
        gate.open();
        filling.join().unwrap().unwrap();
    }
    assert!(bytes.iter().all(|bytes| *bytes > 50_000), "{bytes:?}");
}

/// Trap 6: a default of the old column, at an INSERT that only names the new one, is not taken for what the application
/// has written. The trigger has to know which of the two was said; the fill agrees with it and undoes nothing.
#[tokio::test]
async fn what_only_the_new_column_was_given_is_kept_whatever_the_defaults() {
    const OLD_CODE: &str = "INSERT INTO t (id, old) VALUES (2002, 'ours')";
    // A default of the new column is there whether or not somebody has written it: one that only the old column was
    // given would be overruled, so that the new column has none before the old code is gone.
    const NO_DEFAULT: &str = "INSERT INTO t (id, old, new) VALUES (2002, 'ours', NULL)";
    for (defaults, of_old_code, neither) in [
        ("", OLD_CODE, "NULL"),
        ("ALTER TABLE t ALTER old SET DEFAULT 'usual'", OLD_CODE, "usual"),
        ("ALTER TABLE t ALTER new SET DEFAULT 'n:usual'", NO_DEFAULT, "usual"),
    ] {
        let database = synced().await;
        database.run(defaults).await;
        let inserts = format!(
            "INSERT INTO t (id, new) VALUES (2001, 'n:theirs'); {of_old_code};
             INSERT INTO t (id, old, new) VALUES (2003, 'both', 'n:both');
             INSERT INTO t (id) VALUES (2004)"
        );
        fill_and_meanwhile(&database, "backfill t by id batch 100", &inserts).await;
        is_in_step(&database).await;
        let found =
            "SELECT string_agg(coalesce(old, 'NULL'), ' ' ORDER BY id) FROM t WHERE id > 2000";
        assert_eq!(
            database.value(found).await,
            format!("theirs ours both {neither}"),
            "{defaults}"
        );
    }
}

/// Trap 21: no trigger for rows sees a TRUNCATE. What was filled into another table goes by a trigger for it.
#[tokio::test]
async fn rows_of_another_table_go_with_those_that_are_truncated() {
    const INTO: &str = "INSERT INTO copies SELECT id, old FROM t WHERE :batch \
        ON CONFLICT (id) DO UPDATE SET old = excluded.old WHERE copies.old IS DISTINCT FROM excluded.old";
    const FOLLOWS: &str = "CREATE FUNCTION empties() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN TRUNCATE copies; RETURN NULL; END $$;
        CREATE TRIGGER \"~empties\" AFTER TRUNCATE ON t FOR EACH STATEMENT EXECUTE FUNCTION empties()";
    for (trigger, is_left) in [("", true), (FOLLOWS, false)] {
        let database = table(1_000).await;
        database.run("CREATE TABLE copies (id bigint PRIMARY KEY, old text)").await;
        database.run(trigger).await;
        let migrator = folder("backfill t by id batch 100", INTO).migrator();
        let (gate, filling) = at_its_first_batch(&migrator, &database).await;
        database.run("TRUNCATE t; INSERT INTO t (id, old) VALUES (5, 'anew'), (500, 'anew')").await;
        gate.open();
        filling.join().expect("no panic").expect("filled");
        let lost = "SELECT count(*) FROM t LEFT JOIN copies c USING (id) WHERE c.old IS DISTINCT FROM t.old";
        assert_eq!(database.value(lost).await, "0", "rows of the source that are not there");
        let stale =
            "SELECT count(*) FROM copies c WHERE NOT EXISTS (SELECT FROM t WHERE t.id = c.id)";
        let stale: u32 = database.value(stale).await.parse().unwrap();
        assert_eq!(stale > 0, is_left, "{stale} rows of nothing, {trigger:?}");
    }
}
