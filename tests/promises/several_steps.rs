//! A migration of several steps, which only somebody who writes the trait by hand can make: each step is done and
//! says so, or it never was.

use std::time::Duration;

use migrate_core::{Checksum, Down, Entry, Migration, Script, Set, Step};
use migrate_postgres::{Beside, Listed, MigrationId, Migrator, Phase, Source, Version};

use crate::harness::proxy::{After, Before, Proxy, Which};
use crate::harness::{Database, Folder, applied};

struct Several(Vec<Step>);

impl Migration for Several {
    fn id(&self) -> MigrationId {
        MigrationId::new(Version::new(1), Phase::Expand)
    }

    fn name(&self) -> &str {
        "several"
    }

    fn up(&self) -> &[Step] {
        &self.0
    }

    fn down(&self) -> Down<'_> {
        Down::Missing
    }

    fn checksum(&self) -> Checksum {
        Checksum::of_sql("several")
    }
}

impl Listed for Several {
    fn listed(self) -> Beside {
        Beside::sql(self)
    }
}

fn script(text: &'static str) -> Script {
    Script::parse("by hand", text).unwrap()
}

/// Two transactions with something between them that cannot be in one; `last` is in the second.
fn migrator(last: &'static str) -> Migrator {
    let steps = vec![
        Step::Transaction(script("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")),
        Step::Standalone(script("CREATE INDEX CONCURRENTLY t_id ON t (id)")),
        Step::Transaction(script(last)),
    ];
    Migrator::new(Source::of_set(Set::new([Entry::from(Several(steps))]).unwrap()))
}

/// On a fresh database, where many migrations share a transaction.
#[tokio::test]
async fn none_is_left_out_beside_a_migration_that_could_share_a_transaction() {
    let database = Database::fresh().await;
    let folder = Folder::of(&[("2_a.sql", "CREATE TABLE a (id int);")]);
    let several = Several(vec![
        Step::Transaction(script("CREATE TABLE t (id int)")),
        Step::Transaction(script("CREATE TABLE u (id int)")),
    ]);
    let migrator = Migrator::new(folder.source().with(several));
    assert_eq!(applied(&migrator.run(&database.options()).await.unwrap()).len(), 2);
    assert!(database.has_table("t").await && database.has_table("u").await);
}

const LAST: &str = "INSERT INTO t VALUES (2); INSERT INTO t VALUES (3)";
const ROWS: &str = "SELECT string_agg(id::text, ' ' ORDER BY id) FROM t";
const DONE: [&str; 5] = [
    "1 1 expand standalone up done 1",
    "2 1 expand standalone up started 2",
    "3 1 expand standalone up done 2",
    "4 1 expand standalone up done 3",
    "5 1 expand standalone up done",
];

#[tokio::test]
async fn each_is_recorded_once_and_with_its_work() {
    let database = Database::fresh().await;
    migrator(LAST).run(&database.options()).await.unwrap();
    assert_eq!(database.value(ROWS).await, "1 2 3");
    assert_eq!(database.history().await, DONE);
}

#[tokio::test]
async fn one_that_fails_leaves_nothing_and_the_next_run_goes_on_with_it() {
    let database = Database::fresh().await;
    let error = migrator("INSERT INTO t VALUES (2); SELECT 1/0").run(&database.options()).await;
    let error = error.expect_err("division by zero").to_string();
    assert!(error.contains("its first 2 statements took effect"), "{error}");
    assert_eq!(database.value(ROWS).await, "1");
    assert_eq!(database.history().await[3..], ["4 1 expand standalone up failed 3"]);
    migrator(LAST).run(&database.options()).await.unwrap();
    assert_eq!(database.value(ROWS).await, "1 2 3");
}

#[tokio::test]
async fn one_whose_answer_was_lost_is_neither_forgotten_nor_repeated() {
    for (moment, rows) in [(Before, "1"), (After, "1 2 3")] {
        let database = Database::fresh().await;
        let cut = Proxy::cut(database.options(), moment, Which::Says("VALUES (3)"));
        let error = migrator(LAST)
            .reconnects(0)
            .run(&cut.options())
            .await
            .expect_err("the connection is cut");
        assert!(cut.was_reached() && error.is_connection(), "{error}");
        database.until("SELECT count(*) = 0 FROM pg_locks WHERE locktype = 'advisory'").await;
        assert_eq!(database.value(ROWS).await, rows);
        migrator(LAST).run(&database.options()).await.unwrap();
        assert_eq!(database.value(ROWS).await, "1 2 3");
        assert_eq!(database.history().await, DONE);
    }
}

#[tokio::test]
async fn one_that_meets_a_lock_is_tried_again() {
    let database = Database::fresh().await;
    database.run("CREATE TABLE busy (id int)").await;
    let reader = database.session("BEGIN; SELECT * FROM busy").await;
    let free = async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        drop(reader);
    };
    let migrator = migrator("ALTER TABLE busy ADD COLUMN n int");
    let options = database.options();
    let (done, ()) = tokio::join!(migrator.run(&options), free);
    done.unwrap();
    assert_eq!(database.history().await.len(), 5, "no failure is recorded");
}
