//! A cancel that gets to the server late does not meet what comes after the message that it was meant for.

use std::time::Duration;

use migrate_postgres::{Error, Migrator, Report};
use sqlx::{Executor, PgConnection};
use tokio::task::JoinHandle;

use crate::harness::proxy::{Before, Failure, Proxy, Then, Which};
use crate::harness::{Database, Folder, Heard, applied};

/// Ends when the second gate opens.
const NEXT: (&str, &str) = ("2_next.sql", "SELECT pg_advisory_xact_lock_shared(2);");

/// A database whose two gates are closed; who has a hold of them; and a way there on which the first cancel is held up.
async fn held_up() -> (Database, PgConnection, Proxy) {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (n int)").await;
    let gates = database.session("SELECT pg_advisory_lock(n) FROM generate_series(1, 2) n").await;
    let which = Which::Says("pg_cancel_backend");
    let pause = Failure { moment: Before, which, then: Then::Pause };
    let proxy = Proxy::new(database.options(), Some(pause), None);
    (database, gates, proxy)
}

fn run(migrator: Migrator, proxy: &Proxy) -> JoinHandle<Result<Report, Error>> {
    let options = proxy.options();
    tokio::spawn(async move { migrator.run(&options).await })
}

/// Lets the cancel go on to the server, and waits until it has been there.
async fn arrives(proxy: &Proxy, database: &Database) {
    let all = proxy.conversations();
    let cancels = all
        .iter()
        .find(|one| one.messages.iter().any(|message| message.text.contains("pg_cancel_backend")));
    let pid = cancels.and_then(|one| one.backend).expect("a session that cancels");
    proxy.go_on();
    let gone = format!("SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = {pid})");
    database.until(&gone).await;
}

const IS_NEXT: &str = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 2 AND NOT granted \
                       AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))";

#[tokio::test(flavor = "multi_thread")]
async fn the_guard_of_an_attempt_that_is_over_ends_nothing_else() {
    let (database, mut gates, proxy) = held_up().await;
    let mut reader = database.session("BEGIN; SELECT FROM t").await;
    let folder = Folder::of(&[("1_add.sql", "ALTER TABLE t ADD COLUMN added int;"), NEXT]);
    let patient = folder.migrator().lock_ladder([Duration::from_secs(600)]).most_waiting(0);
    let heard = Heard::default();
    let running = run(patient.observer(heard.clone()), &proxy);
    database
        .until(
            "SELECT EXISTS (SELECT FROM pg_locks WHERE relation = 't'::regclass AND NOT granted)",
        )
        .await;
    let mut other = database.connect().await;
    let behind = tokio::spawn(async move { other.execute("SELECT FROM t").await.map(drop) });
    proxy.reached().await;
    reader.execute("COMMIT").await.expect("its end");
    behind.await.unwrap().expect("its turn");
    database.until(IS_NEXT).await;
    arrives(&proxy, &database).await;
    gates.execute("SELECT pg_advisory_unlock(2)").await.expect("open");
    let report = running.await.unwrap().expect("a good end");
    assert_eq!(applied(&report), ["1 expand", "2 expand"]);
    assert_eq!(heard.with("retrying").len(), 0, "{:#?}", heard.all());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deadline_of_a_statement_that_is_over_ends_nothing_else() {
    let (database, mut gates, proxy) = held_up().await;
    let slow = "-- migrate: no-transaction\nSELECT pg_advisory_xact_lock_shared(1);";
    let folder = Folder::of(&[("1_slow.sql", slow), NEXT]);
    let patient = folder.migrator().lock_ladder([Duration::from_secs(600)]);
    let hasty = patient.standalone_deadline(Duration::from_millis(300));
    let running = run(hasty.connect_timeout(Duration::from_secs(3)), &proxy);
    proxy.reached().await;
    gates.execute("SELECT pg_advisory_unlock(1)").await.expect("open");
    database.until(IS_NEXT).await;
    arrives(&proxy, &database).await;
    gates.execute("SELECT pg_advisory_unlock(2)").await.expect("open");
    let report = running.await.unwrap().expect("a good end");
    assert_eq!(applied(&report), ["1 expand", "2 expand"]);
}
