//! Rolling the application back: what an older build does with what a newer one has left.

use super::*;

fn older() -> Folder {
    Folder::of(&[("1_first.sql", "CREATE TABLE first (id int);")])
}

async fn rolled_forward(head: &str, phases: Phases) -> Database {
    let database = in_use().await;
    older().migrator().run(&database.options()).await.unwrap();
    let newer = change(head);
    newer.write("1_first.sql", "CREATE TABLE first (id int);");
    let migrator = newer.migrator().waive_everything("a test");
    migrator.run(&database.options()).await.unwrap();
    migrator.phases(phases).run(&database.options()).await.unwrap();
    database
}

#[tokio::test]
async fn it_starts_after_expand_and_migrate() {
    let database = rolled_forward("", Phases::START_UP).await;
    let report = older().migrator().run(&database.options()).await.unwrap();
    assert_eq!(report.notices.len(), 2, "{report}");
}

#[tokio::test]
async fn it_does_not_start_after_a_contract() {
    let database = rolled_forward("", Phases::ALL).await;
    let error = older().migrator().run(&database.options()).await.expect_err("it may need it");
    assert!(error.to_string().contains("2 contract names: was applied by newer code"), "{error}");
}

#[tokio::test]
async fn it_starts_after_a_contract_that_says_that_it_may_and_is_warned() {
    let head = "-- migrate: compatible because no release ever read it\n";
    let database = rolled_forward(head, Phases::ALL).await;
    let migrator = older().migrator();
    let report = migrator.run(&database.options()).await.unwrap();
    assert_eq!(report.notices.len(), 3, "{report}");
    let lines = migrator.status(&database.options()).await.unwrap();
    assert!(lines.iter().all(|line| line.standing == Standing::Applied));
}
