//! What those who look on see of a run: how far it is, who is in its way, who waits behind it, and what became of it.

use migrate_postgres::{BlockerKind, Doing, Migrator, Outcome, Recorder};
use migrate_testing::Server;
use sqlx::Executor;

use crate::harness::{Database, Folder, Heard};

/// A table, and a function that stops at a gate: an advisory lock whose number is a setting.
const GATE: &str = "
    CREATE TABLE t (id int);
    INSERT INTO t SELECT generate_series(1, 500);
    CREATE FUNCTION at_gate(i int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS $$
    BEGIN
        PERFORM pg_advisory_xact_lock_shared(current_setting('test.gate')::int);
        RETURN i;
    END $$";

#[tokio::test]
async fn it_is_told_how_far_each_kind_of_long_statement_is() {
    // Transactions of other tests would decide how many rows a vacuum has to wait for.
    let private = Server::builder().setting("autovacuum", "off").private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    database.run(GATE).await;
    let copies = database.server.version() >= 140_000;
    let mut text = "-- migrate: no-transaction
        SET lock_timeout = 0;
        VACUUM (FREEZE) t;
        SET test.gate = 4;
        CREATE INDEX CONCURRENTLY i ON t (at_gate(id));
        SET test.gate = 6;
        ANALYZE t;
        SET test.gate = 8;
        VACUUM FULL t;"
        .to_owned();
    if copies {
        text += "SET test.gate = 10; COPY (SELECT at_gate(id) FROM t) TO '/dev/null';";
    }
    let folder = Folder::of(&[("1_a.sql", &text)]);
    // Whoever has a row of a page in hand keeps a vacuum from it.
    let cursor = database.session("BEGIN; DECLARE c CURSOR FOR SELECT * FROM t; FETCH c").await;
    let mut gates =
        database.session("SELECT pg_advisory_lock(n) FROM generate_series(4, 10) n").await;
    let heard = Heard::default();
    let (migrator, options) = (folder.migrator().observer(heard.clone()), database.options());
    let run = tokio::spawn(async move { migrator.run(&options).await });

    let told = heard.wait_for("working 2").await;
    assert!(told.contains("[VACUUM: scanning heap on public.t, 0 % (0 of 3 blocks)]"), "{told}");
    drop(cursor);
    let told = heard.wait_for("working 4").await;
    let building = "[CREATE INDEX CONCURRENTLY: building index: scanning table on public.t, ";
    assert!(told.contains(building) && told.contains(" of 3 blocks)]"), "{told}");
    gates.execute("SELECT pg_advisory_unlock(4)").await.unwrap();
    let told = heard.wait_for("working 6").await;
    assert!(told.contains("[ANALYZE: computing statistics on public.t]"), "{told}");
    gates.execute("SELECT pg_advisory_unlock(6)").await.unwrap();
    let told = heard.wait_for("working 8").await;
    assert!(told.contains("[VACUUM FULL: rebuilding index on public.t, 0 indexes]"), "{told}");
    gates.execute("SELECT pg_advisory_unlock(8)").await.unwrap();
    if copies {
        let told = heard.wait_for("working 10").await;
        assert!(told.contains("[COPY TO: copying, 0 rows]"), "{told}");
        gates.execute("SELECT pg_advisory_unlock(10)").await.unwrap();
    }
    run.await.unwrap().unwrap();
}

const BUILD: (&str, &str) =
    ("1_a.sql", "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY i ON t (id);");

#[tokio::test]
async fn whoever_looks_on_sees_who_is_in_the_way_of_a_build_and_who_waits_behind_it() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (id int)").await;
    let mut idle = database.session("SET application_name = 'forgotten'").await;
    idle.execute(sqlx::raw_sql("BEGIN; INSERT INTO t VALUES (4711)")).await.unwrap();
    let heard = Heard::default();
    let recorder = Recorder::new();
    let migrator = Folder::of(&[BUILD]).migrator();
    let (options, seen) = (database.options(), migrator.clone());
    assert_eq!(seen.activity(&options).await.unwrap().migrator, None);
    let migrator = migrator.observer((heard.clone(), recorder.clone()));
    let run = tokio::spawn({
        let options = options.clone();
        async move { migrator.run(&options).await }
    });
    heard.wait_for("working 1").await;

    let mut behind = database.session("SET application_name = 'behind'; BEGIN").await;
    let behind = tokio::spawn(async move {
        behind.execute("LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE").await.unwrap_err();
    });
    database.until("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND mode = 'ShareRowExclusiveLock')").await;
    let at_work = seen.activity(&options).await.unwrap().migrator.unwrap();
    assert_eq!(at_work.doing.as_deref(), Some("apply 1 expand a"));
    assert!(at_work.application.starts_with("migrate default on "), "{at_work:#?}");
    let progress = at_work.progress.as_ref().unwrap();
    assert_eq!(
        progress.to_string(),
        "waiting for writers before build on public.t, 0 % (0 of 1 transactions)"
    );
    let [blocker] = at_work.blockers.as_slice() else { panic!("{at_work:#?}") };
    assert_eq!(blocker.kind, BlockerKind::IdleInTransaction);
    let shown = blocker.to_string();
    assert!(shown.starts_with("an idle transaction of forgotten (pid "), "{shown}");
    assert!(
        shown.ends_with(" holds ROW EXCLUSIVE on public.t: BEGIN; INSERT INTO t VALUES (?)"),
        "{shown}"
    );
    let [waiting] = at_work.waiting.as_slice() else { panic!("{at_work:#?}") };
    assert_eq!((waiting.application.as_str(), waiting.depth), ("behind", 0));
    assert_eq!(waiting.statement, "LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE");

    let told = heard.with("working 1").pop().unwrap();
    assert!(told.contains("before build on public.t, 0 % (0 of 1 transactions)] ["), "{told}");
    assert!(told.contains("[an idle transaction of forgotten (pid "), "{told}");
    while !heard.with("working 1").last().unwrap().ends_with("] 1") {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    // The build would wait for its snapshot, and it for the build.
    database.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'behind'").await;
    behind.await.unwrap();
    drop(idle);
    run.await.unwrap().unwrap();
    assert_eq!(seen.activity(&options).await.unwrap().migrator, None);

    let recording = recorder.recording();
    let [track] = recording.tracks.as_slice() else { panic!("{recording:#?}") };
    assert_eq!((track.statement, track.outcome, track.waiting), (Some(1), Outcome::Done, 1));
    assert_eq!(track.blockers[0].blocker.application, "forgotten");
    assert_eq!(track.spans[0].what, "waiting for writers before build");
    assert_eq!(recording.spent(Doing::Working), track.to - track.from, "{recording:#?}");
}

#[tokio::test]
async fn what_is_recorded_of_a_failure_is_what_a_stranger_may_read() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (4711)").await;
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a ();"),
        ("2_b.sql", "INSERT INTO t VALUES (4711); -- s3cr3t"),
    ]);
    let (heard, recorder) = (Heard::default(), Recorder::new());
    let migrator = folder.migrator().observer((heard.clone(), Some(recorder.clone())));
    let error = migrator.run(&database.options()).await.unwrap_err();
    assert!(error.to_string().contains("4711"), "the caller is told all: {error}");
    assert_eq!(heard.all().pop().unwrap(), "failed Some(\"23505\")");
    let recording = recorder.recording();
    let outcomes: Vec<_> = recording.tracks.iter().map(|track| track.outcome).collect();
    assert_eq!(outcomes, [Outcome::Done, Outcome::Failed]);
    let stopped = recording.stopped.as_ref().unwrap();
    assert_eq!((stopped.sqlstate.as_deref(), stopped.line), (Some("23505"), Some(1)));
    assert!(stopped.message.contains("failed to apply 2 expand b: duplicate key"), "{stopped:?}");
    let all = format!("{recording:?}");
    assert!(!all.contains("4711") && !all.contains("s3cr3t"), "{all}");
}

#[tokio::test]
async fn a_failed_way_back_is_told_too() {
    let database = Database::fresh().await;
    let folder =
        Folder::of(&[("1_a.sql", "CREATE TABLE a ();"), ("1_a.down.sql", "DROP TABLE b;")]);
    folder.migrator().run(&database.options()).await.unwrap();
    let heard = Heard::default();
    let migrator: Migrator = folder.migrator().observer(heard.clone());
    migrator.revert(&database.options(), None).await.unwrap_err();
    assert_eq!(heard.all().pop().unwrap(), "failed Some(\"42P01\")");
}
