//! What a migration locks is known before it runs: nobody has to wait for one that waits itself.

use std::time::Duration;

use migrate_core::{LockMode, LockTarget, MigrationId, Phase, Targets, Version, Work};
use migrate_postgres::{Error, Migrator, Report};
use migrate_testing::Server;
use sqlx::PgConnection;
use tokio::task::JoinHandle;

use crate::harness::{Database, Folder, Heard};

const ADD: &str = "ALTER TABLE t ADD COLUMN added int;";
/// Does a migrator wait for a lock on a table, in the way of those who come later?
const QUEUED: &str = "SELECT count(*) FROM pg_locks WHERE relation IS NOT NULL AND NOT granted AND database = \
                      (SELECT oid FROM pg_database WHERE datname = current_database())";

/// Does a migrator wait for the lock that a test holds until it has seen what it came for?
const IS_AT_THE_GATE: &str = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' \
                              AND NOT granted AND database = \
                              (SELECT oid FROM pg_database WHERE datname = current_database()))";

/// A folder of one migration, and what the linter says that it locks: the statement at this offset, these tables.
fn migrator(text: &str, offset: usize, tables: &[(&'static str, LockMode)]) -> Migrator {
    migrator_that(text, offset, tables, false)
}

fn migrator_that(
    text: &str,
    offset: usize,
    tables: &[(&'static str, LockMode)],
    is_guess: bool,
) -> Migrator {
    let folder = Folder::of(&[("1_it.sql", text)]);
    let lock = |(relation, mode): &(&'static str, LockMode)| LockTarget {
        relation: (*relation).into(),
        is_guess,
        mode: *mode,
        work: Work::None,
    };
    let targets = Targets {
        migration: MigrationId::new(Version::new(1), Phase::Expand),
        offset: offset.try_into().expect("a short text"),
        locks: tables.iter().map(lock).collect::<Vec<_>>().into(),
        opaque: false,
    };
    Migrator::new(folder.source().with_targets(vec![targets]))
}

fn run(
    migrator: Migrator,
    heard: &Heard,
    database: &Database,
) -> JoinHandle<Result<Report, Error>> {
    let (migrator, options) = (migrator.observer(heard.clone()), database.options());
    tokio::spawn(async move { migrator.run(&options).await })
}

async fn with_table() -> Database {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (n int); CREATE TABLE u (n int)").await;
    database
}

async fn send(connection: &mut PgConnection, sql: &'static str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sql).execute(connection).await.map(drop)
}

/// Others work on the table as if there were no migration.
async fn nobody_is_stopped(database: &Database) {
    let mut other = database.session("SET lock_timeout = '1ms'").await;
    for _ in 0..20 {
        send(&mut other, "INSERT INTO t SELECT 1; SELECT FROM t").await.expect("no wait");
        assert_eq!(database.value(QUEUED).await, "0");
    }
}

#[tokio::test]
async fn nobody_waits_behind_a_migration_that_waits_for_a_long_reader() {
    for head in ["", "-- migrate: no-transaction\n"] {
        a_long_reader_is_waited_for(head).await;
    }
}

async fn a_long_reader_is_waited_for(head: &str) {
    let database = with_table().await;
    let mut reader = database.session("BEGIN; SELECT FROM t; SELECT pg_sleep(1.2)").await;
    let heard = Heard::default();
    let all = [("public.t", LockMode::AccessExclusive)];
    let running = run(migrator(&format!("{head}{ADD}"), head.len(), &all), &heard, &database);
    let told = heard.wait_for("blocked 1 expand").await;
    assert!(told.contains("an idle transaction"), "{told}");
    assert!(told.contains("holds ACCESS SHARE on public.t: BEGIN; SELECT FROM t;"), "{told}");
    nobody_is_stopped(&database).await;
    send(&mut reader, "COMMIT").await.expect("its end");
    let report = running.await.unwrap().expect("a good end");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(heard.with("queueing"), [""; 0]);
    assert_eq!(heard.with("retrying"), [""; 0]);
    assert_eq!(heard.with("locked").len(), 1);
}

/// Somebody takes the second table after the look and before the locks are asked for: the first is not held meanwhile.
#[tokio::test]
async fn all_tables_are_taken_or_none() {
    let database = with_table().await;
    let text = "SELECT pg_advisory_xact_lock_shared(1); ALTER TABLE u ADD COLUMN added int; \
                ALTER TABLE t ADD COLUMN added int;";
    let both = [("t", LockMode::AccessExclusive), ("u", LockMode::AccessExclusive)];
    let mut gate = database.session("SELECT pg_advisory_lock(1)").await;
    let mut reader = database.session("BEGIN; SELECT pg_sleep(1.2)").await;
    let heard = Heard::default();
    let patient = migrator(text, text.find("ALTER").expect("there"), &both);
    let patient = patient.lock_ladder([Duration::from_secs(600)]);
    let running = run(patient, &heard, &database);
    database.until(IS_AT_THE_GATE).await;
    send(&mut reader, "SELECT FROM u").await.expect("nobody holds it yet");
    send(&mut gate, "SELECT pg_advisory_unlock(1)").await.expect("free");
    heard.wait_for("blocked 1 expand").await;
    nobody_is_stopped(&database).await;
    send(&mut reader, "COMMIT").await.expect("its end");
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(heard.with("retrying"), [""; 0]);
}

#[tokio::test]
async fn who_was_in_the_way_is_in_the_error() {
    let database = with_table().await;
    let reader = database.session("BEGIN; SELECT 's3cret' FROM t; SELECT pg_sleep(1.2)").await;
    let all = [("public.t", LockMode::AccessExclusive)];
    let short = migrator(ADD, 0, &all).lock_deadline(Duration::from_millis(50));
    let error =
        run(short, &Heard::default(), &database).await.unwrap().expect_err("the reader stays");
    assert!(error.is_lock_timeout(), "{error}");
    assert_eq!(error.place().map(|(_, line, column)| (line, column)), Some((1, 1)), "{error}");
    let told = error.to_string();
    let [blocker] = error.blockers() else { panic!("{error}") };
    assert!(told.contains("\n  in the way: an idle transaction"), "{told}");
    let end = format!("SELECT pg_terminate_backend({})", blocker.pid.expect("a process"));
    assert!(told.contains(&end), "{told}");
    assert!(told.contains("nothing of it stayed") && !told.contains("s3cret"), "{told}");
    drop(reader);
}

/// The report is about what is in the way, not about the first statement of the file.
#[tokio::test]
async fn what_comes_before_is_not_done_under_the_locks() {
    let database = with_table().await;
    let text = "SELECT pg_advisory_xact_lock_shared(1);\n-- then\nALTER TABLE t ADD COLUMN added int; SELECT 1/(n - 1) FROM one;";
    let offset = text.find("ALTER").expect("there");
    database.run("CREATE TABLE one AS SELECT 1 AS n").await;
    let mut other = database.session("SELECT pg_advisory_lock(1)").await;
    let all = [("t", LockMode::AccessExclusive)];
    let running = run(migrator(text, offset, &all), &Heard::default(), &database);
    database.until(IS_AT_THE_GATE).await;
    nobody_is_stopped(&database).await;
    send(&mut other, "SELECT pg_advisory_unlock(1)").await.expect("free");
    let error = running.await.unwrap().expect_err("a division by zero");
    assert_eq!(error.place().map(|(_, line, column)| (line, column)), Some((3, 37)), "{error}");
    assert_eq!(error.sqlstate(), Some("22012"), "{error}");
}

#[tokio::test]
async fn a_forgotten_transaction_is_ended_when_that_is_allowed() {
    let database = with_table().await;
    let mut reader = database.session("BEGIN; SELECT FROM t").await;
    let heard = Heard::default();
    let all = [("public.t", LockMode::AccessExclusive)];
    let migrator = migrator(ADD, 0, &all).end_idle_in_transaction(Duration::from_secs(1));
    let report = run(migrator, &heard, &database).await.unwrap().expect("a good end");
    assert_eq!(report.applied.len(), 1);
    let told = heard.with("ended 1 expand terminated: an idle transaction");
    assert_eq!(told.len(), 1, "{:?}", heard.all());
    assert!(send(&mut reader, "COMMIT").await.is_err());
}

/// One that does not go is waited for like any other, and the time is up in the end.
#[tokio::test]
async fn who_was_ended_and_does_not_go_does_not_keep_a_run_for_ever() {
    let database = with_table().await;
    let reader = database.session("BEGIN; SELECT FROM t").await;
    let pid = "SELECT pid FROM pg_locks WHERE relation = 't'::regclass";
    let pid = database.value(pid).await;
    signal(&pid, "-STOP");
    let heard = Heard::default();
    let all = [("public.t", LockMode::AccessExclusive)];
    let migrator = migrator(ADD, 0, &all).end_idle_in_transaction(Duration::from_millis(1));
    let short = migrator.lock_deadline(Duration::from_secs(3));
    let ended = tokio::time::timeout(Duration::from_secs(60), run(short, &heard, &database)).await;
    signal(&pid, "-CONT");
    let error = ended.expect("an end").unwrap().expect_err("the reader stays");
    assert!(error.is_lock_timeout(), "{error}");
    assert_eq!(heard.with("ended 1 expand terminated").len(), 1, "{:?}", heard.all());
    assert!(!heard.with("blocked 1 expand").is_empty(), "{:?}", heard.all());
    drop(reader);
}

/// To a process of the server.
fn signal(pid: &str, signal: &str) {
    let sent = std::process::Command::new("kill").args([signal, pid]).status();
    assert!(sent.expect("a signal").success());
}

/// To lock a table by itself takes more than to refer to it.
#[tokio::test]
async fn who_may_not_lock_a_table_asks_in_the_queue() {
    let database = with_table().await;
    let owner = database.role("owner", "").await;
    database.run("ALTER TABLE u ADD PRIMARY KEY (n)").await;
    database.run(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {owner}")).await;
    database
        .run(&format!("GRANT REFERENCES ON u TO {owner}; ALTER TABLE t OWNER TO {owner}"))
        .await;
    let heard = Heard::default();
    let both = [("t", LockMode::ShareRowExclusive), ("u", LockMode::ShareRowExclusive)];
    let text = "ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES u NOT VALID;";
    let migrator = migrator(text, 0, &both).role(owner);
    let report = run(migrator, &heard, &database).await.unwrap().expect("a good end");
    assert_eq!(report.applied.len(), 1);
    assert_eq!(heard.with("locked").len(), 1);
}

/// What the migrator may lock, the role that the file takes may not.
#[tokio::test]
async fn a_role_of_the_file_that_may_not_lock_a_table_asks_in_the_queue() {
    let database = with_table().await;
    let owner = database.role("owner", "").await;
    database
        .run(&format!(
            "ALTER TABLE u ADD PRIMARY KEY (n); GRANT CREATE, USAGE ON SCHEMA public TO {owner}; \
             GRANT REFERENCES ON u TO {owner}; ALTER TABLE t OWNER TO {owner}"
        ))
        .await;
    let both = [("t", LockMode::ShareRowExclusive), ("u", LockMode::ShareRowExclusive)];
    let text = format!(
        "SET LOCAL ROLE {owner}; ALTER TABLE t ADD FOREIGN KEY (n) REFERENCES u NOT VALID;"
    );
    let migrator = migrator(&text, text.find("ALTER").expect("there"), &both);
    let report = run(migrator, &Heard::default(), &database).await.unwrap();
    assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 1);
}

/// Which is meant where the file names no schema, the session says; where it names one, the file.
#[tokio::test]
async fn of_two_namesakes_the_one_that_is_meant_is_looked_at() {
    for (text, is_guess, meant, other) in [
        (ADD, true, "SELECT FROM app.t", "SELECT FROM public.t"),
        ("ALTER TABLE public.t ADD added int;", false, "SELECT FROM public.t", "SELECT FROM app.t"),
    ] {
        let database = with_table().await;
        database.run("CREATE SCHEMA app; CREATE TABLE app.t (n int)").await;
        let path = format!("ALTER DATABASE {} SET search_path = app, public", database.name);
        database.run(&path).await;
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
        let (mut theirs, mut idle) = (database.session(begin).await, database.session(begin).await);
        send(&mut theirs, meant).await.expect("a reader");
        send(&mut idle, other).await.expect("another");
        tokio::time::sleep(Duration::from_millis(1200)).await;
        let heard = Heard::default();
        let all = [("public.t", LockMode::AccessExclusive)];
        let running = run(migrator_that(text, 0, &all, is_guess), &heard, &database);
        let told = heard.wait_for("blocked 1 expand").await;
        let table = meant.trim_start_matches("SELECT FROM ");
        assert!(told.ends_with(&format!("on {table}: {meant}")), "{told}");
        send(&mut theirs, "COMMIT").await.expect("its end");
        assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
        assert_eq!(heard.with("queueing"), [""; 0]);
        drop(idle);
    }
}

/// `LOCK TABLE` on a view locks what it shows.
#[tokio::test]
async fn a_new_view_does_not_stop_what_is_below_it() {
    let database = with_table().await;
    database.run("CREATE VIEW v AS SELECT n FROM t").await;
    let mut reader = database.session("BEGIN; SELECT FROM t").await;
    let all = [("v", LockMode::AccessExclusive)];
    let text = "CREATE OR REPLACE VIEW v AS SELECT n FROM t WHERE n > 0;";
    let running = run(migrator(text, 0, &all), &Heard::default(), &database);
    assert_eq!(running.await.unwrap().expect("the reader is not in the way").applied.len(), 1);
    send(&mut reader, "COMMIT").await.expect("its end");
}

#[tokio::test]
async fn a_partition_that_nobody_told_of_is_taken_too() {
    let database = Database::fresh().await;
    database
        .run(
            "CREATE TABLE t (n int) PARTITION BY RANGE (n); CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (2); \
             CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (2) TO (3)",
        )
        .await;
    let mut reader = database.session("BEGIN; SELECT FROM t2; SELECT pg_sleep(1.2)").await;
    let heard = Heard::default();
    let known = [("t", LockMode::AccessExclusive), ("t1", LockMode::AccessExclusive)];
    let running = run(migrator(ADD, 0, &known), &heard, &database);
    let told = heard.wait_for("blocked 1 expand").await;
    assert!(told.contains("public.t2"), "{told}");
    nobody_is_stopped_in(&database, "SELECT FROM t1").await;
    send(&mut reader, "COMMIT").await.expect("its end");
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(heard.with("queueing"), [""; 0]);
}

async fn nobody_is_stopped_in(database: &Database, sql: &'static str) {
    let mut other = database.session("SET lock_timeout = '1ms'").await;
    for _ in 0..20 {
        send(&mut other, sql).await.expect("no wait");
    }
}

/// Nor what is waited for by a statement behind slow ones, when nobody knew that it would be.
#[tokio::test]
async fn what_was_only_seen_to_be_waited_for_is_not_locked_ahead_of_everything() {
    let database = with_table().await;
    let text = "SELECT pg_advisory_xact_lock_shared(1); ALTER TABLE t ADD COLUMN added int;";
    let folder = Folder::of(&[("1_it.sql", text)]);
    let mut reader = database.session("BEGIN; SELECT FROM t; SELECT pg_sleep(1.2)").await;
    let heard = Heard::default();
    let ladder = [Duration::from_millis(500), Duration::from_secs(600)];
    let running = run(folder.migrator().lock_ladder(ladder), &heard, &database);
    heard.wait_for("blocked 1 expand").await;
    let mut other = database.session("SELECT pg_advisory_lock(1)").await;
    send(&mut reader, "COMMIT").await.expect("its end");
    database.until(IS_AT_THE_GATE).await;
    nobody_is_stopped_in(&database, "SELECT FROM t").await;
    send(&mut other, "SELECT pg_advisory_unlock(1)").await.expect("free");
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
}

/// Without the linter, what a first attempt waited for tells where to look before the next.
#[tokio::test]
async fn what_was_waited_for_once_is_looked_at_from_then_on() {
    let database = with_table().await;
    let mut reader = database.session("BEGIN; SELECT FROM t; SELECT pg_sleep(1.2)").await;
    let heard = Heard::default();
    let folder = Folder::of(&[("1_it.sql", ADD)]);
    let patient = folder.migrator().lock_ladder([Duration::from_millis(500)]);
    let running = run(patient, &heard, &database);
    let told = heard.wait_for("blocked 1 expand").await;
    assert!(told.contains("holds ACCESS SHARE on public.t"), "{told}");
    nobody_is_stopped(&database).await;
    send(&mut reader, "COMMIT").await.expect("its end");
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(heard.with("retrying"), ["retrying 1 expand 1 55P03"]);
}

#[tokio::test]
async fn an_attempt_is_given_up_when_too_many_wait_behind_it() {
    let database = with_table().await;
    let mut reader = database.session("BEGIN; SELECT FROM t").await;
    let heard = Heard::default();
    let folder = Folder::of(&[("1_it.sql", ADD)]);
    let stubborn = folder.migrator().lock_ladder([Duration::from_secs(600)]).most_waiting(0);
    let running = run(stubborn, &heard, &database);
    database.until(&format!("SELECT ({QUEUED}) = 1")).await;
    let mut other = database.connect().await;
    send(&mut other, "SELECT FROM t").await.expect("the attempt makes way");
    heard.wait_for("retrying 1 expand 1 57014").await;
    send(&mut reader, "COMMIT").await.expect("its end");
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
}

#[tokio::test]
async fn what_stops_everybody_has_five_seconds() {
    for (mode, limit) in [(LockMode::AccessExclusive, "5s"), (LockMode::Share, "0")] {
        let database = with_table().await;
        for head in ["", "-- migrate: no-transaction\n"] {
            let text = format!(
                "{head}CREATE TABLE seen AS SELECT current_setting('statement_timeout') AS it;"
            );
            let migrator = migrator(&text, head.len(), &[("t", mode)]);
            run(migrator, &Heard::default(), &database).await.unwrap().expect("a good end");
            assert_eq!(database.value("SELECT it FROM seen").await, limit);
            database.run("DROP TABLE seen, schema_migrations, schema_migrations_settled").await;
        }
    }
}

const PARTITIONED: &str = "CREATE TABLE t (n int) PARTITION BY RANGE (n); \
                           CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (2)";
const DETACH: &str = "-- migrate: no-transaction\nALTER TABLE t DETACH PARTITION t1 CONCURRENTLY;";
const IS_DETACHED: &str = "SELECT NOT EXISTS (SELECT FROM pg_inherits)";

/// Its second transaction closes the partition.
#[tokio::test]
async fn a_partition_is_detached_when_nobody_has_it() {
    let database = Database::fresh().await;
    if database.server.version() < 140_000 {
        return; // the server has no such statement
    }
    database.run(PARTITIONED).await;
    let mut reader = database.session("BEGIN; SELECT FROM t1; SELECT pg_sleep(1.2)").await;
    let heard = Heard::default();
    let both = [("t", LockMode::ShareUpdateExclusive), ("t1", LockMode::AccessExclusive)];
    let at = DETACH.find("ALTER").expect("there");
    let running = run(migrator(DETACH, at, &both), &heard, &database);
    let told = heard.wait_for("blocked 1 expand").await;
    assert!(told.contains("holds ACCESS SHARE on public.t1"), "{told}");
    nobody_is_stopped_in(&database, "SELECT FROM t1").await;
    assert_eq!(heard.with("retrying"), [""; 0]);
    send(&mut reader, "COMMIT").await.expect("its end");
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(database.value(IS_DETACHED).await, "true");
}

/// Where nobody knew, it is given up half done, and finished as gently.
#[tokio::test]
async fn a_partition_is_detached_in_attempts_where_somebody_has_it() {
    for most_waiting in [100, 0] {
        let database = Database::fresh().await;
        if database.server.version() < 140_000 {
            return; // the server has no such statement
        }
        database.run(PARTITIONED).await;
        let mut reader = database.session("BEGIN; SELECT FROM t1; SELECT pg_sleep(1.2)").await;
        let (heard, folder) = (Heard::default(), Folder::of(&[("1_it.sql", DETACH)]));
        let is_stubborn = most_waiting == 0;
        let rung = Duration::from_millis(if is_stubborn { 600_000 } else { 500 });
        let migrator = folder.migrator().lock_ladder([rung]).most_waiting(most_waiting);
        let running = run(migrator, &heard, &database);
        database.until(&format!("SELECT ({QUEUED}) = 1")).await;
        let mut other = database.connect().await;
        send(&mut other, "SELECT FROM t1").await.expect("the attempt makes way");
        heard.wait_for("retrying 1 expand 1 57014").await;
        if !is_stubborn {
            heard.wait_for("blocked 1 expand").await;
            nobody_is_stopped_in(&database, "SELECT FROM t1").await;
        }
        send(&mut reader, "COMMIT").await.expect("its end");
        assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
        assert_eq!(database.value(IS_DETACHED).await, "true");
    }
}

/// A server on which an autovacuum of these tables is about to take hours.
async fn busy_vacuum(tables: &[&str]) -> (migrate_testing::PrivateServer, Database) {
    let server = Server::builder()
        .setting("autovacuum", "on")
        .setting("autovacuum_naptime", "1s")
        .setting("max_prepared_transactions", "2");
    let private = server.private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    for table in ["t", "u"] {
        let enabled = tables.contains(&table);
        database
            .run(&format!(
                "CREATE TABLE {table} (n int) WITH (autovacuum_enabled = {enabled}, autovacuum_vacuum_threshold = 0, \
                 autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1); \
                 INSERT INTO {table} SELECT generate_series(1, 200000); DELETE FROM {table} WHERE n % 2 = 0"
            ))
            .await;
    }
    for table in tables {
        database.until(&is_vacuumed(table)).await;
    }
    database.run(NO_MORE_VACUUM).await; // who has given way does not come back at once
    (private, database)
}

/// Without the lock of `ALTER TABLE`, which would have to wait for the vacuum.
const NO_MORE_VACUUM: &str = "UPDATE pg_class SET reloptions = '{autovacuum_enabled=false}' \
                              WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace";

fn is_vacuumed(table: &str) -> String {
    format!("SELECT EXISTS (SELECT FROM pg_stat_progress_vacuum WHERE relid = '{table}'::regclass)")
}

#[tokio::test]
async fn an_autovacuum_is_outlasted_or_cancelled() {
    for (vacuumed, cancel, at_most) in [
        (&["t"][..], false, 1300),
        (&["t", "u"], false, 2600),
        (&["u"], false, 1300),
        (&["t", "u"], true, 0),
    ] {
        let (private, database) = busy_vacuum(vacuumed).await;
        let heard = Heard::default();
        let both = [("t", LockMode::AccessExclusive), ("u", LockMode::AccessExclusive)];
        let text = "ALTER TABLE t ADD COLUMN added int; ALTER TABLE u ADD COLUMN added int;";
        let migrator = migrator(text, 0, &both);
        let migrator = if cancel { migrator.cancel_autovacuum() } else { migrator };
        let report = run(migrator, &heard, &database).await.unwrap().expect("a good end");
        assert_eq!(report.applied.len(), 1);
        let ended = heard.with("ended 1 expand cancelled: an autovacuum").len();
        let queued = heard.with(&format!("queueing 1 expand 0 {at_most}")).len();
        assert_eq!((ended > 0, queued > 0), (cancel, !cancel), "{:?}", heard.all());
        assert_eq!(heard.with("retrying"), [""; 0]);
        drop(database);
        drop(private);
    }
}

/// What it does is hidden from an ordinary role; that it does not give way is seen once.
#[tokio::test]
async fn a_vacuum_that_prevents_wraparound_is_queued_behind_once_where_it_cannot_be_seen() {
    let (private, database) = busy_vacuum(&[]).await;
    let role = database.role("ordinary", "LOGIN").await;
    database
        .run(&format!(
            "GRANT CREATE, USAGE ON SCHEMA public TO {role}; ALTER TABLE t OWNER TO {role}; \
             ALTER TABLE t SET (autovacuum_freeze_max_age = 100000, \
             autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1); \
             CREATE UNLOGGED TABLE ids (n int); DO $$ BEGIN FOR n IN 1 .. 100100 LOOP BEGIN INSERT INTO ids VALUES (n); \
             EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$"
        ))
        .await;
    database.until(&is_vacuumed("t")).await;
    let heard = Heard::default();
    let migrator = migrator(ADD, 0, &[("public.t", LockMode::AccessExclusive)]);
    let (migrator, options) =
        (migrator.observer(heard.clone()), database.options().username(&role));
    let running = tokio::spawn(async move { migrator.run(&options).await });
    heard.wait_for("queueing 1 expand 0 1300").await;
    let told = heard.wait_for("blocked 1 expand").await;
    assert!(told.contains("an autovacuum to prevent wraparound"), "{told}");
    nobody_is_stopped(&database).await;
    database.run(NO_MORE_VACUUM).await;
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_progress_vacuum").await;
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(heard.with("queueing").len(), 1, "{:?}", heard.all());
    drop(database);
    drop(private);
}

#[tokio::test]
async fn nothing_is_queued_behind_a_prepared_transaction() {
    let (private, database) = busy_vacuum(&[]).await;
    database.run("BEGIN; INSERT INTO t VALUES (0); PREPARE TRANSACTION 'half done'").await;
    let heard = Heard::default();
    let all = [("public.t", LockMode::AccessExclusive)];
    let running = run(migrator(ADD, 0, &all), &heard, &database);
    let told = heard.wait_for("blocked 1 expand").await;
    assert!(told.contains("a prepared transaction of half done"), "{told}");
    nobody_is_stopped(&database).await;
    database.run("ROLLBACK PREPARED 'half done'").await;
    assert_eq!(running.await.unwrap().expect("a good end").applied.len(), 1);
    assert_eq!(heard.with("queueing"), [""; 0]);
    drop(database);
    drop(private);
}

/// Locks are asked for behind it: the look how long that took is a query.
#[tokio::test]
async fn a_file_may_begin_with_its_isolation_level() {
    let database = with_table().await;
    let level = "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE;\n";
    let text = format!("{level}{ADD} COMMENT ON TABLE u IS 'it';");
    let locks = [("public.t", LockMode::AccessExclusive)];
    let text = text.replace(
        "COMMENT",
        "CREATE TABLE level AS SELECT current_setting('transaction_isolation'); COMMENT",
    );
    let heard = Heard::default();
    let report = run(migrator(&text, level.len(), &locks), &heard, &database).await.unwrap();
    assert_eq!(report.unwrap_or_else(|error| panic!("{error}")).applied.len(), 1);
    assert_eq!(heard.with("locked").len(), 1, "the locks were asked for: {:?}", heard.all());
    assert_eq!(database.value("SELECT * FROM level").await, "serializable");
}
