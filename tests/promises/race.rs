//! Several migrators at once: one works, the others wait, and nothing happens twice.

use std::io::Write;
use std::time::{Duration, Instant};

use migrate_postgres::Report;
use migrate_testing::Server;
use sqlx::postgres::PgConnectOptions;
use tokio::task::JoinSet;

use crate::harness::{Application, Database, Folder, Heard, Pooler};

/// Two transactions, a transaction that would show in the data if it ran twice, and two statements outside.
const FILES: &[(&str, &str)] = &[
    ("1_log.sql", "CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, entry text);"),
    ("2_entry.sql", "INSERT INTO log (entry) VALUES ('two');"),
    ("3_entry.sql", "INSERT INTO log (entry) VALUES ('three');"),
    (
        "4_index.sql",
        "-- migrate: no-transaction\nINSERT INTO log (entry) VALUES ('four');\n\
         CREATE INDEX CONCURRENTLY log_entry ON log (entry);",
    ),
];

const ENTRIES: &str = "SELECT string_agg(entry, ' ' ORDER BY id) FROM log";

async fn each_was_applied_once(database: &Database) {
    assert_eq!(database.done().await, "1 2 3 4");
    assert_eq!(database.value(ENTRIES).await, "two three four");
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations").await, "7");
    assert_eq!(
        database
            .value("SELECT indisvalid FROM pg_index WHERE indexrelid = 'log_entry'::regclass")
            .await,
        "true"
    );
}

/// A migration that waits until a session of the test lets go.
const AT_THE_GATE: (&str, &str) =
    ("1_gate.sql", "SET LOCAL lock_timeout = 0; SELECT pg_advisory_xact_lock(7);");
const GATE: &str = "SELECT pg_advisory_lock(7)";

#[tokio::test]
async fn ten_processes_start_at_once_on_an_empty_database() {
    let (database, folder) = (Database::fresh().await, Folder::of(FILES));
    let (mut applied, _) = processes(10, &database.options(), &folder).await;
    applied.sort_unstable();
    assert_eq!(applied, [0, 0, 0, 0, 0, 0, 0, 0, 0, 4]);
    each_was_applied_once(&database).await;
}

/// How many migrations each of so many processes applied that start at once, and from the end of the first to that of
/// the last.
async fn processes(many: usize, to: &PgConnectOptions, folder: &Folder) -> (Vec<usize>, Duration) {
    let start = |_| Application::start(to, folder);
    let mut all: JoinSet<usize> = (0..many).map(start).map(Application::applied).collect();
    let (mut applied, mut first) = (Vec::new(), None);
    while let Some(one) = all.join_next().await {
        first.get_or_insert_with(Instant::now);
        applied.push(one.expect("a good end"));
    }
    (applied, first.expect("an end").elapsed())
}

/// All twenty are there before the work goes on. The last ends within a second of the first, with some slack for a
/// machine that is busy with twenty processes: how much, the same machine tells by what it takes to start and end as
/// many that have nothing to do.
async fn twenty_are_done_together(database: &Database, to: &PgConnectOptions) {
    let folder = Folder::of(FILES);
    folder.write("0_gate.sql", AT_THE_GATE.1);
    let gate = database.session(GATE).await;
    // Behind a pooler the one at the gate has no name: with `RESET ALL` goes what the pooler has set.
    let all_are_there = "SELECT count(DISTINCT application_name) FILTER (WHERE wait_event_type IS DISTINCT FROM 'Lock') = 19 \
                         AND count(*) FILTER (WHERE wait_event_type = 'Lock') = 1 FROM pg_stat_activity \
                         WHERE datname = current_database() AND application_name LIKE 'migrate default on %' \
                         OR query LIKE '%pg_advisory_xact_lock(7)%' AND wait_event_type = 'Lock'";
    let opened = async {
        database.until(all_are_there).await;
        drop(gate);
    };
    let ((mut applied, apart), ()) = tokio::join!(processes(20, to, &folder), opened);
    applied.sort_unstable();
    assert_eq!(applied, [[0; 19].as_slice(), &[5]].concat());
    folder.remove("0_gate.sql");
    database.run("DELETE FROM schema_migrations WHERE version = 0").await;
    each_was_applied_once(database).await;
    let began = Instant::now();
    let (applied, _) = processes(20, to, &folder).await;
    let idle = began.elapsed();
    assert_eq!(applied, [0; 20]);
    let told = format!(
        "of twenty racing migrators the last was done {} ms after the first; twenty with nothing to do take {} ms",
        apart.as_millis(),
        idle.as_millis()
    );
    writeln!(std::io::stderr(), "{told}").expect("somebody to tell");
    assert!(apart < Duration::from_secs(1) + 5 * idle, "{told}");
}

#[tokio::test]
async fn of_twenty_processes_the_last_is_done_soon_after_the_first() {
    let database = Database::fresh().await;
    twenty_are_done_together(&database, &database.options()).await;
}

#[tokio::test]
async fn twenty_processes_race_through_a_pooler_in_session_mode() {
    let server = Server::private().expect("a server");
    let database = Database::on(Server::clone(&server)).await;
    let Some(pooler) = Pooler::start(&database, "session", 100).await else { return };
    twenty_are_done_together(&database, &pooler.options()).await;
}

#[tokio::test]
async fn two_processes_race_again_and_again() {
    for _ in 0..10 {
        let (database, folder) = (Database::fresh().await, Folder::of(FILES));
        let (applied, _) = processes(2, &database.options(), &folder).await;
        assert_eq!(applied.iter().sum::<usize>(), 4, "{applied:?}");
        each_was_applied_once(&database).await;
    }
}

#[tokio::test]
async fn twenty_tasks_of_one_process_share_a_pool() {
    let (database, folder) = (Database::fresh().await, Folder::of(FILES));
    let pool = database.pool().await;
    let mut all = JoinSet::new();
    for _ in 0..20 {
        let (migrator, pool) = (folder.migrator(), pool.clone());
        all.spawn(async move { migrator.run(&pool).await });
    }
    let ends = all.join_all().await;
    let reports: Vec<Report> = ends.into_iter().map(|end| end.expect("a good end")).collect();
    assert_eq!(reports.iter().map(|report| report.applied.len()).sum::<usize>(), 4);
    each_was_applied_once(&database).await;
}

#[tokio::test]
async fn sets_that_share_a_table_may_start_at_once() {
    let database = Database::fresh().await;
    let mut all = JoinSet::new();
    for set in 0..8 {
        let table = format!("CREATE TABLE of_{set} ();");
        let migrator = Folder::of(&[("1_table.sql", &table)]).migrator().set(format!("set {set}"));
        let options = database.options();
        all.spawn(async move { migrator.run(&options).await });
    }
    for end in all.join_all().await {
        assert_eq!(end.expect("a good end").applied.len(), 1);
    }
    assert_eq!(database.value("SELECT count(DISTINCT set_name) FROM schema_migrations").await, "8");
}

#[tokio::test]
async fn a_waiter_tells_who_works_and_leaves_when_the_work_is_done() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[AT_THE_GATE]));
    let gate = database.session(GATE).await;
    let mut worker = Application::start(&database.options(), &folder);
    worker.says("Started").await;
    let heard = Heard::default();
    let (migrator, options) = (folder.migrator().observer(heard.clone()), database.options());
    let waiter = tokio::spawn(async move { migrator.run(&options).await });
    let event = heard.wait_for("waiting for").await;
    let working = "SELECT application_name FROM pg_stat_activity \
                   WHERE datname = current_database() AND query LIKE '%pg_advisory_xact_lock(7)%' AND wait_event_type = 'Lock'";
    let name = database.value(working).await;
    assert!(name.starts_with("migrate default on "), "{name}");
    assert!(event.contains(&name), "{event} does not name {name}");
    drop(gate);
    assert_eq!(worker.applied().await, 1);
    let report = waiter.await.unwrap().expect("a good end");
    assert!(report.is_empty(), "{report}");
    assert!(heard.with("started").is_empty(), "{:#?}", heard.all());
    assert_eq!(database.history().await, ["1 1 expand transaction up done"]);
}

#[tokio::test]
async fn waiting_has_an_end_and_the_error_names_the_worker() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[AT_THE_GATE]));
    let gate = database.session(GATE).await;
    let mut worker = Application::start(&database.options(), &folder);
    worker.says("Started").await;
    let impatient = folder.migrator().wait_for_migrator(Duration::from_millis(300));
    let error = impatient.run(&database.options()).await.expect_err("the worker is at the gate");
    assert!(error.is_busy(), "{error}");
    let told = error.to_string();
    for words in ["migrate default on ", "pid ", "role ", "this migrator changed nothing", "next: "]
    {
        assert!(told.contains(words), "`{words}` is not in: {told}");
    }
    drop(gate);
    assert_eq!(worker.applied().await, 1);
}

#[tokio::test]
async fn any_role_can_see_who_migrates() {
    let (database, folder) = (Database::fresh().await, Folder::of(&[AT_THE_GATE]));
    let gate = database.session(GATE).await;
    let mut worker = Application::start(&database.options(), &folder);
    worker.says("Started").await;
    let role = format!("{}_anybody", database.name);
    database.run(&format!("CREATE ROLE {role}; GRANT {role} TO CURRENT_USER")).await;
    let seen = format!(
        "SET ROLE {role}; DO $$ BEGIN ASSERT 1 = (SELECT count(*) FROM pg_stat_activity WHERE datname = \
         current_database() AND application_name LIKE 'migrate default on %:%'); END $$; RESET ROLE"
    );
    database.run(&seen).await;
    database.run(&format!("DROP ROLE {role}")).await;
    drop(gate);
    assert_eq!(worker.applied().await, 1);
}
