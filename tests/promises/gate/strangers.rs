//! Sessions that nobody accounts for.

use super::*;

/// A session under a name.
async fn visitor(database: &Database, application: &str) -> PgConnection {
    database.options().application_name(application).connect().await.expect("a connection")
}

async fn with_instance(folder: &Folder) -> (Database, Heartbeat, PgPool) {
    let database = waiting(folder).await;
    let pool = pool(database.options(), "app").await;
    let beats = folder.migrator().heartbeat_every(Duration::from_millis(200)).heartbeat(&pool);
    until_alive(&database, 1).await;
    (database, beats, pool)
}

#[tokio::test]
async fn a_session_of_nobody_keeps_a_contract_from_running_until_it_ends() {
    let folder = change("");
    let (database, _beats, _pool) = with_instance(&folder).await;
    let migrator = but("strangers", folder.migrator());
    let cron = visitor(&database, "cron").await;
    is_closed(&migrator, &database, "strangers", "cron as ").await;
    drop(cron);
    until_open(&migrator, &database, "strangers").await;
    opens(&migrator, &database, "strangers").await;
}

#[tokio::test]
async fn one_that_is_known_does_not() {
    let folder = change("");
    let (database, _beats, _pool) = with_instance(&folder).await;
    let _cron = visitor(&database, "cron").await;
    let reader = database.role("reader", "LOGIN").await;
    let _reader = database.options().username(&reader).connect().await.unwrap();
    let migrator = but("strangers", folder.migrator()).known("cron");
    is_closed(&migrator, &database, "strangers", &reader).await;
    opens(&migrator.known(&reader), &database, "strangers").await;
}

#[tokio::test]
async fn sessions_of_an_instance_are_covered_as_long_as_it_is_alive() {
    let folder = change("");
    let (database, beats, pool) = with_instance(&folder).await;
    let migrator = but("strangers", folder.migrator());
    let _busy = pool.acquire().await.unwrap();
    assert!(evidence(&migrator, &database.options(), "strangers").await.is_open());
    beats.stop().await;
    is_closed(&migrator, &database, "strangers", "app as ").await;
}

#[tokio::test]
async fn a_visitor_that_a_heartbeat_has_seen_counts_while_the_contract_soaks() {
    let folder = change("-- migrate: soak 6s\n");
    let (database, _beats, _pool) = with_instance(&folder).await;
    let migrator = but("strangers", folder.migrator());
    let cron = visitor(&database, "cron").await;
    database
        .until("SELECT count(*) = 1 FROM schema_migrations_stranger WHERE application = 'cron'")
        .await;
    drop(cron);
    database
        .until("SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'cron'")
        .await;
    is_closed(&migrator, &database, "strangers", "cron as ").await;
    until_open(&migrator, &database, "strangers").await;
    opens(&migrator, &database, "strangers").await;
}

#[tokio::test]
async fn a_role_that_does_not_see_sessions_knows_nothing_of_them_and_says_what_to_grant() {
    let folder = change("");
    let database = in_use().await;
    let owner = database.role("owner", "LOGIN").await;
    database
        .run(&format!("ALTER TABLE users OWNER TO {owner}; GRANT ALL ON SCHEMA public TO {owner}"))
        .await;
    let options = database.options().username(&owner);
    let migrator = but("strangers", folder.migrator());
    migrator.run(&options).await.unwrap();
    let found = evidence(&migrator, &options, "strangers").await;
    assert!(matches!(found, Evidence::Unknown { .. }), "{found:?}");
    let report = migrator.clone().phases(Phases::ALL).run(&options).await.unwrap();
    assert_eq!(report.deferred[0].reason, Reason::GateClosed);
    let opens = found.opens().unwrap();
    let grant = opens.split("GRANT ").nth(1).expect(opens);
    database.run(&format!("GRANT {grant}")).await;
    let found = evidence(&migrator, &options, "strangers").await;
    assert!(!matches!(found, Evidence::Unknown { .. }), "{found:?}");
}
