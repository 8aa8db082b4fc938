//! What a heartbeat costs, and that nothing comes of it to whoever started it.

use super::*;

const BEATS: &str = "SELECT count(*) FROM schema_migrations_instance WHERE seen_at > started_at";

#[tokio::test]
async fn each_is_one_statement() {
    let folder = change("");
    let database = waiting(&folder).await;
    let wire = Proxy::count(database.options());
    let quiet = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = quiet.connect_with(wire.options()).await.unwrap();
    let beats = folder.migrator().heartbeat_every(Duration::from_millis(100)).heartbeat(&pool);
    database.until(&format!("SELECT ({BEATS}) = 1")).await;
    beats.stop().await;
    let seen = wire.take_with_open(1).await;
    let ours: Vec<_> = seen.sent.iter().filter(|(_, text)| text.contains("_instance")).collect();
    let (bye, beats) = ours.split_last().unwrap();
    assert!(beats.len() >= 2 && beats.iter().all(|(kind, _)| *kind == 'Q'), "{ours:?}");
    assert!(beats.iter().all(|(_, text)| !text.contains(';')), "{ours:?}");
    assert!(bye.1.starts_with("DELETE"), "{bye:?}");
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations_instance").await, "0");
}

#[tokio::test]
async fn dropping_it_says_good_bye_too() {
    let folder = change("");
    let database = waiting(&folder).await;
    let pool = database.pool().await;
    let beats = folder.migrator().heartbeat(&pool);
    until_alive(&database, 1).await;
    drop(beats);
    database.until("SELECT count(*) = 0 FROM schema_migrations_instance").await;
}

#[tokio::test]
async fn one_that_dies_without_a_good_bye_counts_until_its_time_is_over() {
    let folder = change("");
    let database = waiting(&folder).await;
    let migrator = but("fleet", folder.migrator());
    let old = Folder::of(&[("2_names.expand.sql", EXPAND), ("2_names.migrate.sql", MOVE)]);
    let options = database.options().application_name("app");
    let old = Application::serve(&options, &old).await;
    let _new = Application::serve(&options, &folder).await;
    until_alive(&database, 2).await;
    // From now on the old one lives for long, whatever its process does.
    let dead = "SELECT count(*) FROM schema_migrations_instance WHERE contracts = '{}'";
    old.kill().await;
    database
        .run("UPDATE schema_migrations_instance SET expires_at = now() + interval '1 h' WHERE contracts = '{}'")
        .await;
    assert_eq!(database.value(dead).await, "1");
    is_closed(&migrator, &database, "fleet", "does not have the contract").await;
    database
        .run("UPDATE schema_migrations_instance SET expires_at = now() WHERE contracts = '{}'")
        .await;
    opens(&migrator, &database, "fleet").await;
}

#[tokio::test]
async fn a_role_that_may_read_the_history_may_say_that_it_is_alive() {
    let (database, folder) = (in_use().await, change(""));
    let app = database.role("app", "LOGIN").await;
    database.run("REVOKE ALL ON SCHEMA public FROM public").await;
    folder.migrator().readable_by(&app).run(&database.options()).await.unwrap();
    let pool = pool(database.options().username(&app), "app").await;
    let _beats = folder.migrator().heartbeat(&pool);
    until_alive(&database, 1).await;
    let login = "SELECT login FROM schema_migrations_instance";
    assert_eq!(database.value(login).await, app);
}

#[tokio::test]
async fn a_history_from_before_gets_its_tables_with_the_next_run() {
    let folder = change("");
    let database = waiting(&folder).await;
    let gone = "DROP TABLE schema_migrations_instance, schema_migrations_stranger, schema_migrations_approval";
    database.run(gone).await;
    let migrator = folder.migrator();
    let found = evidence(&migrator, &database.options(), "fleet").await;
    assert!(found.why().contains("there is no table"), "{found:?}");
    let pool = database.pool().await;
    let _beats = folder.migrator().heartbeat(&pool);
    is_left(&migrator, &database).await;
    until_alive(&database, 1).await;
}

#[tokio::test]
async fn it_never_fails_the_application() {
    let folder = change("");
    let database = Database::fresh().await;
    let pool = database.pool().await;
    let soon = Duration::from_millis(20);
    // No table.
    let beats = folder.migrator().heartbeat_every(soon).heartbeat(&pool);
    tokio::time::sleep(soon * 5).await;
    beats.stop().await;
    // No right.
    folder.write("1_users.sql", "CREATE TABLE users (id int, name text);");
    folder.migrator().run(&pool).await.unwrap();
    let app = database.role("app", "LOGIN").await;
    let theirs = super::pool(database.options().username(&app), "app").await;
    let beats = folder.migrator().heartbeat_every(soon).heartbeat(&theirs);
    tokio::time::sleep(soon * 5).await;
    beats.stop().await;
    // No name that can be used, and no pool.
    folder.migrator().table("x".repeat(80)).heartbeat(&pool).stop().await;
    let beats = folder.migrator().heartbeat_every(soon).heartbeat(&pool);
    until_alive(&database, 1).await;
    pool.close().await;
    beats.stop().await;
    // No runtime.
    let migrator = folder.migrator();
    std::thread::spawn(move || drop(migrator.heartbeat(&theirs))).join().expect("no panic");
}
