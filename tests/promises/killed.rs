//! `kill -9` of the process that migrates, at any moment: the next run goes on, and nothing happens twice.

use crate::harness::proxy::{After, Before, Moment, Proxy, Which};
use crate::harness::{Application, Database, Folder};

const LOG: &str =
    "CREATE SCHEMA app; CREATE TABLE app.log (id bigint GENERATED ALWAYS AS IDENTITY, entry text);";
const ENTRIES: &str = "SELECT string_agg(entry, ' ' ORDER BY id) FROM app.log";
const INDEXES: &str = "SELECT string_agg(relname || ' ' || indisvalid, ', ' ORDER BY relname) FROM pg_index \
                       JOIN pg_class ON oid = indexrelid WHERE indrelid = 'app.log'::regclass";

/// Every kind of work of which it can be known whether it was done.
const FILES: &[(&str, &str)] = &[
    ("1_log.sql", LOG),
    (
        "2_old.sql",
        "CREATE INDEX old ON app.log (entry); INSERT INTO app.log (entry) VALUES ('two');",
    ),
    ("3_entry.sql", "INSERT INTO app.log (entry) VALUES ('three');"),
    (
        "4_outside.sql",
        "-- migrate: no-transaction\nSET search_path = app;\nCREATE INDEX CONCURRENTLY new ON log (entry);\n\
         VACUUM log;\nDROP INDEX CONCURRENTLY old;",
    ),
    ("5_entry.sql", "INSERT INTO app.log (entry) VALUES ('five');"),
];

/// A migrator for each message of a whole run, killed when it waits for the answer to this one: before the
/// server got it, and after the server did what it says.
async fn killed_at_each_message(moment: Moment) {
    let folder = Folder::of(FILES);
    for number in 0.. {
        let database = Database::fresh().await;
        let proxy = Proxy::hold(database.options(), moment, Which::Nth(number));
        let mut application = Application::start(&proxy.options(), &folder);
        tokio::select! {
            () = proxy.reached() => {}
            end = application.ended() => {
                assert_eq!(end, 5, "a whole run has {number} messages");
                assert!(number > 15, "a whole run has no more than {number} messages");
                return;
            }
        }
        application.kill().await;
        folder.migrator().run(&database.options()).await.expect("a good end");
        assert_eq!(database.done().await, "1 2 3 4 5", "{moment:?} message {number}");
        assert_eq!(database.value(ENTRIES).await, "two three five", "{moment:?} message {number}");
        assert_eq!(database.value(INDEXES).await, "new true", "{moment:?} message {number}");
    }
}

#[tokio::test]
async fn killed_before_any_message_the_next_run_completes() {
    killed_at_each_message(Before).await;
}

#[tokio::test]
async fn killed_after_any_message_the_next_run_completes() {
    killed_at_each_message(After).await;
}

/// Statements of which nobody could tell by looking whether they were done, and a setting that all of them need.
const FIVE: &str = "-- migrate: no-transaction\nSET search_path = app;\n\
                    INSERT INTO log (entry) VALUES ('second');\nINSERT INTO log (entry) VALUES ('third');\n\
                    INSERT INTO log (entry) VALUES ('fourth');\nINSERT INTO log (entry) VALUES ('fifth');";

#[tokio::test]
async fn five_statements_killed_after_the_third_go_on_with_the_fourth() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[("1_five.sql", FIVE)]));
    database.run(LOG).await;
    let proxy = Proxy::hold(database.options(), Before, Which::Says("'done', 4,"));
    let application = Application::start(&proxy.options(), &folder);
    proxy.reached().await;
    assert_eq!(database.value(ENTRIES).await, "second third");
    application.kill().await;
    let mut next = Application::start(&database.options(), &folder);
    next.says("statement: Some(4)").await;
    assert_eq!(next.applied().await, 1);
    assert_eq!(database.value(ENTRIES).await, "second third fourth fifth");
    let started = "SELECT string_agg(statement::text, ' ' ORDER BY seq) FROM schema_migrations WHERE state = 'started'";
    assert_eq!(database.value(started).await, "1", "the others are done with their rows");
}

const INDEX: &str = "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY new ON app.log (entry);";

#[tokio::test]
async fn killed_while_an_index_is_built_the_next_run_builds_it_again() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[("1_index.sql", INDEX)]));
    database.run(LOG).await;
    let snapshot =
        database.session("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1 FROM pg_class").await;
    let mut application = Application::start(&database.options(), &folder);
    application.says("statement: Some(1)").await;
    let waits = "phase = 'waiting for old snapshots'";
    database.until(&building(waits)).await;
    application.kill().await;
    if database.server.version() >= 140_000 {
        database.until(&format!("SELECT NOT ({})", building("true"))).await;
        assert_eq!(database.value(INDEXES).await, "new false");
    }
    let mut next = Application::start(&database.options(), &folder);
    if database.server.version() >= 140_000 {
        next.says("statement: Some(1)").await;
    }
    // Before PostgreSQL 14 the orphan builds on and keeps the lock until it is done.
    drop(snapshot);
    assert_eq!(next.applied().await, 1);
    assert_eq!(database.value(INDEXES).await, "new true");
}

fn building(what: &str) -> String {
    format!(
        "SELECT EXISTS (SELECT FROM pg_stat_progress_create_index WHERE datname = current_database() AND {what})"
    )
}

/// The server looks for the client while the statement runs, from PostgreSQL 14; before, it is the end of the
/// statement that frees the lock.
#[tokio::test]
async fn the_lock_of_a_killed_migrator_is_free_before_its_statement_ends() {
    for head in ["", "-- migrate: no-transaction\n"] {
        let database = Database::fresh().await;
        let seconds = if database.server.version() >= 140_000 { 600 } else { 3 };
        let sleep = format!("{head}SELECT pg_sleep({seconds});");
        let folder = Folder::of(&[("1_sleep.sql", &sleep)]);
        let application = Application::start(&database.options(), &folder);
        let sleeps = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() \
                      AND wait_event = 'PgSleep' AND application_name LIKE 'migrate %')";
        database.until(sleeps).await;
        application.kill().await;
        database.until(&format!("SELECT NOT ({sleeps})")).await;
        let locks = "SELECT NOT EXISTS (SELECT FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
                     WHERE locktype = 'advisory' AND datname = current_database())";
        database.until(locks).await;
    }
}

#[tokio::test]
async fn killed_during_a_transaction_nothing_of_it_stays_and_the_next_run_completes() {
    let database = Database::fresh().await;
    let seconds = if database.server.version() >= 140_000 { 600 } else { 3 };
    database.run(LOG).await;
    let slow = format!("INSERT INTO app.log (entry) VALUES ('one'); SELECT pg_sleep({seconds});");
    let folder = Folder::of(&[("1_one.sql", &slow)]);
    let application = Application::start(&database.options(), &folder);
    database.until("SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')").await;
    application.kill().await;
    let quick = Folder::of(&[("1_one.sql", "INSERT INTO app.log (entry) VALUES ('one');")]);
    if database.server.version() >= 140_000 {
        assert_eq!(Application::start(&database.options(), &quick).applied().await, 1);
    } else {
        // The orphan lives to commit, and then that is what happened.
        assert_eq!(Application::start(&database.options(), &folder).applied().await, 0);
    }
    assert_eq!(database.value(ENTRIES).await, "one");
    assert_eq!(database.history().await, ["1 1 expand transaction up done"]);
}
