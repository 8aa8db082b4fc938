//! What waits, and why.

use migrate_postgres::{MigrationId, Phase, Phases, Reason, Report, Version};

use crate::harness::{Database, Folder, applied};

fn id(version: i64, phase: Phase) -> MigrationId {
    MigrationId::new(Version::new(version), phase)
}

fn waits(report: &Report) -> Vec<(MigrationId, Reason)> {
    report.deferred.iter().map(|deferred| (deferred.id, deferred.reason)).collect()
}

fn change() -> Folder {
    Folder::of(&[
        ("1_users.sql", "CREATE TABLE users (id int, name text);"),
        ("2_names.expand.sql", "ALTER TABLE users ADD COLUMN full_name text;"),
        ("2_names.migrate.sql", "UPDATE users SET full_name = name;"),
        ("2_names.contract.sql", "ALTER TABLE users DROP COLUMN name;"),
    ])
}

async fn in_use() -> Database {
    let database = Database::fresh().await;
    database.run("CREATE TABLE of_somebody (id int)").await;
    database
}

#[tokio::test]
async fn a_contract_waits_on_a_database_in_use_and_each_start_says_so() {
    let (database, folder) = (in_use().await, change());
    let pool = database.pool().await;
    let report = folder.migrator().run(&pool).await.unwrap();
    assert_eq!(applied(&report), ["1 expand", "2 expand", "2 migrate"]);
    let contract = (id(2, Phase::Contract), Reason::PhaseNotAsked);
    assert_eq!(waits(&report), [contract]);
    for _ in 0..2 {
        let settled = folder.migrator().run(&pool).await.unwrap();
        assert!(settled.is_empty());
        assert_eq!(waits(&settled), [contract]);
        assert_eq!(settled.deferred[0].name, "names");
        assert!(settled.to_string().contains("names: its phase runs only when asked for"));
    }
    assert!(folder.migrator().check(&pool).await.unwrap(), "waiting is not pending");
    let asked = folder
        .migrator()
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database")
        .run(&pool)
        .await
        .unwrap();
    assert_eq!(applied(&asked), ["2 contract"]);
    assert!(asked.deferred.is_empty());
    assert!(folder.migrator().run(&pool).await.unwrap().deferred.is_empty());
}

#[tokio::test]
async fn on_a_fresh_database_contracts_run_too() {
    let (database, folder) = (Database::fresh().await, change());
    let report = folder.migrator().run(&database.pool().await).await.unwrap();
    assert_eq!(applied(&report), ["1 expand", "2 expand", "2 migrate", "2 contract"]);
    assert!(report.deferred.is_empty());
}

#[tokio::test]
async fn a_failed_first_run_leaves_a_fresh_database() {
    let (database, folder) = (Database::fresh().await, change());
    let pool = database.pool().await;
    folder.write("3_broken.sql", "SELECT nothing;");
    folder.migrator().run(&pool).await.unwrap_err();
    folder.write("3_broken.sql", "SELECT 1;");
    let report = folder.migrator().run(&pool).await.unwrap();
    assert_eq!(applied(&report), ["1 expand", "2 expand", "2 migrate", "2 contract", "3 expand"]);
}

#[tokio::test]
async fn a_run_to_a_version_leaves_the_later_ones() {
    let (database, folder) = (in_use().await, change());
    folder.write("3_more.sql", "CREATE TABLE more (id int);");
    let pool = database.pool().await;
    let report = folder.migrator().run_to(&pool, Version::new(1)).await.unwrap();
    assert_eq!(applied(&report), ["1 expand"]);
    assert!(waits(&report).iter().all(|(_, reason)| *reason == Reason::BeyondTarget));
    assert_eq!(waits(&report).len(), 4);
    let report = folder.migrator().run_to(&pool, Version::new(2)).await.unwrap();
    assert_eq!(applied(&report), ["2 expand", "2 migrate"]);
    assert_eq!(applied(&folder.migrator().run(&pool).await.unwrap()), ["3 expand"]);
}

#[tokio::test]
async fn a_later_expand_overtakes_a_contract_unless_it_says_after() {
    let (database, folder) = (in_use().await, change());
    folder.write("3_free.sql", "CREATE TABLE free (id int);");
    folder.write(
        "4_name.sql",
        "-- migrate: after 2 contract\nALTER TABLE users ADD COLUMN name int;",
    );
    folder.write("5_behind.sql", "CREATE TABLE behind (id int);");
    let pool = database.pool().await;
    let report = folder.migrator().run(&pool).await.unwrap();
    assert_eq!(applied(&report), ["1 expand", "2 expand", "2 migrate", "3 expand"]);
    let contract = id(2, Phase::Contract);
    let expected = [
        (contract, Reason::PhaseNotAsked),
        (id(4, Phase::Expand), Reason::WaitsFor(contract)),
        (id(5, Phase::Expand), Reason::Behind(id(4, Phase::Expand))),
    ];
    assert_eq!(waits(&report), expected);
    assert_eq!(waits(&folder.migrator().run(&pool).await.unwrap()), expected, "also settled");
    let rest = folder
        .migrator()
        .phases(Phases::ALL)
        .waive_everything("only a test uses this database")
        .run(&pool)
        .await
        .unwrap();
    assert_eq!(applied(&rest), ["2 contract", "4 expand", "5 expand"]);
}

#[tokio::test]
async fn what_a_run_does_its_plan_showed() {
    let (database, folder) = (in_use().await, change());
    let pool = database.pool().await;
    let plan = folder.migrator().plan(&pool).await.unwrap();
    assert!(!database.has_table("schema_migrations").await, "looking makes nothing");
    let report = folder.migrator().run(&pool).await.unwrap();
    let planned: Vec<_> = plan.actions.iter().map(|action| action.id.to_string()).collect();
    assert_eq!(planned, applied(&report));
    assert_eq!(plan.deferred, report.deferred);
}
