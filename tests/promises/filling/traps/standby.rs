//! A standby that takes over.

use migrate_testing::Server;

use super::super::table_on;
use super::{Database, FILL, at_its_first_batch, folder, is_in_step};

/// Trap 35: the place of a filling and its rows are on the same server, written together: whatever of it has reached the
/// standby fits together.
#[tokio::test]
async fn a_standby_that_takes_over_goes_on_where_it_was() {
    let primary = Server::builder()
        .setting("wal_level", "replica")
        .setting("max_wal_senders", "4")
        .private()
        .expect("a server");
    let standby = primary.standby().expect("a standby");
    let database = table_on(Database::on((*primary).clone()).await, 1_000).await;
    let migrator = folder("backfill t by id batch 100", FILL).migrator().reconnects(0);
    let (gate, filling) = at_its_first_batch(&migrator, &database).await;
    let there = Database::known(&standby, &database.name);
    // Without it the last of what was written may lie in memory until something else happens.
    database.run("CHECKPOINT").await;
    there.until("SELECT to_regclass('schema_migrations_range') IS NOT NULL").await;
    there.until("SELECT count(*) > 0 FROM t WHERE new IS NOT NULL").await;
    there.run("SELECT pg_promote()").await;
    let before = there.value("SELECT count(*) FROM t WHERE n = 1").await;
    assert_ne!(before, "0");
    migrator.backfill(&there.options()).await.unwrap();
    is_in_step(&there).await;
    assert_eq!(there.value("SELECT count(*) FROM t WHERE n <> (old IS NOT NULL)::int").await, "0");
    primary.kill9();
    gate.open();
    drop(filling.join().expect("no panic"));
}
