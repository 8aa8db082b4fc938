//! The ways through a table: by a key of any type and number of columns, by pages, by partitions.

use super::{Database, FILL, Folder, applied, fails, folder, is_filled_once, old_server, table};

/// A table with this key is filled through an index, whatever its type and however its values compare.
async fn fills_by(columns: &str, key: &str, values: &str) {
    let database = Database::fresh().await;
    let keys = key.replace(" DESC", "");
    database
        .run(&format!(
            "CREATE TABLE t ({columns}, old text, new text, n int NOT NULL DEFAULT 0);
             CREATE UNIQUE INDEX ON t ({key});
             INSERT INTO t ({keys}, old) SELECT {values}, 'row ' || g FROM generate_series(1, 500) g"
        ))
        .await;
    let report = folder(&format!("backfill t by {keys} batch 60"), FILL)
        .migrator()
        .run(&database.options())
        .await;
    assert_eq!(applied(&report.unwrap()), ["1 migrate"], "{columns}");
    is_filled_once(&database).await;
    let batches: usize =
        database.value("SELECT batches FROM schema_migrations_range").await.parse().unwrap();
    assert!((2..60).contains(&batches), "{columns}: {batches} batches");
}

#[tokio::test]
async fn keys_of_every_kind_are_gone_through() {
    for (columns, key, values) in [
        ("k uuid NOT NULL", "k", "md5(g::text)::uuid"),
        ("k text COLLATE \"C\" NOT NULL", "k", "'o''Neil \\\\ ' || chr(65 + g % 26) || g"),
        ("k text NOT NULL", "k", "CASE WHEN g % 2 = 0 THEN 'ä' ELSE 'Z' END || g"),
        (
            "k float8 NOT NULL",
            "k",
            "CASE WHEN g = 7 THEN 'NaN'::float8 WHEN g = 8 THEN '-Infinity' ELSE g / 3.0 END",
        ),
        ("k timestamptz NOT NULL", "k", "'2026-01-01'::timestamptz + g * '1.000001 s'::interval"),
        ("k numeric NOT NULL", "k", "g / 7.0"),
        ("k bytea NOT NULL", "k", "decode(md5(g::text), 'hex')"),
        ("k char(9) NOT NULL", "k", "g::text"),
        ("\"K y\" int NOT NULL", "\"K y\"", "g - 250"),
        ("a int NOT NULL, b text NOT NULL", "a, b", "g / 50, 'b' || g"),
        ("a int NOT NULL, b int NOT NULL", "a DESC, b DESC", "g / 50, g"),
        ("k int[] NOT NULL", "k", "ARRAY[g, 1]"),
    ] {
        fills_by(columns, key, values).await;
    }
}

#[tokio::test]
async fn a_key_that_would_leave_rows_out_is_refused() {
    let database = table(100).await;
    database
        .run(
            "ALTER TABLE t ADD COLUMN u int UNIQUE, ADD COLUMN plain int NOT NULL DEFAULT 1, ADD COLUMN part int NOT NULL DEFAULT 1;
             CREATE INDEX ON t (plain); CREATE UNIQUE INDEX ON t (part) WHERE id = 1; CREATE VIEW v AS TABLE t",
        )
        .await;
    for (by, why) in [
        ("t by u", "column `u` of public.t may be NULL"),
        ("t by plain", "public.t has no unique index on (plain)"),
        ("t by part", "public.t has no unique index on (part)"),
        ("t by nothing", "public.t has no column `nothing`"),
        ("nowhere by id", "there is no table `nowhere`"),
        ("v by id", "`v` is no table"),
    ] {
        let error =
            fails(&folder(&format!("backfill {by}"), FILL).migrator(), &database).await.to_string();
        assert!(error.contains(why), "{error}");
        assert!(error.contains("now: no row was changed"), "{error}");
    }
}

#[tokio::test]
async fn any_table_is_gone_through_by_its_pages() {
    let database = table(0).await;
    database.run("ALTER TABLE t DROP CONSTRAINT t_pkey; INSERT INTO t SELECT 1, 'row ' || g FROM generate_series(1, 3000) g").await;
    let pages = |directive: &str| folder(directive, FILL).migrator();
    if old_server().await {
        let error = fails(&pages("backfill t by ctid"), &database).await.to_string();
        assert!(error.contains("from PostgreSQL 14 on"), "{error}");
        return;
    }
    pages("backfill t by ctid batch 200").run(&database.options()).await.unwrap();
    is_filled_once(&database).await;
}

#[tokio::test]
async fn in_stripes_the_new_rows_find_room_beside_the_old() {
    if old_server().await {
        return;
    }
    // What is old is cleared away only where nobody may still see it, and on a shared server somebody always may.
    let server = migrate_testing::Server::private().expect("a server");
    let mut hot = Vec::new();
    for directive in ["backfill t by ctid batch 1000", "backfill t by ctid stripes 8 batch 1000"] {
        let database = super::table_on(Database::on((*server).clone()).await, 20_000).await;
        folder(directive, FILL).migrator().run(&database.options()).await.unwrap();
        is_filled_once(&database).await;
        database.run("SELECT pg_stat_force_next_flush()").await;
        let ratio = "SELECT round(100.0 * n_tup_hot_upd / n_tup_upd) FROM pg_stat_user_tables WHERE relname = 't'";
        database
            .until("SELECT n_tup_upd >= 17000 FROM pg_stat_user_tables WHERE relname = 't'")
            .await;
        hot.push(database.value(ratio).await.parse::<u32>().unwrap());
    }
    assert!(hot[1] > hot[0] + 20, "HOT updates without and with stripes: {hot:?} %");
}

/// A partition at a time where the statement leaves room for its name; by a key of the whole, all together.
#[tokio::test]
async fn partitions_are_gone_through_one_after_another() {
    let parts = "CREATE TABLE t (id bigint, k int, old text, new text, n int NOT NULL DEFAULT 0, PRIMARY KEY (id, k)) PARTITION BY LIST (k);
                 CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1); CREATE TABLE t2 PARTITION OF t FOR VALUES IN (2) PARTITION BY LIST (id);
                 CREATE TABLE \"T 3\" PARTITION OF t2 DEFAULT;
                 INSERT INTO t SELECT g, 1 + g % 2, 'row ' || g FROM generate_series(1, 1000) g";
    let by_part = FILL.replace("UPDATE t ", "UPDATE :table ");
    let mut ways = vec![
        ("backfill t by id, k batch 90", FILL, 1),
        ("backfill t by id, k batch 90", &by_part, 2),
    ];
    if !old_server().await {
        ways.push(("backfill t by ctid batch 90", &by_part, 2));
    }
    for (directive, statement, ranges) in ways {
        let database = Database::fresh().await;
        database.run(parts).await;
        folder(directive, statement).migrator().run(&database.options()).await.unwrap();
        is_filled_once(&database).await;
        let found = database.value("SELECT count(*) FROM schema_migrations_range").await;
        assert_eq!(found, ranges.to_string());
    }
    if !old_server().await {
        let database = Database::fresh().await;
        database.run(parts).await;
        let error =
            fails(&folder("backfill t by ctid", FILL).migrator(), &database).await.to_string();
        assert!(error.contains("each partition has pages of its own"), "{error}");
    }
}

#[tokio::test]
async fn rows_are_copied_into_another_table() {
    let database = table(500).await;
    database.run("CREATE TABLE copies (id bigint PRIMARY KEY, old text)").await;
    let copy = "INSERT INTO copies AS c SELECT u.id, u.old FROM t u WHERE :batch(u) \
                ON CONFLICT (id) DO UPDATE SET old = excluded.old WHERE c.old IS DISTINCT FROM excluded.old";
    folder("backfill t by id batch 60", copy).migrator().run(&database.options()).await.unwrap();
    let differ =
        "SELECT count(*) FROM t FULL JOIN copies c USING (id) WHERE t.old IS DISTINCT FROM c.old";
    assert_eq!(database.value(differ).await, "0");
}

/// A policy that hides rows from the owner would have them left out without a word.
#[tokio::test]
async fn rows_that_a_policy_hides_are_an_error() {
    let database = table(100).await;
    let role = database.role("owner", "").await;
    database
        .run(&format!(
            "GRANT CREATE ON SCHEMA public TO {role}; ALTER TABLE t OWNER TO {role}; ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
             CREATE POLICY few ON t USING (id < 10)"
        ))
        .await;
    let error = fails(&super::by_id().migrator().role(&role), &database).await;
    assert_eq!(error.sqlstate(), Some("42501"), "{error}");
    assert!(error.to_string().contains("row-level security"), "{error}");
}

/// A table that is rewritten meanwhile has its rows on other pages.
#[tokio::test]
async fn a_table_that_is_rewritten_meanwhile_is_gone_through_anew() {
    if old_server().await {
        return;
    }
    let database = table(5_000).await;
    let folder: Folder = folder("backfill t by ctid batch 100", FILL);
    let migrator = folder.migrator().budget(std::time::Duration::from_millis(60));
    migrator.run(&database.options()).await.unwrap();
    database.run("VACUUM FULL t").await;
    folder.migrator().run(&database.options()).await.unwrap();
    is_filled_once(&database).await;
}
