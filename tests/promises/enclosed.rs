//! Statements of a file without a transaction that the server would let into one: each shares one with its row, and
//! is there exactly once, whatever the catalog can or cannot tell.

use std::time::Duration;

use crate::harness::proxy::{After, Before, Proxy, Which};
use crate::harness::{Database, Folder, Heard};

const SCHEMA: &str =
    "CREATE SCHEMA app; CREATE TABLE app.t (n int); CREATE TYPE app.mood AS ENUM ('sad');";

/// Nothing but a count would show that one of them was done twice, or not at all.
const FILE: &str = "-- migrate: no-transaction\nSET search_path = app;\nINSERT INTO t (n) VALUES (1);\n\
                    ALTER TYPE mood ADD VALUE 'happy';\nALTER TABLE t ADD COLUMN mood mood DEFAULT 'happy';\n\
                    DO $$ BEGIN UPDATE t SET n = n + 1; END $$;\nCREATE INDEX ON t (n);\n\
                    SELECT setval('counter', nextval('counter') + 10);";
const IS: &str = "SELECT string_agg(n || ' ' || mood, ', ') || ', ' || (SELECT count(*) FROM pg_index \
                  WHERE indrelid = 'app.t'::regclass) FROM app.t";

#[tokio::test]
async fn cut_anywhere_it_is_done_exactly_once() {
    let folder = Folder::of(&[("1_it.sql", FILE)]);
    for words in [
        "INSERT INTO t",
        "ADD VALUE 'happy'",
        "ADD COLUMN mood",
        "UPDATE t",
        "INDEX ON t",
        "nextval",
    ] {
        for moment in [Before, After] {
            let database = Database::fresh().await;
            database.run(SCHEMA).await;
            database.run("CREATE SEQUENCE app.counter").await;
            let proxy = Proxy::cut(database.options(), moment, Which::Says(words));
            let error =
                folder.migrator().reconnects(0).run(&proxy.options()).await.expect_err("it is cut");
            assert!(proxy.was_reached() && error.is_connection(), "{words} {moment:?}: {error}");
            let heard = Heard::default();
            let again = folder.migrator().observer(heard.clone());
            assert_eq!(again.run(&database.options()).await.expect("a good end").applied.len(), 1);
            assert_eq!(database.value(IS).await, "2 happy, 1", "{words} {moment:?}");
            assert_eq!(database.value("SELECT last_value FROM app.counter").await, "11");
            assert_eq!(heard.with("recovered"), [""; 0], "nothing had to be looked for");
            let begun =
                "SELECT count(*) FROM schema_migrations WHERE state = 'started' AND statement > 1";
            assert_eq!(database.value(begun).await, "0");
        }
    }
}

/// A setting of the session is none of the transaction's, and is there again when a run goes on.
#[tokio::test]
async fn what_a_file_sets_holds_for_the_statements_after_it_also_when_a_run_goes_on() {
    let seen = "INSERT INTO public.seen SELECT concat_ws(' ', current_setting('search_path'), \
                current_setting('statement_timeout'), current_setting('work_mem'), current_user)";
    let database = Database::fresh().await;
    let role = database.role("other", "NOLOGIN").await;
    database.run(&format!("CREATE TABLE seen (what text); GRANT ALL ON seen TO {role}")).await;
    let text = format!(
        "-- migrate: no-transaction\nSET statement_timeout = '77s';\n\
         SELECT pg_catalog.set_config('search_path', 'nowhere', false);\nSET work_mem = '7MB';\n{seen};\n\
         SET ROLE {role};\n{seen};\n{seen}, 'the last' WHERE false;\n{seen};"
    )
    .replace(", 'the last'", "");
    let folder = Folder::of(&[("1_seen.sql", &text)]);
    let proxy = Proxy::cut(database.options(), Before, Which::Says("WHERE false"));
    folder.migrator().reconnects(0).run(&proxy.options()).await.expect_err("it is cut");
    folder.migrator().run(&database.options()).await.expect("a good end");
    let lines = "SELECT string_agg(what, '|') FROM seen";
    let (ours, theirs) = ("nowhere 77s 7MB postgres", format!("nowhere 77s 7MB {role}"));
    assert_eq!(database.value(lines).await, format!("{ours}|{theirs}|{theirs}"));
    let writers = "SELECT DISTINCT login || ' ' || role FROM schema_migrations";
    assert_eq!(database.value(writers).await, "postgres postgres");
}

#[tokio::test]
async fn a_constraint_that_waits_for_the_end_fails_at_the_statement() {
    let database = Database::fresh().await;
    let text = "-- migrate: no-transaction\nCREATE TABLE a (id int PRIMARY KEY, b int REFERENCES a DEFERRABLE \
                INITIALLY DEFERRED);\n  INSERT INTO a VALUES (1, 2);";
    let folder = Folder::of(&[("1_late.sql", text)]);
    let error = folder.migrator().run(&database.options()).await.expect_err("there is no 2");
    assert_eq!(error.sqlstate(), Some("23503"));
    assert_eq!(error.place().map(|(_, line, column)| (line, column)), Some((3, 3)), "{error}");
    assert!(error.to_string().contains("its first statement took effect"), "{error}");
    let history = database.history().await;
    assert!(history.last().is_some_and(|row| row.ends_with("up failed 2")), "{history:?}");
}

/// What only the server knows to refuse a transaction runs by itself, and is in the journal as ever.
#[tokio::test]
async fn what_the_server_refuses_in_a_transaction_runs_by_itself() {
    let database = Database::fresh().await;
    database
        .run(
            "CREATE TABLE t (n int PRIMARY KEY) PARTITION BY RANGE (n); \
             CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (9)",
        )
        .await;
    let before =
        database.value("SELECT relfilenode FROM pg_class WHERE relname = 't_1_pkey'").await;
    let text = "-- migrate: no-transaction\nINSERT INTO t VALUES (1);\nREINDEX TABLE t;\n\
                SET default_transaction_read_only = on;\nSELECT 1;";
    let folder = Folder::of(&[("1_it.sql", text)]);
    folder.migrator().run(&database.options()).await.expect("a good end");
    let number = "SELECT relfilenode FROM pg_class WHERE relname = 't_1_pkey'";
    let after = database.value(number).await;
    if database.server.version() >= 140_000 {
        assert_ne!(after, before);
    }
    let begun = "SELECT string_agg(statement::text, ' ' ORDER BY seq) FROM schema_migrations WHERE state = 'started'";
    let expected = if database.server.version() >= 140_000 { "2 3 4" } else { "3 4" };
    assert_eq!(database.value(begun).await, expected);
    assert_eq!(database.value("SELECT count(*) FROM t").await, "1");
}

/// Else a server would go on with what nobody waits for, and the next run would meet it.
#[tokio::test]
async fn a_statement_that_outlives_its_deadline_is_ended_on_the_server_and_leaves_nothing() {
    let database = Database::fresh().await;
    let text = "-- migrate: no-transaction\nCREATE TABLE t ();\nCREATE TABLE u AS SELECT 1 AS n FROM pg_sleep(3600);";
    let folder = Folder::of(&[("1_sleep.sql", text)]);
    let short = folder.migrator().standalone_deadline(Duration::from_millis(500));
    let error = short.run(&database.options()).await.expect_err("it sleeps");
    let sleeps = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    assert_eq!(database.value(sleeps).await, "0");
    assert_eq!(error.place().map(|(_, line, _)| line), Some(3), "{error}");
    let told = error.to_string();
    for words in [
        "not done within 0.5 s and was ended: nothing of it stayed",
        "its first statement took effect",
        "standalone_deadline",
    ] {
        assert!(told.contains(words), "`{words}` is not in: {told}");
    }
    assert!(database.has_table("t").await && !database.has_table("u").await);
    folder.write("1_sleep.sql", &text.replace("3600", "0"));
    let again = folder.migrator().run(&database.options()).await.expect("a good end");
    assert_eq!(again.applied.len(), 1);
    assert!(database.has_table("u").await);
}

/// A connection that we were given says nothing of how to open another, on which to cancel anything.
#[tokio::test]
async fn a_statement_that_cannot_be_ended_is_left_and_the_run_does_not_wait_for_it() {
    for text in ["SELECT pg_sleep(3600);", "DO $$ BEGIN PERFORM pg_sleep(3600); COMMIT; END $$;"] {
        let database = Database::fresh().await;
        let folder = Folder::of(&[("1_sleep.sql", &format!("-- migrate: no-transaction\n{text}"))]);
        let short = folder.migrator().standalone_deadline(Duration::from_millis(500));
        let error = short.run(database.connect().await).await.expect_err("it sleeps");
        let told = error.to_string();
        for words in [
            "not done within 0.5 s, and the server could not be told to end it",
            "what became of statement 1 is not known",
            "standalone_deadline",
        ] {
            assert!(told.contains(words), "`{words}` is not in: {told}");
        }
    }
}
