//! What was cut short outside transactions is looked up in the catalog: each kind of statement by what it leaves.
//! Whatever a run left, the next one ends where an undisturbed one would have.

use std::time::Duration;

use migrate_postgres::{Error, Migrator, Report};
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinHandle;

use crate::harness::proxy::{After, Before, Proxy, Which};
use crate::harness::{Database, Folder, Heard};

const SNAPSHOT: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class";
const WAITS_FOR_THE_SNAPSHOT: &str = "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index \
    WHERE datname = current_database() AND phase = 'waiting for old snapshots')";
const NOBODY_BUILDS: &str = "SELECT NOT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database())";
const CANCEL: &str = "SELECT pg_cancel_backend(pid) FROM pg_stat_progress_create_index WHERE datname = current_database()";
const INDEXES: &str = "SELECT string_agg(relname || ' ' || indisvalid, ', ' ORDER BY relname) FROM pg_index \
    JOIN pg_class ON oid = indexrelid WHERE indrelid::regclass::text LIKE 't%'";

async fn table() -> Database {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (n int, line text); CREATE INDEX t_n ON t (n)").await;
    database
}

fn outside(text: &str) -> Folder {
    Folder::of(&[("1_it.sql", &format!("-- migrate: no-transaction\n{text};"))])
}

fn run(migrator: Migrator, database: &Database) -> JoinHandle<Result<Report, Error>> {
    let options = database.options();
    tokio::spawn(async move { migrator.run(&options).await })
}

/// A run that has to end well; what it recovered.
async fn recovers(folder: &Folder, database: &Database) -> Vec<String> {
    let heard = Heard::default();
    let migrator = folder.migrator().observer(heard.clone());
    let report = migrator.run(&database.options()).await.expect("a good end");
    assert_eq!(report.applied.len(), 1);
    heard.with("recovered")
}

/// Ends the session that migrates, while a snapshot keeps it from going on.
async fn ended_while_it_waits(folder: &Folder, database: &Database, until: &str) {
    let snapshot = database.session(SNAPSHOT).await;
    ended_behind(folder, database, until, snapshot).await;
}

async fn ended_behind(folder: &Folder, database: &Database, until: &str, holder: PgConnection) {
    let running = run(folder.migrator(), database);
    database.until(until).await;
    let end = "SELECT bool_and(pg_terminate_backend(pid)) FROM pg_stat_activity \
               WHERE datname = current_database() AND application_name LIKE 'migrate %'";
    assert_eq!(database.value(end).await, "true");
    let error = running.await.unwrap().expect_err("its session was ended");
    assert!(error.is_connection(), "{error}");
    drop(holder);
}

#[tokio::test]
async fn an_index_whose_build_was_ended_is_dropped_and_built_again() {
    let (database, folder) = (table().await, outside("CREATE INDEX CONCURRENTLY t_new ON t (n)"));
    ended_while_it_waits(&folder, &database, WAITS_FOR_THE_SNAPSHOT).await;
    assert_eq!(database.value(INDEXES).await, "t_n true, t_new false");
    let recovered = recovers(&folder, &database).await;
    assert_eq!(recovered, ["recovered 1 expand the index public.t_new was broken and is dropped"]);
    assert_eq!(database.value(INDEXES).await, "t_n true, t_new true");
}

/// Also an index that is attached to one of the whole table, which is invalid as long as a part has none.
#[tokio::test]
async fn an_index_of_a_partition_is_told_from_that_of_the_whole_table() {
    let database = Database::fresh().await;
    database
        .run(
            "CREATE TABLE t (n int) PARTITION BY RANGE (n); \
             CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); CREATE INDEX t_n ON ONLY t (n)",
        )
        .await;
    let folder = outside(
        "CREATE INDEX CONCURRENTLY IF NOT EXISTS t_1_n ON t_1 (n);\nALTER INDEX t_n ATTACH PARTITION t_1_n",
    );
    ended_while_it_waits(&folder, &database, WAITS_FOR_THE_SNAPSHOT).await;
    assert_eq!(database.value(INDEXES).await, "t_1_n false, t_n false");
    assert_eq!(recovers(&folder, &database).await.len(), 1);
    assert_eq!(database.value(INDEXES).await, "t_1_n true, t_n true");
}

#[tokio::test]
async fn a_reindex_that_was_ended_is_done_again_and_nothing_of_it_is_left() {
    for what in ["INDEX CONCURRENTLY t_n", "TABLE CONCURRENTLY t", "SCHEMA CONCURRENTLY public"] {
        let (database, folder) = (table().await, outside(&format!("REINDEX {what}")));
        database.run("CREATE TABLE u (n int); CREATE INDEX other_ccnew ON u (n)").await;
        let before = database.value("SELECT 't_n'::regclass::oid").await;
        ended_while_it_waits(&folder, &database, WAITS_FOR_THE_SNAPSHOT).await;
        // Another by hand, whose leftover gets a number.
        let snapshot = database.session(SNAPSHOT).await;
        let by_hand = by_hand(&database, "REINDEX INDEX CONCURRENTLY t_n").await;
        database.until(WAITS_FOR_THE_SNAPSHOT).await;
        database.value(CANCEL).await;
        by_hand.await.unwrap();
        drop(snapshot);
        let left = database.value(INDEXES).await;
        for index in ["t_n true", "t_n_ccnew false", "t_n_ccnew1 false"] {
            assert!(left.contains(index), "{what}: {left}");
        }
        assert!(!recovers(&folder, &database).await.is_empty());
        assert_eq!(database.value(INDEXES).await, "t_n true", "{what}");
        assert_ne!(database.value("SELECT 't_n'::regclass::oid").await, before, "{what}");
        let left = "SELECT string_agg(relname, ' ') FROM pg_class WHERE relname ~ '_cc(new|old)'";
        assert_eq!(database.value(left).await, "other_ccnew", "{what}, also of the long values");
    }
}

/// Beside the index of one table stands the broken one of another with a name like a leftover of it.
#[tokio::test]
async fn a_reindex_leaves_alone_what_is_not_its_own() {
    let (database, folder) = (table().await, outside("REINDEX INDEX CONCURRENTLY t_n"));
    database.run("CREATE INDEX t_line ON t (line)").await;
    let snapshot = database.session(SNAPSHOT).await;
    let other = by_hand(&database, "REINDEX INDEX CONCURRENTLY t_line").await;
    database.until(WAITS_FOR_THE_SNAPSHOT).await;
    database.value(CANCEL).await;
    other.await.unwrap();
    drop(snapshot);
    assert_eq!(recovers(&folder, &database).await, [""; 0]);
    assert_eq!(database.value(INDEXES).await, "t_line true, t_line_ccnew false, t_n true");
}

/// A statement of somebody else, which may fail.
async fn by_hand(database: &Database, sql: &str) -> JoinHandle<()> {
    let (mut connection, sql) = (database.connect().await, sql.to_owned());
    tokio::spawn(async move {
        let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await;
        drop(done);
    })
}

const PARTITIONED: &str = "CREATE TABLE t (n int) PARTITION BY RANGE (n); \
    CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9); INSERT INTO t VALUES (1)";
const DETACH: &str = "ALTER TABLE t DETACH PARTITION t_1 CONCURRENTLY";
const STATE: &str = "SELECT coalesce((SELECT to_jsonb(i) ->> 'inhdetachpending' FROM pg_inherits i \
    WHERE inhrelid = 't_1'::regclass), 'detached')";

#[tokio::test]
async fn a_partition_that_was_half_detached_is_detached_to_the_end() {
    let database = Database::fresh().await;
    database.run(PARTITIONED).await;
    let folder = outside(DETACH);
    if database.server.version() < 140_000 {
        let error = folder.migrator().run(&database.options()).await.expect_err("not known yet");
        assert_eq!(error.sqlstate(), Some("42601"), "{error}");
        return;
    }
    let reader = database.session("BEGIN; SELECT FROM t").await;
    ended_behind(
        &folder,
        &database,
        &STATE.replace("SELECT coalesce", "SELECT 'true' = coalesce"),
        reader,
    )
    .await;
    assert_eq!(database.value(STATE).await, "true");
    assert_eq!(recovers(&folder, &database).await.len(), 2, "what it found, and that it is done");
    assert_eq!(database.value(STATE).await, "detached");
    assert_eq!(database.value("SELECT count(*) FROM t_1").await, "1");
}

#[tokio::test]
async fn a_partition_whose_detach_was_cut_is_detached_once() {
    let folder = outside(DETACH);
    for (moment, recovered) in [(Before, 0), (After, 1)] {
        let database = Database::fresh().await;
        if database.server.version() < 140_000 {
            return; // the server has no such statement
        }
        database.run(PARTITIONED).await;
        let proxy = Proxy::cut(database.options(), moment, Which::Says("it */ ALTER TABLE"));
        folder.migrator().reconnects(0).run(&proxy.options()).await.expect_err("it is cut");
        assert_eq!(recovers(&folder, &database).await.len(), recovered, "{moment:?}");
        assert_eq!(database.value(STATE).await, "detached");
    }
}

/// Rows of a version that began each statement by itself: the one of this statement says only that it began.
async fn as_an_earlier_version_left_it(database: &Database, statement: u32) {
    let left = format!(
        "DELETE FROM schema_migrations WHERE statement IS NULL OR statement > {statement}; \
         UPDATE schema_migrations SET state = 'started' WHERE statement = {statement} AND state = 'done'"
    );
    database.run(&left).await;
}

#[tokio::test]
async fn a_label_that_an_earlier_version_may_have_added_is_added_once() {
    let folder = outside("SET search_path = app;\nALTER TYPE mood ADD VALUE 'it''s'");
    let labels = "SELECT string_agg(enumlabel, ' ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = 'app.mood'::regtype";
    for (is_there, recovered) in [(true, 1), (false, 0)] {
        let database = Database::fresh().await;
        database.run("CREATE SCHEMA app; CREATE TYPE app.mood AS ENUM ('sad')").await;
        folder.migrator().run(&database.options()).await.expect("a good end");
        as_an_earlier_version_left_it(&database, 2).await;
        if !is_there {
            database.run("DROP TYPE app.mood; CREATE TYPE app.mood AS ENUM ('sad')").await;
        }
        assert_eq!(recovers(&folder, &database).await.len(), recovered);
        assert_eq!(database.value(labels).await, "sad it's");
    }
}

#[tokio::test]
async fn a_constraint_that_an_earlier_version_may_have_validated_is_valid_in_the_end() {
    let folder = outside("ALTER TABLE t VALIDATE CONSTRAINT c");
    let unproven = "ALTER TABLE t ADD CONSTRAINT c CHECK (n > 0) NOT VALID";
    for (is_there, recovered) in [(true, 1), (false, 0)] {
        let database = table().await;
        database.run(unproven).await;
        folder.migrator().run(&database.options()).await.expect("a good end");
        as_an_earlier_version_left_it(&database, 1).await;
        if !is_there {
            database.run(&format!("ALTER TABLE t DROP CONSTRAINT c; {unproven}")).await;
        }
        assert_eq!(recovers(&folder, &database).await.len(), recovered);
        let valid = "SELECT convalidated FROM pg_constraint WHERE conname = 'c'";
        assert_eq!(database.value(valid).await, "true");
    }
}

#[tokio::test]
async fn a_database_that_was_made_or_dropped_is_so_once() {
    for (moment, recovered) in [(Before, 0), (After, 1)] {
        let database = Database::fresh().await;
        let made = format!("{}_made", database.name);
        let is = format!("SELECT count(*) FROM pg_database WHERE datname = '{made}'");
        for (what, words, expected) in
            [("CREATE", "it */ CREATE", "1"), ("DROP", "it */ DROP", "0")]
        {
            database.run("DROP TABLE IF EXISTS schema_migrations, schema_migrations_settled").await;
            let folder = outside(&format!("{what} DATABASE {made}"));
            let proxy = Proxy::cut(database.options(), moment, Which::Says(words));
            folder.migrator().reconnects(0).run(&proxy.options()).await.expect_err("it is cut");
            assert!(proxy.was_reached());
            assert_eq!(recovers(&folder, &database).await.len(), recovered, "{what} {moment:?}");
            assert_eq!(database.value(&is).await, expected, "{what} {moment:?}");
        }
    }
}

/// It would be pulled from under whoever builds it.
#[tokio::test]
async fn an_index_that_another_session_builds_is_waited_for() {
    let folder = outside("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_new ON t (n)");
    let database = table().await;
    let snapshot = database.session(SNAPSHOT).await;
    let theirs = by_hand(&database, "CREATE INDEX CONCURRENTLY t_new ON t (n)").await;
    database.until(WAITS_FOR_THE_SNAPSHOT).await;
    let number = database.value("SELECT 't_new'::regclass::oid").await;
    let short = folder.migrator().standalone_deadline(Duration::from_millis(1));
    let error = short.run(&database.options()).await.expect_err("it is still built");
    assert!(error.is_busy(), "{error}");
    for words in
        ["is building an index on t", "pg_terminate_backend(", "no", "before that statement"]
    {
        assert!(error.to_string().contains(words), "{error}");
    }
    let heard = Heard::default();
    let waiting = run(folder.migrator().observer(heard.clone()), &database);
    heard.wait_for("notice 1 expand session").await;
    drop(snapshot);
    assert_eq!(waiting.await.unwrap().expect("a good end").applied.len(), 1);
    theirs.await.unwrap();
    assert_eq!(database.value(INDEXES).await, "t_n true, t_new true");
    assert_eq!(database.value("SELECT 't_new'::regclass::oid").await, number, "it is theirs");
}

/// The server would leave the statement out without a word, and there would be no index.
#[tokio::test]
async fn a_broken_index_of_another_table_is_not_taken_for_ours() {
    let folder = outside("CREATE INDEX CONCURRENTLY IF NOT EXISTS t_new ON t (n)");
    let database = table().await;
    database.run("CREATE TABLE other (n int); INSERT INTO other VALUES (1), (1)").await;
    by_hand(&database, "CREATE UNIQUE INDEX CONCURRENTLY t_new ON other (n)").await.await.unwrap();
    let error = folder.migrator().run(&database.options()).await.expect_err("the name is taken");
    let told = error.to_string();
    assert!(told.contains("public.t_new is a broken index of another table, other"), "{told}");
    database.run("DROP INDEX t_new").await;
    assert_eq!(recovers(&folder, &database).await, [""; 0]);
    assert_eq!(database.value(INDEXES).await, "t_n true, t_new true");
}

/// A session that writes to the table waits for the lock of the migrator, and the build for the session. That one
/// would find the deadlock only after an hour, so it is always the build that is ended.
#[tokio::test]
async fn what_an_attempt_left_goes_before_the_next_in_the_same_run() {
    let database = table().await;
    let folder =
        outside("SELECT pg_advisory_xact_lock(7);\nCREATE INDEX CONCURRENTLY t_new ON t (n)");
    database.run(&format!("ALTER DATABASE {} SET deadlock_timeout = '10ms'", database.name)).await;
    let gate = database.session("SELECT pg_advisory_lock(7)").await;
    let heard = Heard::default();
    let patient = folder.migrator().lock_ladder([Duration::from_secs(60)]);
    let running = run(patient.observer(heard.clone()), &database);
    let waiting = |count| {
        format!(
            "SELECT count(*) = {count} FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
             WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted"
        )
    };
    database.until(&waiting(1)).await;
    let key = "SELECT (classid::bigint << 32) | objid::bigint FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
               WHERE datname = current_database() AND locktype = 'advisory' AND granted AND objid <> 7";
    let other = format!(
        "SET deadlock_timeout = '1h'; BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE; SELECT pg_advisory_lock({})",
        database.value(key).await
    );
    let other = by_hand(&database, &other).await;
    database.until(&waiting(2)).await;
    drop(gate);
    heard.wait_for("retrying 1 expand 1 40P01").await;
    let end = "SELECT bool_and(pg_terminate_backend(l.pid)) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
               WHERE datname = current_database() AND locktype = 'advisory' AND NOT granted";
    database.value(end).await;
    other.await.unwrap();
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert!(!heard.with("recovered").is_empty(), "{:#?}", heard.all());
    assert_eq!(database.value(INDEXES).await, "t_n true, t_new true");
}

/// Before PostgreSQL 14 the server does not notice by itself that nobody waits any more.
#[tokio::test]
async fn a_build_that_outlives_its_deadline_is_ended_on_the_server_and_cleared_away() {
    let (database, folder) = (table().await, outside("CREATE INDEX CONCURRENTLY t_new ON t (n)"));
    let snapshot = database.session(SNAPSHOT).await;
    let short = folder.migrator().standalone_deadline(Duration::from_secs(1));
    let error = short.run(&database.options()).await.expect_err("the snapshot stays");
    assert_eq!(database.value(NOBODY_BUILDS).await, "true");
    let told = error.to_string();
    for words in
        ["was not done within 1 s and was ended: nothing of it stayed", "standalone_deadline"]
    {
        assert!(told.contains(words), "`{words}` is not in: {told}");
    }
    assert_eq!(database.value(INDEXES).await, "t_n true");
    drop(snapshot);
    assert_eq!(recovers(&folder, &database).await, [""; 0]);
    assert_eq!(database.value(INDEXES).await, "t_n true, t_new true");
}
