//! On a standby everything can be seen and nothing done: said at once, or waited for.

use std::time::Duration;

use migrate_testing::{PrivateServer, Server};

use crate::harness::{Database, Folder, Heard, applied};

const A: (&str, &str) = ("1_a.sql", "CREATE TABLE a (id int);");
const B: (&str, &str) = ("2_b.sql", "CREATE TABLE b (id int);");

/// A server with a database, and one that follows it.
struct Pair {
    database: Database,
    standby: PrivateServer,
    _primary: PrivateServer,
}

impl Pair {
    async fn start() -> Self {
        let builder = Server::builder().setting("wal_level", "replica");
        let builder = builder.setting("max_wal_senders", "4").setting("hot_standby", "on");
        let primary = builder.private().expect("a server");
        let database = Database::on(Server::clone(&primary)).await;
        let standby = primary.standby().expect("a standby");
        Self { database, standby, _primary: primary }
    }

    /// Waits until the standby has everything that the primary has now. Without a checkpoint the last of it may lie in
    /// memory until something else happens.
    async fn caught_up(&self) {
        self.database.run("CHECKPOINT").await;
        let now = self.database.value("SELECT pg_current_wal_flush_lsn()").await;
        self.until(&format!("SELECT pg_last_wal_replay_lsn() >= '{now}'")).await;
    }

    fn options(&self) -> sqlx::postgres::PgConnectOptions {
        self.standby.options(&self.database.name)
    }

    async fn until(&self, sql: &str) {
        use sqlx::{AssertSqlSafe, ConnectOptions};
        for _ in 0..3000 {
            let mut connection = self.options().connect().await.expect("a connection");
            let seen: Option<bool> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
                .fetch_one(&mut connection)
                .await
                .expect("an answer");
            if seen == Some(true) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("never came true: {sql}");
    }
}

#[tokio::test]
async fn an_application_with_nothing_to_do_starts_on_it() {
    let pair = Pair::start().await;
    let migrator = Folder::of(&[A]).migrator();
    migrator.run(&pair.database.options()).await.unwrap();
    pair.caught_up().await;
    assert!(migrator.run(&pair.options()).await.unwrap().is_empty());
    assert!(migrator.check(&pair.options()).await.unwrap());
    // Without the mark as well, which cannot be left there.
    pair.database.run("DELETE FROM schema_migrations_settled").await;
    pair.caught_up().await;
    assert!(migrator.run(&pair.options()).await.unwrap().is_empty());
}

#[tokio::test]
async fn work_is_refused_there_with_the_remedy_and_done_over_a_direct_connection() {
    let pair = Pair::start().await;
    let folder = Folder::of(&[A]);
    for existing in [false, true] {
        if existing {
            folder.migrator().run(&pair.database.options()).await.unwrap();
            folder.write(B.0, B.1);
        }
        pair.caught_up().await;
        let error = folder.migrator().run(&pair.options()).await.unwrap_err();
        assert!(error.is_standby(), "{error}");
        let told = error.to_string();
        for words in ["standby", "nothing was changed", "primary", "`Migrator::wait_for_promotion`"]
        {
            assert!(told.contains(words), "`{words}` is not in: {told}");
        }
        let error = folder.migrator().revert(&pair.options(), None).await.unwrap_err();
        assert!(error.is_standby(), "{error}");
    }
    let migrator = folder.migrator().direct(pair.database.options());
    assert_eq!(applied(&migrator.run(&pair.options()).await.unwrap()), ["2 expand"]);
}

#[tokio::test]
async fn a_run_that_may_wait_goes_on_when_it_is_promoted() {
    let pair = Pair::start().await;
    pair.caught_up().await;
    let heard = Heard::default();
    let migrator = Folder::of(&[A, B]).migrator().observer(heard.clone());
    let short = migrator.clone().wait_for_promotion(Duration::from_millis(50));
    assert!(short.run(&pair.options()).await.unwrap_err().is_standby());
    heard.take();
    let (migrator, options) =
        (migrator.wait_for_promotion(Duration::from_secs(120)), pair.options());
    let running = tokio::spawn(async move { migrator.run(&options).await });
    heard.wait_for("waiting for promotion").await;
    pair.until("SELECT pg_promote()").await;
    let report = running.await.unwrap().unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(report.applied.len(), 2);
    pair.until("SELECT to_regclass('b') IS NOT NULL AND NOT pg_is_in_recovery()").await;
}
