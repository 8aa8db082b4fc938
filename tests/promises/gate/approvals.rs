//! Somebody has seen the evidence, just this one.

use super::*;

const APPROVER: &str = "looked at the dashboards";

#[tokio::test]
async fn a_contract_that_asks_for_it_waits_for_an_approval_which_stays_in_the_history() {
    let folder = change("-- migrate: approval\n");
    let database = waiting(&folder).await;
    let migrator = but("approval", folder.migrator());
    is_closed(&migrator, &database, "approval", "nobody has approved").await;
    let gate = migrator.approve(&database.options(), Version::new(2), APPROVER).await.unwrap();
    assert!(gate.is_open());
    opens(&migrator, &database, "approval").await;
    let reason = "SELECT reason LIKE '%approved by % UTC: looked at the dashboards' FROM schema_migrations \
                  WHERE phase = 'contract'";
    assert_eq!(database.value(reason).await, "true");
}

#[tokio::test]
async fn new_evidence_is_not_approved() {
    let folder = change("");
    let database = waiting(&folder).await;
    let migrator = but("dependencies", folder.migrator()).require_approval();
    migrator.approve(&database.options(), Version::new(2), APPROVER).await.unwrap();
    assert!(gate(&migrator, &database.options()).await.is_open());
    // Another reason, or one waiver more, is another evidence.
    let other = migrator.clone().waive("fleet", "another reason");
    assert!(!gate(&other, &database.options()).await.is_open());
    database.run("CREATE VIEW v AS SELECT name FROM users").await;
    let waived = migrator.clone().waive("dependencies", "the view is nobody's");
    is_closed(&waived, &database, "approval", "the evidence is another now").await;
    database.run("DROP VIEW v").await;
    let report = migrator.phases(Phases::ALL).run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["2 contract"], "the evidence is what it was");
}

#[tokio::test]
async fn an_instance_more_of_the_same_build_is_no_new_evidence() {
    let folder = change("");
    let database = waiting(&folder).await;
    let migrator = but("fleet", folder.migrator()).require_approval();
    let pool = pool(database.options(), "app").await;
    let _one = folder.migrator().heartbeat(&pool);
    until_alive(&database, 1).await;
    migrator.approve(&database.options(), Version::new(2), APPROVER).await.unwrap();
    let _two = folder.migrator().heartbeat(&pool);
    until_alive(&database, 2).await;
    assert!(gate(&migrator, &database.options()).await.is_open());
    let _three = folder.migrator().capability("more").heartbeat(&pool);
    until_alive(&database, 3).await;
    is_closed(&migrator, &database, "approval", "the evidence is another now").await;
}

#[tokio::test]
async fn what_is_closed_cannot_be_approved() {
    let folder = change("");
    let database = waiting(&folder).await;
    let approved = folder.migrator().approve(&database.options(), Version::new(2), APPROVER).await;
    let error = approved.expect_err("the fleet is unknown").to_string();
    assert!(error.contains("fleet keeps its gate closed"), "{error}");
    assert_eq!(database.value("SELECT count(*) FROM schema_migrations_approval").await, "0");
}
