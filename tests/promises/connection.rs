//! Servers that go away, that are not there, and that do not let us in.

use std::time::Duration;

use migrate_postgres::Error;
use migrate_testing::Server;
use sqlx::ConnectOptions;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};

use crate::harness::proxy::{After, Before, Failure, Moment, Proxy, Sent, Then, Which};
use crate::harness::{Database, Folder, Gate, Heard, applied, aside, trace_this_thread, traced};

const ENTRIES: &str = "SELECT string_agg(entry, ' ' ORDER BY id) FROM log";
const LOG: (&str, &str) =
    ("1_log.sql", "CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, entry text);");
const ENTRY: (&str, &str) = ("2_entry.sql", "INSERT INTO log (entry) VALUES ('two');");

/// Transactions that share one, one that stands alone, and statements outside.
const FILES: &[(&str, &str)] = &[
    LOG,
    ENTRY,
    (
        "3_outside.sql",
        "-- migrate: no-transaction\nVACUUM log;\nCREATE INDEX CONCURRENTLY log_entry ON log (entry);",
    ),
    ("4_entry.sql", "INSERT INTO log (entry) VALUES ('four');"),
];

async fn cut_at_each_message(moment: Moment) {
    let folder = Folder::of(FILES);
    for number in 0.. {
        let database = Database::fresh().await;
        let proxy = Proxy::cut(database.options(), moment, Which::Nth(number));
        let end = folder.migrator().run(&proxy.options()).await;
        if !proxy.was_reached() {
            assert!(end.is_ok_and(|report| report.applied.len() == 4) && number > 10, "{number}");
            return;
        }
        // A loss is survived from the first look at the server on, which comes before there is work. What is lost before it is
        // told; neither a mark that is not left nor a second connection that cannot look is worth an error.
        let sent = proxy.take().sent;
        let works = sent.iter().any(|(_, text)| text.contains("pg_postmaster_start_time"));
        match end {
            Ok(report) => assert_eq!(applied(&report).len(), 4, "{moment:?} message {number}"),
            Err(error) => {
                assert!(!works && error.is_connection(), "{moment:?} message {number}: {error}");
            }
        }
        folder.migrator().run(&database.options()).await.expect("a good end");
        assert_eq!(database.done().await, "1 2 3 4", "{moment:?} message {number}");
        assert_eq!(database.value(ENTRIES).await, "two four", "{moment:?} message {number}");
    }
}

#[tokio::test]
async fn a_connection_lost_before_any_message_leaves_what_the_next_run_completes() {
    cut_at_each_message(Before).await;
}

#[tokio::test]
async fn a_connection_lost_after_any_message_leaves_what_the_next_run_completes() {
    cut_at_each_message(After).await;
}

/// The answer to a COMMIT is lost: nobody but the history can say whether there was one.
#[tokio::test]
async fn a_lost_answer_to_a_commit_is_decided_by_the_history() {
    let folder = Folder::of(&[LOG, ENTRY]);
    for (moment, left) in [(After, 0), (Before, 1)] {
        let database = Database::fresh().await;
        Folder::of(&[LOG]).migrator().run(&database.options()).await.expect("a good end");
        let proxy = Proxy::cut(database.options(), moment, Which::Says("VALUES ('two')"));
        let once = folder.migrator().reconnects(0);
        let error = once.run(&proxy.options()).await.expect_err("the answer is lost");
        assert!(error.is_connection() && error.sqlstate().is_none(), "{error}");
        let told = error.to_string();
        assert!(told.contains("whether the transaction was committed is not known"), "{told}");
        assert!(told.contains("Run again"), "{told}");
        let report = folder.migrator().run(&database.options()).await.expect("a good end");
        assert_eq!(report.applied.len(), left, "{moment:?}");
        assert_eq!(database.value(ENTRIES).await, "two");
    }
}

/// What was committed is not done again, and what was not is: in the same run.
#[tokio::test]
async fn a_run_goes_on_with_another_connection_where_the_history_says() {
    let folder =
        Folder::of(&[LOG, ENTRY, ("3_entry.sql", "INSERT INTO log (entry) VALUES ('three');")]);
    for (moment, known) in [(After, 1), (Before, 0)] {
        let database = Database::fresh().await;
        Folder::of(&[LOG]).migrator().run(&database.options()).await.expect("a good end");
        let proxy = Proxy::cut(database.options(), moment, Which::Says("VALUES ('two')"));
        let heard = Heard::default();
        let migrator = folder.migrator().observer(heard.clone());
        let report = migrator.run(&proxy.options()).await.expect("a good end");
        assert!(proxy.was_reached());
        assert_eq!(applied(&report), ["2 expand", "3 expand"], "{moment:?}");
        assert_eq!(heard.with("reconnecting 1").len(), 1, "{:#?}", heard.all());
        assert_eq!(heard.with("recovered 2 expand it was committed").len(), known, "{moment:?}");
        assert_eq!(heard.with("done up 2 expand").len(), 1, "{moment:?}");
        assert_eq!(database.value(ENTRIES).await, "two three");
    }
}

/// The other one has left its mark and still has the lock, so that the run learns that there is nothing to do before it
/// could look at the history for itself.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_committed_is_told_also_where_another_migrator_does_the_rest() {
    let database = Database::fresh().await;
    database.run("CREATE TYPE mood AS ENUM ('sad')").await;
    let folder = Folder::of(&[
        ("1_value.sql", "ALTER TYPE mood ADD VALUE 'glad';"),
        ("2_use.sql", "CREATE TABLE moods (mood mood DEFAULT 'glad');"),
        ("3_more.sql", "INSERT INTO moods DEFAULT VALUES;"),
        ("4_rest.sql", "CREATE TABLE rest (id int);"),
    ]);
    let (gate, lossy) = (Gate::before("reconnecting"), database.options());
    let lossy = Proxy::cut(lossy, After, Which::Says("INSERT INTO moods"));
    let running = aside(folder.migrator().observer(gate.clone()), lossy.options());
    gate.reached().await;
    let which = Which::Says("pg_advisory_unlock");
    let pause = Failure { moment: Before, which, then: Then::Pause };
    let busy = Proxy::new(database.options(), Some(pause), None);
    let (migrator, options) = (folder.migrator(), busy.options());
    let other = tokio::spawn(async move { migrator.run(&options).await });
    busy.reached().await;
    gate.open();
    let report = running.await.unwrap().expect("a good end");
    busy.go_on();
    assert_eq!(applied(&report), ["1 expand", "2 expand", "3 expand"]);
    assert!(report.fell_back, "{report}");
    assert_eq!(applied(&other.await.unwrap().expect("a good end")), ["4 expand"]);
    assert_eq!(database.done().await, "1 2 3 4");
}

/// A statement that brings the server down would do so for ever.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_lost_at_the_same_place_again_and_again_is_an_error() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[LOG]);
    let proxy = Proxy::cut(database.options(), Before, Which::EachSays("CREATE TABLE log"));
    let heard = Heard::default();
    let migrator = folder.migrator().observer(heard.clone()).reconnects(2);
    let error = migrator.run(&proxy.options()).await.expect_err("it is cut each time");
    assert!(error.is_connection(), "{error}");
    assert_eq!(heard.with("reconnecting").len(), 2, "{:#?}", heard.all());
    folder.migrator().run(&database.options()).await.expect("a good end");
}

const SLEEPS: &str = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep')";
const END_SLEEP: &str = "SELECT bool_and(pg_terminate_backend(pid)) FROM pg_stat_activity \
                         WHERE datname = current_database() AND wait_event = 'PgSleep'";
const SLOW: (&str, &str) =
    ("2_entry.sql", "INSERT INTO log (entry) VALUES ('two'); SELECT pg_sleep(600);");

#[tokio::test]
async fn a_terminated_session_is_a_lost_connection() {
    for head in ["", "-- migrate: no-transaction\n"] {
        let database = Database::fresh().await;
        Folder::of(&[LOG]).migrator().run(&database.options()).await.expect("a good end");
        let folder = Folder::of(&[LOG, (SLOW.0, &format!("{head}{}", SLOW.1))]);
        let (migrator, options) = (folder.migrator(), database.options());
        let running = tokio::spawn(async move { migrator.run(&options).await });
        database.until(SLEEPS).await;
        assert_eq!(database.value(END_SLEEP).await, "true");
        let error = running.await.unwrap().expect_err("it was terminated");
        assert!(error.is_connection() && error.sqlstate() == Some("57P01"), "{error}");
        // Nothing of the statement is there, so that another may take its place.
        let again = Folder::of(&[LOG, (ENTRY.0, &format!("{head}{}", ENTRY.1))]).migrator();
        let applied = again.run(&database.options()).await.expect("a good end").applied;
        assert_eq!(applied.len(), 1);
        assert_eq!(database.value(ENTRIES).await, "two");
    }
}

/// Sleeps until the table says otherwise.
const SLEEP_ONCE: &str = "INSERT INTO log (entry) VALUES ('two'); SELECT pg_sleep(CASE awake WHEN true THEN 0 ELSE 600 END) FROM bed;";

/// As where a firewall has forgotten the connection and the server has noticed, or another one has taken over.
#[tokio::test]
async fn a_connection_that_goes_silent_is_lost_when_the_server_has_the_session_no_more() {
    for head in ["", "-- migrate: no-transaction\n"] {
        let database = Database::fresh().await;
        Folder::of(&[LOG]).migrator().run(&database.options()).await.expect("a good end");
        database.run("CREATE TABLE bed AS SELECT false AS awake").await;
        let folder = Folder::of(&[LOG, (ENTRY.0, &format!("{head}{SLEEP_ONCE}"))]);
        let which = Which::Says("pg_sleep");
        let silence = Failure { moment: Sent, which, then: Then::Swallow };
        let proxy = Proxy::new(database.options(), Some(silence), None);
        let heard = Heard::default();
        let (migrator, options) = (folder.migrator().observer(heard.clone()), proxy.options());
        let running = tokio::spawn(async move { migrator.run(&options).await });
        database.until(SLEEPS).await;
        database.run("UPDATE bed SET awake = true").await;
        assert_eq!(database.value(END_SLEEP).await, "true");
        let report = running.await.unwrap().expect("a good end");
        assert_eq!(applied(&report), ["2 expand"]);
        assert_eq!(heard.with("reconnecting").len(), 1, "{:#?}", heard.all());
        assert_eq!(database.value(ENTRIES).await, "two");
    }
}

/// What takes no time is not waited for longer than a connection is.
#[tokio::test]
async fn a_connection_that_is_silent_from_the_beginning_is_lost_as_well() {
    for words in ["pg_postmaster_start_time", "AS backend", "pg_try_advisory_lock"] {
        let database = Database::fresh().await;
        let silence = Failure { moment: Before, which: Which::Says(words), then: Then::Swallow };
        let proxy = Proxy::new(database.options(), Some(silence), None);
        let heard = Heard::default();
        let migrator = Folder::of(&[LOG, ENTRY]).migrator().observer(heard.clone());
        let migrator = migrator.connect_timeout(Duration::from_secs(3));
        let report = migrator.run(&proxy.options()).await.expect("a good end");
        assert_eq!(applied(&report), ["1 expand", "2 expand"], "{words}");
        assert_eq!(heard.with("reconnecting").len(), 1, "{words} {:#?}", heard.all());
    }
}

/// Whoever looks at a session may lose the connection for that, too.
#[tokio::test]
async fn a_watching_connection_that_goes_silent_is_followed_by_another() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE bed AS SELECT false AS awake").await;
    let folder = Folder::of(&[LOG, (ENTRY.0, SLEEP_ONCE)]);
    let which = Which::Says("AS waiting");
    let silence = Failure { moment: Before, which, then: Then::Swallow };
    let proxy = Proxy::new(database.options(), Some(silence), None);
    let heard = Heard::default();
    let migrator = folder.migrator().observer(heard.clone());
    let migrator = migrator.connect_timeout(Duration::from_secs(3));
    let options = proxy.options();
    let running = tokio::spawn(async move { migrator.run(&options).await });
    heard.wait_for("working").await;
    assert!(proxy.was_reached());
    running.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_killed_and_comes_back_finds_nothing_done_twice() {
    // The servers of tests may forget the last moments before a crash; this one is like others.
    let settings = Server::builder().setting("synchronous_commit", "on");
    let private = settings.private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    Folder::of(&[LOG]).migrator().run(&database.options()).await.expect("a good end");
    let (migrator, options) = (Folder::of(&[LOG, SLOW]).migrator(), database.options());
    let running = tokio::spawn(async move { migrator.run(&options).await });
    database.until(SLEEPS).await;
    private.kill9();
    let error = running.await.unwrap().expect_err("the server is gone");
    assert!(error.is_connection(), "{error}");
    let folder = Folder::of(&[LOG, ENTRY]);
    let error = folder.migrator().run(&database.options()).await.expect_err("it is still gone");
    assert!(
        error.is_connection() && error.to_string().contains("Check that PostgreSQL runs"),
        "{error}"
    );
    private.restart().expect("a server again");
    let report = folder.migrator().run(&database.options()).await.expect("a good end");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(database.value(ENTRIES).await, "two");
    assert_eq!(database.done().await, "1 2");
}

const SECRET: &str = "kept-secret";

/// What a failed connection says, in all the places where it may be said.
async fn said_when_refused(options: PgConnectOptions) -> (Error, String) {
    trace_this_thread();
    let migrator = Folder::of(&[LOG]).migrator();
    let error = migrator.run(&options).await.expect_err("nobody gets in");
    let pool = PgPoolOptions::new().connect_lazy_with(options.clone());
    let pooled = migrator.run(&pool).await.expect_err("nobody gets in");
    let database = migrate_postgres::Database::from(&options);
    let all = format!(
        "{error}\n{error:?}\n{pooled}\n{pooled:?}\n{migrator:?}\n{database:?}\n{}",
        traced()
    );
    (error, all)
}

#[tokio::test]
async fn a_password_is_told_nobody() {
    let private = Server::builder().setting("log_statement", "none").private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    ask_for_passwords(&database).await;
    let options = database.options().username("somebody");
    for (options, sqlstate, words) in [
        (options.clone().password(&format!("not {SECRET}")), Some("28P01"), "Check user, password"),
        (
            options.clone().password(SECRET).database("nowhere"),
            Some("3D000"),
            "Create the database",
        ),
        (
            options.clone().password(SECRET).username("nobody"),
            Some("28P01"),
            "Check user, password",
        ),
        (options.clone().password(SECRET).port(1), None, "Check that PostgreSQL runs"),
        (options.clone().password(SECRET).socket("/nowhere"), None, "Check that PostgreSQL runs"),
    ] {
        let (error, all) = said_when_refused(options).await;
        assert!(error.is_connection(), "{error}");
        assert_eq!(error.sqlstate(), sqlstate, "{error}");
        assert!(error.to_string().contains(words), "`{words}` is not in: {error}");
        assert!(!all.contains(SECRET), "{all}");
    }
    trace_this_thread();
    let report =
        Folder::of(FILES).migrator().run(&options.password(SECRET)).await.expect("he gets in");
    assert_eq!(report.applied.len(), 4);
    let said = traced();
    assert!(said.contains("migrate: done"), "{said}");
    assert!(!said.contains(SECRET), "{said}");
    let rows = database.value("SELECT string_agg(h::text, ' ') FROM schema_migrations h").await;
    assert!(!rows.contains(SECRET), "{rows}");
}

/// From here on, `somebody` needs a password.
async fn ask_for_passwords(database: &Database) {
    let role = format!(
        "SET password_encryption = 'scram-sha-256'; CREATE ROLE somebody LOGIN PASSWORD '{SECRET}'; \
         GRANT ALL ON SCHEMA public TO somebody"
    );
    database.run(&role).await;
    let file = database.value("SELECT current_setting('hba_file')").await;
    let lines = "local all postgres trust\nlocal all all scram-sha-256\n";
    std::fs::write(file, lines).expect("the file of our own server");
    database.run("SELECT pg_reload_conf()").await;
    // The postmaster reads the file when the signal gets to it.
    while database.options().username("somebody").connect().await.is_ok() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}
