//! Instances that are alive, and what they were built with.

use super::*;

async fn alive(migrator: &Migrator, database: &Database) -> Heartbeat {
    let pool = pool(database.options(), "app").await;
    migrator.clone().heartbeat_every(Duration::from_millis(200)).heartbeat(&pool)
}

#[tokio::test]
async fn nobody_heard_of_is_not_nobody_there() {
    let folder = change("");
    let database = waiting(&folder).await;
    let migrator = but("fleet", folder.migrator());
    is_unknown(&migrator, &database, "fleet", "no instance of the application says").await;
    let _beats = alive(&folder.migrator(), &database).await;
    until_alive(&database, 1).await;
    opens(&migrator, &database, "fleet").await;
}

#[tokio::test]
async fn one_built_without_the_contract_keeps_it_from_running_until_it_is_gone() {
    let folder = change("");
    let database = waiting(&folder).await;
    let migrator = but("fleet", folder.migrator());
    let old = Folder::of(&[("2_names.expand.sql", EXPAND), ("2_names.migrate.sql", MOVE)]);
    let (old, _new) =
        (alive(&old.migrator(), &database).await, alive(&folder.migrator(), &database).await);
    until_alive(&database, 2).await;
    let why = "1 of 2 instances alive may need what it removes";
    is_closed(&migrator, &database, "fleet", why).await;
    old.stop().await;
    opens(&migrator, &database, "fleet").await;
}

#[tokio::test]
async fn one_that_lacks_what_the_contract_needs_keeps_it_from_running() {
    let folder = change("-- migrate: needs full-names\n");
    let database = waiting(&folder).await;
    let migrator = but("fleet", folder.migrator());
    let without = alive(&folder.migrator(), &database).await;
    until_alive(&database, 1).await;
    is_closed(&migrator, &database, "fleet", "lacks full-names").await;
    without.stop().await;
    let _with = alive(&folder.migrator().capability("full-names"), &database).await;
    until_open(&migrator, &database, "fleet").await;
    opens(&migrator, &database, "fleet").await;
}

#[tokio::test]
async fn one_of_another_set_is_not_asked() {
    let folder = change("");
    let database = waiting(&folder).await;
    let migrator = but("fleet", folder.migrator());
    let _new = alive(&folder.migrator(), &database).await;
    let other = Folder::of(&[("1_x.sql", "SELECT 1;")]);
    let _other = alive(&other.migrator().set("other"), &database).await;
    until_alive(&database, 2).await;
    opens(&migrator, &database, "fleet").await;
}

/// The whole of it: three processes of two builds, one after the other replaced, one of them killed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fleet_rolls_over_and_the_contract_runs_after_the_last_old_one() {
    let database = in_use().await;
    let options = database.options().application_name("app");
    let old = Folder::of(&[("1_first.sql", "CREATE TABLE first (id int);")]);
    let new = change("-- migrate: soak 5s\n");
    new.write("1_first.sql", "CREATE TABLE first (id int);");
    let mut fleet = Vec::new();
    for _ in 0..3 {
        fleet.push(Application::serve(&options, &old).await);
    }
    until_alive(&database, 3).await;
    let migrator = new.migrator().phases(Phases::ALL);
    for _ in 0..3 {
        fleet.push(Application::serve(&options, &new).await);
        let gone = fleet.remove(0);
        let report = migrator.run(&database.options()).await.expect("a run");
        assert_eq!(report.deferred.len(), 1, "an old one is alive: {report}");
        let found = evidence(&migrator, &database.options(), "fleet").await;
        assert!(matches!(found, Evidence::Closed { .. }), "an old one is alive: {found:?}");
        match fleet.len() {
            3 if database.value(HAS_KILLED).await == "false" => gone.kill().await,
            _ => gone.stop().await,
        }
        database.run("CREATE TABLE IF NOT EXISTS killed (id int)").await;
    }
    for source in ["fleet", "strangers", "soak"] {
        until_open(&migrator, &database, source).await;
    }
    let report = migrator.run(&database.options()).await.expect("a run");
    assert_eq!(applied(&report), ["2 contract"], "{report}");
    let soaked = "SELECT max(started_at) FILTER (WHERE phase = 'contract') - max(finished_at) FILTER (WHERE phase = 'migrate') \
                  >= interval '5 s' FROM schema_migrations";
    assert_eq!(database.value(soaked).await, "true");
    let reason = "SELECT count(reason) FROM schema_migrations";
    assert_eq!(database.value(reason).await, "0", "nothing had to be waived");
    for instance in fleet {
        instance.stop().await;
    }
}

const HAS_KILLED: &str = "SELECT to_regclass('killed') IS NOT NULL";
