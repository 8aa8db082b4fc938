//! Through a pooler in transaction mode, migrators work by a lease: never two at once, and nothing is left on the
//! sessions that others get next.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use migrate_postgres::{Event, Migrator, Observer, Report, Version};
use migrate_testing::{PrivateServer, Server};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection};
use tokio::task::JoinSet;

use crate::harness::{Application, Database, Folder, Gate, Heard, Pooler, applied, aside};
use crate::rust::Rust;

const LOG: (&str, &str) =
    ("1_log.sql", "CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, entry text);");
const TWO: (&str, &str) = ("2_entry.sql", "INSERT INTO log (entry) VALUES ('two');");
const THREE: (&str, &str) = ("3_entry.sql", "INSERT INTO log (entry) VALUES ('three');");

const ENTRIES: &str = "SELECT string_agg(entry, ' ' ORDER BY id) FROM log";

/// A server that no other test speaks to.
async fn database() -> (PrivateServer, Database) {
    let private = Server::private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    (private, database)
}

async fn each_was_applied_once(database: &Database) {
    assert_eq!(database.done().await, "1 2 3");
    assert_eq!(database.value(ENTRIES).await, "two three");
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations").await, "3");
    assert_eq!(
        database.value("SELECT count(*) FROM schema_migrations_lease WHERE holder IS NULL").await,
        "1"
    );
}

#[tokio::test]
async fn what_is_one_transaction_each_is_applied_and_taken_back() {
    for sessions in [20, 1] {
        let (_server, database) = database().await;
        let Some(pooler) = Pooler::start(&database, "transaction", sessions).await else { return };
        let folder = Folder::of(&[LOG, TWO]);
        let migrator = folder.migrator();
        assert_eq!(
            applied(&migrator.run(&pooler.options()).await.unwrap()),
            ["1 expand", "2 expand"]
        );
        assert_eq!(database.transactions().await, 1, "a fresh database is one transaction");
        folder.write(THREE.0, THREE.1);
        folder.write("3_entry.down.sql", "DELETE FROM log WHERE entry = 'three';");
        let migrator = folder.migrator();
        let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
        let pool = pool.connect_with(pooler.options()).await.unwrap();
        assert_eq!(applied(&migrator.run(&pool).await.unwrap()), ["3 expand"]);
        each_was_applied_once(&database).await;
        assert!(migrator.run(&pool).await.unwrap().is_empty());
        let back = migrator.revert(&pool, Some(Version::new(2))).await.unwrap();
        assert_eq!(applied(&back), ["3 expand"]);
        assert_eq!(database.value(ENTRIES).await, "two");
        assert!(migrator.check(&pool).await.is_ok_and(|settled| !settled));
        migrator.mark_applied(&pool, back.applied[0].id, "to see").await.unwrap();
        assert!(migrator.run(&pool).await.unwrap().is_empty());
        assert_eq!(database.value("SELECT fence FROM schema_migrations_lease").await, "4");
    }
}

#[tokio::test]
async fn code_in_a_transaction_leaves_no_statement_prepared() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 1).await else { return };
    let writes = |version| {
        Rust::new(version, "writes", |connection| {
            Box::pin(async move {
                for entry in ["a", "b"] {
                    let insert = sqlx::query("INSERT INTO log (entry) VALUES ($1)");
                    insert.bind(entry).execute(&mut *connection).await?;
                }
                Ok(())
            })
        })
    };
    let fails = Rust::new(4, "fails", |connection| {
        Box::pin(async move {
            sqlx::query("SELECT 1 WHERE $1").bind(true).execute(&mut *connection).await?;
            sqlx::query("SELECT 1 / $1").bind(0).execute(&mut *connection).await?;
            Ok(())
        })
    });
    let source = Folder::of(&[LOG]).source().with(writes(2)).with(writes(3)).with(fails);
    let error = Migrator::new(source).run(&pooler.options()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("22012"), "{error}");
    assert_eq!(database.value(ENTRIES).await, "a b a b");
    assert_eq!(database.history().await.last().unwrap(), "4 4 expand code up failed");
    let mut other = pooler.options().connect().await.unwrap();
    assert_eq!(value(&mut other, "SELECT count(*) FROM pg_prepared_statements").await, "0");
}

/// By the simple protocol: what looks must not leave anything either.
async fn value(connection: &mut PgConnection, sql: &str) -> String {
    let sql = AssertSqlSafe(format!("SELECT ({sql})::text AS value"));
    let row = sqlx::raw_sql(sql).fetch_one(connection).await.expect("a row");
    sqlx::Row::try_get_unchecked::<Option<String>, _>(&row, 0).expect("a text").unwrap_or_default()
}

async fn race(database: &Database, ways: Vec<PgConnectOptions>) {
    let folder = Folder::of(&[LOG, TWO, THREE]);
    let start = |way: PgConnectOptions| Application::start(&way, &folder).applied();
    let mut all: JoinSet<usize> = ways.into_iter().map(start).collect();
    let mut applied = Vec::new();
    while let Some(one) = all.join_next().await {
        applied.push(one.expect("a good end"));
    }
    assert_eq!(applied.iter().filter(|n| **n == 3).count(), 1, "{applied:?}");
    assert_eq!(applied.iter().sum::<usize>(), 3, "{applied:?}");
    each_was_applied_once(database).await;
}

#[tokio::test]
async fn two_processes_race_through_a_pooler() {
    for _ in 0..5 {
        let (_server, database) = database().await;
        let Some(pooler) = Pooler::start(&database, "transaction", 20).await else { return };
        race(&database, vec![pooler.options(); 2]).await;
    }
}

#[tokio::test]
async fn twenty_processes_race_through_a_pooler() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 5).await else { return };
    race(&database, vec![pooler.options(); 20]).await;
}

#[tokio::test]
async fn processes_with_and_without_a_session_of_their_own_race() {
    for _ in 0..3 {
        let (_server, database) = database().await;
        let Some(pooler) = Pooler::start(&database, "transaction", 20).await else { return };
        // There is a lease from the start: else whoever has a session of his own is always first.
        Folder::of(&[LOG])
            .migrator()
            .baseline(&pooler.options(), Version::new(0))
            .await
            .unwrap_err();
        let ways = [pooler.options(), database.options()].into_iter().cycle().take(16);
        race(&database, ways.collect()).await;
    }
}

/// Between the plan of a run and the end of its work nobody else has one: counted by whoever listens.
#[derive(Clone, Default)]
struct Alone(Arc<Counts>);

#[derive(Default)]
struct Counts {
    working: AtomicUsize,
    together: AtomicUsize,
    runs: AtomicUsize,
}

/// What one migrator tells of itself.
struct Of {
    all: Alone,
    left: AtomicUsize,
}

impl Observer for Of {
    fn event(&self, event: &Event<'_>) {
        let counts = &self.all.0;
        match event {
            Event::Planned { actions, .. } if *actions > 0 => {
                self.left.store(*actions, Ordering::SeqCst);
                counts.runs.fetch_add(1, Ordering::SeqCst);
                counts
                    .together
                    .fetch_max(counts.working.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            }
            Event::Done { .. } if self.left.fetch_sub(1, Ordering::SeqCst) == 1 => {
                counts.working.fetch_sub(1, Ordering::SeqCst);
            }
            _ => {}
        }
    }
}

/// Each has a migration more than the one before, so that many have work to do, whatever the others did.
#[tokio::test(flavor = "multi_thread")]
async fn there_are_never_two_holders() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 8).await else { return };
    database.run("CREATE TABLE log (id bigint GENERATED ALWAYS AS IDENTITY, entry text)").await;
    let (alone, mut all) = (Alone::default(), JoinSet::new());
    let entry = |n| (format!("{n}_entry.sql"), format!("INSERT INTO log (entry) VALUES ('{n}');"));
    for last in 1..=20 {
        let folder = Folder::of(&[]);
        (1..=last).map(entry).for_each(|(name, text)| folder.write(&name, &text));
        let observer = Of { all: alone.clone(), left: AtomicUsize::new(0) };
        let migrator = folder.migrator().observer(observer);
        let way = if last % 3 == 0 { database.options() } else { pooler.options() };
        all.spawn(async move { migrator.run(&way).await });
    }
    for end in all.join_all().await {
        end.unwrap_or_else(|error| panic!("{error}"));
    }
    assert_eq!(alone.0.together.load(Ordering::SeqCst), 1);
    assert!(alone.0.runs.load(Ordering::SeqCst) > 0);
    assert_eq!(
        database.value("SELECT count(DISTINCT entry) || ' ' || count(*) FROM log").await,
        "20 20"
    );
}

/// For a lease to run out, however slow the machine is.
const LONG_ENOUGH: Duration = Duration::from_secs(60);

/// A run that stops before its second migration for as long as the gate is closed.
async fn stopped_before_two(folder: &Folder, way: PgConnectOptions) -> (Gate, Run) {
    let gate = Gate::before("started up 2");
    let migrator = folder.migrator().group(1).lease(Duration::from_millis(200));
    let migrator = migrator.wait_for_migrator(LONG_ENOUGH).observer(gate.clone());
    let run = aside(migrator, way);
    gate.reached().await;
    (gate, run)
}

type Run = tokio::task::JoinHandle<Result<Report, migrate_postgres::Error>>;

/// Its lease runs out while it is stopped, and others do its work.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_lost_its_lease_writes_nothing() {
    for through_the_pooler in [true, false] {
        let (_server, database) = database().await;
        let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
        let folder = Folder::of(&[LOG, TWO, THREE]);
        let (gate, run) = stopped_before_two(&folder, pooler.options()).await;
        let way = if through_the_pooler { pooler.options() } else { database.options() };
        let next = folder.migrator().wait_for_migrator(LONG_ENOUGH);
        let report = next.run(&way).await.expect("the lease ran out");
        assert_eq!(applied(&report), ["2 expand", "3 expand"]);
        gate.open();
        let error = run.await.unwrap().expect_err("another has done it");
        assert!(error.is_busy(), "{error}");
        let words = if through_the_pooler { "another migrator has it" } else { "another migrator" };
        assert!(error.to_string().contains(words), "{error}");
        assert!(error.to_string().contains("applied before it: 1 expand"), "{error}");
        each_was_applied_once(&database).await;
    }
}

/// It works at the same moment as the one that has taken the lease from it, and has not written yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_lost_its_lease_is_refused_while_the_next_one_works() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    let folder = Folder::of(&[LOG, TWO, THREE]);
    let (first_gate, first) = stopped_before_two(&folder, pooler.options()).await;
    let (second_gate, second) = stopped_before_two(&folder, pooler.options()).await;
    first_gate.open();
    let error = first.await.unwrap().expect_err("it has no lease");
    assert!(error.is_busy() && error.to_string().contains("another migrator has it"), "{error}");
    assert_eq!(database.value(ENTRIES).await, "NULL");
    second_gate.open();
    assert_eq!(second.await.unwrap().expect("it has the lease").applied.len(), 2);
    each_was_applied_once(&database).await;
}

/// What a program does outside the database is not taken back: code is not even called without the lease.
#[tokio::test(flavor = "multi_thread")]
async fn code_of_a_holder_that_lost_its_lease_is_not_called() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    let code = Rust::new(2, "code", |connection| {
        Box::pin(async move {
            CALLS.fetch_add(1, Ordering::SeqCst);
            sqlx::raw_sql("INSERT INTO log (entry) VALUES ('two')").execute(connection).await?;
            Ok(())
        })
    });
    let folder = Folder::of(&[LOG, THREE]);
    let source = folder.source().with(code);
    let migrator = || Migrator::new(source.clone()).group(1).wait_for_migrator(LONG_ENOUGH);
    let gate = Gate::before("started up 2");
    let short = migrator().lease(Duration::from_millis(200)).observer(gate.clone());
    let run = aside(short, pooler.options());
    gate.reached().await;
    assert_eq!(migrator().run(&pooler.options()).await.unwrap().applied.len(), 2);
    gate.open();
    let error = run.await.unwrap().expect_err("another has done it");
    assert!(error.is_busy(), "{error}");
    assert_eq!(CALLS.load(Ordering::SeqCst), 1);
    each_was_applied_once(&database).await;
}

/// Each row asks for itself, whatever the renewal before it has found.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_finds_no_place_under_a_fence_that_has_passed() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    let folder = Folder::of(&[LOG, TWO, THREE]);
    let (gate, run) = stopped_before_two(&folder, pooler.options()).await;
    let (second_gate, second) = stopped_before_two(&folder, pooler.options()).await;
    // No renewal is refused any more.
    database
        .run(
            "CREATE FUNCTION blind() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.fence := coalesce(NEW.fence, OLD.fence); RETURN NEW; END $$; \
             CREATE TRIGGER blind BEFORE UPDATE ON schema_migrations_lease FOR EACH ROW EXECUTE FUNCTION blind()",
        )
        .await;
    gate.open();
    let error = run.await.unwrap().expect_err("it has no lease");
    assert!(error.is_busy() && error.to_string().contains("another migrator has it"), "{error}");
    assert_eq!(database.value(ENTRIES).await, "NULL");
    database.run("DROP TRIGGER blind ON schema_migrations_lease").await;
    second_gate.open();
    assert_eq!(second.await.unwrap().expect("it has the lease").applied.len(), 2);
    each_was_applied_once(&database).await;
}

/// As long as a transaction is open, others wait, also when it takes longer than a lease lives.
#[tokio::test]
async fn a_long_transaction_keeps_the_lease() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 8).await else { return };
    let slow = ("2_entry.sql", "SELECT pg_sleep(2); INSERT INTO log (entry) VALUES ('two');");
    let folder = Folder::of(&[LOG, slow, THREE]);
    let migrator = folder.migrator().group(1).lease(Duration::from_millis(500));
    let mut all = JoinSet::new();
    for way in [pooler.options(), pooler.options(), pooler.options(), database.options()] {
        let migrator = migrator.clone();
        all.spawn(async move { migrator.run(&way).await });
    }
    let mut counts: Vec<usize> = Vec::new();
    for end in all.join_all().await {
        counts.push(end.unwrap_or_else(|error| panic!("{error}")).applied.len());
    }
    counts.sort_unstable();
    assert_eq!(counts, [0, 0, 0, 3]);
    each_was_applied_once(&database).await;
}

/// The attempts for a lock take nothing back but themselves, and the pauses between them are long.
#[tokio::test]
async fn the_lease_is_kept_while_a_lock_is_not_to_be_had() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 8).await else { return };
    Folder::of(&[LOG]).migrator().run(&database.options()).await.unwrap();
    let folder = Folder::of(&[
        LOG,
        ("2_entry.sql", "ALTER TABLE log ADD n int; INSERT INTO log (entry) VALUES ('two');"),
        THREE,
    ]);
    let blocker = database.session("BEGIN; LOCK TABLE log").await;
    let heard = Heard::default();
    let migrator =
        folder.migrator().lease(Duration::from_secs(1)).lock_ladder([Duration::from_millis(20)]);
    let holder = {
        let (migrator, way) = (migrator.clone().observer(heard.clone()), pooler.options());
        tokio::spawn(async move { migrator.run(&way).await })
    };
    heard.wait_for("retrying 2 expand 1 ").await;
    let waits = Heard::default();
    let waiter = {
        let (migrator, way) = (migrator.observer(waits.clone()), pooler.options());
        tokio::spawn(async move { migrator.run(&way).await })
    };
    let told = waits.wait_for("waiting for").await;
    assert!(told.contains("migrate default on ") && told.contains("by a lease"), "{told}");
    heard.wait_for("retrying 2 expand 4 ").await;
    drop(blocker);
    assert_eq!(holder.await.unwrap().expect("it kept the lease").applied.len(), 2);
    assert!(waiter.await.unwrap().expect("nothing to do").is_empty());
    each_was_applied_once(&database).await;
}

/// One with a session of its own waits for one that has none, and tells of it.
#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_session_waits_for_a_lease_and_tells_who_has_it() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    let folder = Folder::of(&[LOG, TWO, THREE]);
    let gate = Gate::before("started up 2");
    let holder = folder.migrator().group(1).observer(gate.clone());
    let holder = aside(holder, pooler.options());
    gate.reached().await;
    for way in [database.options(), pooler.options()] {
        let waiter = folder.migrator().wait_for_migrator(Duration::from_millis(300));
        let heard = Heard::default();
        let error = waiter.observer(heard.clone()).run(&way).await.expect_err("there is a holder");
        assert!(error.is_busy(), "{error}");
        for told in [error.to_string(), heard.wait_for("waiting for").await] {
            assert!(told.contains("migrate default on ") && told.contains("by a lease"), "{told}");
        }
    }
    let locks = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'";
    assert_eq!(database.value(locks).await, "0", "a look for the lease gives the lock back");
    gate.open();
    assert_eq!(holder.await.unwrap().expect("nobody was in its way").applied.len(), 3);
    each_was_applied_once(&database).await;
}

/// All that a session is, as far as it shows.
const SESSION: &str = "SELECT string_agg(concat(name, '=', current_setting(name)), ' ' ORDER BY name) \
    || ' role=' || current_setting('role') || ' of ' || session_user || ' app.x=' || coalesce(current_setting('app.x', true), '') \
    || ' prepared=' || (SELECT count(*) FROM pg_prepared_statements) \
    || ' pid=' || pg_backend_pid() FROM pg_settings \
    WHERE name NOT IN ('application_name', 'transaction_read_only') AND name NOT LIKE 'plpgsql.%'";

#[tokio::test]
async fn nothing_of_a_run_is_left_to_the_next_client() {
    let (_server, database) = database().await;
    let owner = database.role("owner", "NOLOGIN").await;
    let schema = format!("CREATE SCHEMA app; GRANT ALL ON SCHEMA app, public TO {owner}");
    database.run(&schema).await;
    // What the pooler gives to each session is not ours to take away.
    let given =
        format!("connect_query='SET search_path = app; SET work_mem = 4242; SET ROLE {owner}'");
    let Some(pooler) = Pooler::start_with(&database, "transaction", 1, &given).await else {
        return;
    };
    let mut client = pooler.options().connect().await.unwrap();
    sqlx::raw_sql("SET statement_timeout = '77s'; SET TimeZone = 'Asia/Tokyo'")
        .execute(&mut client)
        .await
        .unwrap();
    let before = value(&mut client, SESSION).await;
    assert!(
        before.contains("search_path=app") && before.contains("77s") && before.contains("Tokyo"),
        "{before}"
    );
    assert!(before.contains(&format!("role={owner}")), "{before}");
    let sets = "SET search_path = nowhere; SET lock_timeout = 5; SET standard_conforming_strings = off; \
        SELECT set_config('app.x', 'leak', false); SET TimeZone = 'Asia/Kabul'; SET client_encoding = 'LATIN1'; \
        SET row_security = off; SET work_mem = 1234; SET ROLE postgres; SET DateStyle = 'German';";
    let folder = Folder::of(&[
        (
            "1_first.sql",
            &format!(
                "CREATE TABLE first AS SELECT current_setting('search_path') AS path, \
            current_setting('statement_timeout') AS timeout, current_setting('TimeZone') AS zone; {sets}"
            ),
        ),
        (
            "2_second.sql",
            &format!(
                "CREATE TABLE second AS SELECT current_setting('search_path') AS path, \
            'a\\b' AS text, current_user::text AS who; {sets}"
            ),
        ),
    ]);
    let migrator = folder.migrator().schema("app").readable_by(&owner);
    migrator.run(&pooler.options()).await.unwrap();
    assert_eq!(value(&mut client, SESSION).await, before);
    assert_eq!(
        database.value("SELECT concat_ws(' ', path, timeout, zone) FROM public.first").await,
        "\"$user\", public 0 UTC"
    );
    assert_eq!(
        database.value("SELECT concat_ws(' ', path, text, who) FROM public.second").await,
        "\"$user\", public a\\b postgres"
    );
    folder.write("3_fails.sql", &format!("{sets} SELECT 1 / 0;"));
    let error = folder
        .migrator()
        .schema("app")
        .readable_by(&owner)
        .run(&pooler.options())
        .await
        .unwrap_err();
    assert_eq!(error.sqlstate(), Some("22012"), "{error}");
    assert_eq!(value(&mut client, SESSION).await, before);
    folder.write("3_fails.sql", &format!("CREATE TABLE third (); {sets}"));
    let migrator = folder.migrator().schema("app").readable_by(&owner).role("postgres").group(1);
    migrator.run(&pooler.options()).await.unwrap();
    migrator.revert(&pooler.options(), Some(Version::new(3))).await.unwrap();
    assert_eq!(value(&mut client, SESSION).await, before);
    client.close().await.unwrap();
}

#[tokio::test]
async fn everything_belongs_to_the_role_of_the_migrator() {
    let (_server, database) = database().await;
    let owner = database.role("owner", "NOLOGIN").await;
    database.run(&format!("GRANT ALL ON SCHEMA public TO {owner}")).await;
    let Some(pooler) = Pooler::start(&database, "transaction", 3).await else { return };
    let migrator = Folder::of(&[LOG, TWO, THREE]).migrator().role(&owner).group(1);
    migrator.run(&pooler.options()).await.unwrap();
    assert!(migrator.run(&pooler.options()).await.unwrap().is_empty());
    let owners = "SELECT string_agg(DISTINCT pg_get_userbyid(relowner), ' ') FROM pg_class \
        WHERE relnamespace = 'public'::regnamespace";
    assert_eq!(database.value(owners).await, owner);
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations_settled").await, "1");
    each_was_applied_once(&database).await;
}

const GATE: &str = "SELECT pg_advisory_lock(7)";

#[tokio::test]
async fn after_the_pooler_was_restarted_the_run_goes_on() {
    let (_server, database) = database().await;
    let Some(mut pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    let at_the_gate = "SELECT pg_advisory_xact_lock(7); INSERT INTO log (entry) VALUES ('two');";
    let folder = Folder::of(&[
        LOG,
        ("2_entry.sql", &format!("SET LOCAL lock_timeout = 0; {at_the_gate}")),
        THREE,
    ]);
    let gate = database.session(GATE).await;
    let migrator = folder.migrator().group(1).lease(Duration::from_secs(1));
    let running = {
        let (migrator, way) = (migrator.clone(), pooler.options());
        tokio::spawn(async move { migrator.run(&way).await })
    };
    let waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)";
    database.until(waits).await;
    pooler.restart().await;
    drop(gate);
    let report = running.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 3, "{report}");
    assert!(migrator.run(&pooler.options()).await.unwrap().is_empty());
    each_was_applied_once(&database).await;
}

#[tokio::test]
async fn what_needs_a_session_is_refused_before_anything_is_run() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    let outside = Rust::new(2, "outside", |_| Box::pin(async { Ok(()) })).outside_a_transaction();
    let index = "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY log_entry ON log (entry);";
    let migrators = [
        Folder::of(&[LOG, ("2_index.sql", index)]).migrator(),
        Migrator::new(Folder::of(&[LOG]).source().with(outside)),
    ];
    for migrator in migrators {
        let error = migrator.run(&pooler.options()).await.expect_err("it cannot be done there");
        assert!(error.is_pooler(), "{error}");
        let told = error.to_string();
        for words in [
            "failed to apply 2 expand",
            "nothing was changed",
            "`Migrator::direct`",
            "--direct-url",
        ] {
            assert!(told.contains(words), "`{words}` is not in: {told}");
        }
        assert!(!database.has_table("log").await && !database.has_table("schema_migrations").await);
        let held = "SELECT count(*) FROM schema_migrations_lease WHERE holder IS NOT NULL";
        assert_eq!(database.value(held).await, "0");
    }
}

#[tokio::test]
async fn a_direct_connection_does_what_the_pooler_cannot() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 4).await else { return };
    let index = "-- migrate: no-transaction\nCREATE INDEX CONCURRENTLY log_entry ON log (entry);";
    let folder = Folder::of(&[LOG, ("2_index.sql", index)]);
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_with(pooler.options()).await.unwrap();
    let migrator = folder.migrator().direct(database.options());
    assert_eq!(migrator.run(&pool).await.unwrap().applied.len(), 2);
    assert!(!database.has_table("schema_migrations_lease").await);
    // With nothing to do it is not opened.
    let nowhere = database.options().password("s3cret").port(1);
    let migrator = folder.migrator().direct(nowhere);
    assert!(migrator.run(&pool).await.unwrap().is_empty());
    assert!(!format!("{migrator:?}").contains("s3cret"));
    assert!(migrator.revert(&pool, None).await.unwrap_err().is_connection());
}

#[tokio::test]
async fn a_direct_connection_to_another_database_is_refused() {
    let (database, other) = (Database::fresh().await, Database::fresh().await);
    let migrator = Folder::of(&[LOG]).migrator().direct(other.options());
    let error = migrator.run(&database.pool().await).await.unwrap_err().to_string();
    assert!(error.contains("another database") && error.contains("nothing was changed"), "{error}");
    assert!(!other.has_table("log").await && !database.has_table("log").await);
}

/// The lease is renewed before the file has its turn: by a query, behind which it is too late to choose a level.
#[tokio::test]
async fn a_file_may_begin_with_its_isolation_level() {
    let (_server, database) = database().await;
    let Some(pooler) = Pooler::start(&database, "transaction", 1).await else { return };
    let at = |level: &str| {
        format!(
            "SET LOCAL work_mem = '8MB'; SET TRANSACTION READ WRITE, ISOLATION LEVEL {level};
            INSERT INTO log (entry) VALUES (current_setting('transaction_isolation'));"
        )
    };
    let folder = Folder::of(&[
        LOG,
        ("2_serializable.sql", &at("SERIALIZABLE")),
        ("3_repeatable.sql", &at("repeatable read")),
        (
            "4_usual.sql",
            "INSERT INTO log (entry) VALUES (current_setting('transaction_isolation'));",
        ),
    ]);
    // Those that share a transaction cannot all choose.
    let report = folder.migrator().run(&pooler.options()).await.unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(report.applied.len(), 4);
    assert_eq!(database.value(ENTRIES).await, "serializable repeatable read read committed");
    folder.write("5_late.sql", &format!("SELECT 1; {}", at("SERIALIZABLE")));
    let error = folder.migrator().run(&pooler.options()).await.expect_err("it is too late");
    assert!(
        error.to_string().contains("next: Let it be the first statement of its file."),
        "{error}"
    );
}
