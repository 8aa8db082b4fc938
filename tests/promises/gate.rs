//! No contract runs while somebody may need what it removes: what blocks it, what opens it, who may say so.

use std::time::Duration;

use migrate_postgres::{
    Evidence, Gate, Heartbeat, MigrationId, Migrator, Phase, Phases, Reason, Standing, Version,
};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};

use crate::harness::proxy::Proxy;
use crate::harness::{Application, Database, Folder, applied};

mod approvals;
mod dependencies;
mod fleet;
mod heartbeats;
mod older;
mod strangers;

const CONTRACT: &str = "ALTER TABLE users DROP COLUMN name;";
const EXPAND: &str = "ALTER TABLE users ADD COLUMN full_name text;";
const MOVE: &str = "UPDATE users SET full_name = name;";

/// A change in its parts; `head` stands above its contract.
fn change(head: &str) -> Folder {
    contract(&format!("{head}{CONTRACT}"))
}

fn contract(text: &str) -> Folder {
    Folder::of(&[
        ("2_names.expand.sql", EXPAND),
        ("2_names.migrate.sql", MOVE),
        ("2_names.contract.sql", text),
    ])
}

/// A database in use, with everything done but the contract.
async fn waiting(folder: &Folder) -> Database {
    let database = in_use().await;
    let report = folder.migrator().run(&database.options()).await.expect("a run");
    assert_eq!(applied(&report), ["2 expand", "2 migrate"]);
    database
}

async fn in_use() -> Database {
    let database = Database::fresh().await;
    database.run("CREATE TABLE users (id int, name text)").await;
    database
}

/// What a test is not about does not count.
fn but(source: &str, migrator: Migrator) -> Migrator {
    let others = Migrator::sources_of_evidence().into_iter().filter(|other| *other != source);
    others.fold(migrator, |migrator, other| migrator.waive(other, "a test"))
}

async fn gate(migrator: &Migrator, options: &PgConnectOptions) -> Gate {
    let gates = migrator.gates(options, Some(Version::new(2))).await.expect("a look");
    gates.into_iter().next().expect("a contract that is not done")
}

async fn evidence(migrator: &Migrator, options: &PgConnectOptions, source: &str) -> Evidence {
    let gate = gate(migrator, options).await;
    let check = gate.checks.into_iter().find(|check| check.source == source);
    check.expect("a source of this name").evidence
}

/// It is closed for this reason, a run for all phases leaves the contract, and the report says so.
async fn is_closed(migrator: &Migrator, database: &Database, source: &str, why: &str) {
    let found = evidence(migrator, &database.options(), source).await;
    assert!(matches!(found, Evidence::Closed { .. }) && found.why().contains(why), "{found:?}");
    is_left(migrator, database).await;
}

async fn is_unknown(migrator: &Migrator, database: &Database, source: &str, why: &str) {
    let found = evidence(migrator, &database.options(), source).await;
    assert!(matches!(found, Evidence::Unknown { .. }) && found.why().contains(why), "{found:?}");
    is_left(migrator, database).await;
}

async fn is_left(migrator: &Migrator, database: &Database) {
    let all = migrator.clone().phases(Phases::ALL);
    let report = all.run(&database.options()).await.expect("a run");
    let waits: Vec<_> = report.deferred.iter().map(|waits| (waits.id, waits.reason)).collect();
    let contract = MigrationId::new(Version::new(2), Phase::Contract);
    assert_eq!(waits, [(contract, Reason::GateClosed)], "{report}");
    assert!(database.value(HAS_NAME).await == "true", "the column is still there");
}

const HAS_NAME: &str = "SELECT count(*) = 1 FROM pg_attribute WHERE attrelid = 'users'::regclass \
                        AND attname = 'name' AND NOT attisdropped";

/// It is open, and the contract runs.
async fn opens(migrator: &Migrator, database: &Database, source: &str) {
    until_open(migrator, database, source).await; // sessions of this test take a moment to end
    let report =
        migrator.clone().phases(Phases::ALL).run(&database.options()).await.expect("a run");
    assert_eq!(applied(&report), ["2 contract"]);
}

/// Waits until a source says that nothing is in the way.
async fn until_open(migrator: &Migrator, database: &Database, source: &str) {
    for _ in 0..1500 {
        if evidence(migrator, &database.options(), source).await.is_open() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(40)).await;
    }
    panic!("{source} never opened: {:?}", evidence(migrator, &database.options(), source).await);
}

/// A pool under a name of its own.
async fn pool(options: PgConnectOptions, application: &str) -> PgPool {
    let options = options.application_name(application);
    PgPoolOptions::new().max_connections(2).connect_with(options).await.expect("a pool")
}

/// Waits until so many instances are alive.
async fn until_alive(database: &Database, instances: usize) {
    let alive =
        "SELECT count(*) FROM schema_migrations_instance WHERE expires_at > clock_timestamp()";
    database.until(&format!("SELECT ({alive}) = {instances}")).await;
}

#[tokio::test]
async fn a_contract_waits_for_the_other_parts_of_its_change() {
    let (database, folder) = (in_use().await, change(""));
    let migrator = but("phases", folder.migrator());
    let found = evidence(&migrator, &database.options(), "phases").await;
    assert_eq!(found.why(), "expand and migrate are not done yet");
    let all = migrator.clone().phases(Phases::ALL);
    let report = all.run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["2 expand", "2 migrate"], "and not on to the contract");
    opens(&migrator, &database, "phases").await;
}

#[tokio::test]
async fn a_contract_waits_until_its_change_has_soaked() {
    let folder = change("-- migrate: soak 4s\n");
    let database = waiting(&folder).await;
    let migrator = but("soak", folder.migrator());
    is_closed(&migrator, &database, "soak", "its soak of 4s is not over").await;
    until_open(&migrator, &database, "soak").await;
    opens(&migrator, &database, "soak").await;
    let passed = "SELECT min(c.started_at) - max(m.finished_at) >= interval '4 s' FROM schema_migrations c, \
                  schema_migrations m WHERE c.phase = 'contract' AND m.phase = 'migrate'";
    assert_eq!(database.value(passed).await, "true");
}

#[tokio::test]
async fn a_contract_alone_soaks_after_what_was_applied_before_it() {
    let folder = Folder::of(&[
        ("1_more.sql", "CREATE TABLE more (id int);"),
        ("2_drop.contract.sql", "-- migrate: soak 1d\nALTER TABLE users DROP COLUMN name;"),
    ]);
    let database = in_use().await;
    folder.migrator().run(&database.options()).await.unwrap();
    is_closed(&but("soak", folder.migrator()), &database, "soak", "its soak of 1d is not over")
        .await;
}

#[tokio::test]
async fn a_closed_gate_is_looked_at_again_though_the_history_stays_as_it_is() {
    let folder = change("");
    let database = waiting(&folder).await;
    let closed = folder.migrator().phases(Phases::ALL);
    let pool = database.pool().await;
    for _ in 0..2 {
        assert_eq!(closed.run(&pool).await.unwrap().deferred[0].reason, Reason::GateClosed);
    }
    let marks = "SELECT count(*) FROM schema_migrations_settled WHERE report LIKE '%gate%'";
    assert_eq!(database.value(marks).await, "0");
}

#[tokio::test]
async fn waivers_are_by_name_and_stay_in_the_history() {
    let folder = change("");
    let database = waiting(&folder).await;
    let (_a, _b) = (database.connect().await, database.connect().await);
    let migrator = folder.migrator().waive("fleet", "all are stopped").phases(Phases::ALL);
    let report = migrator.run(&database.options()).await.unwrap();
    assert_eq!(report.deferred[0].reason, Reason::GateClosed, "one is not all");
    let migrator = migrator.waive("strangers", "they only look").waive("soak", "no need");
    assert_eq!(applied(&migrator.run(&database.options()).await.unwrap()), ["2 contract"]);
    let reason = "SELECT reason FROM schema_migrations WHERE phase = 'contract'";
    let told = "fleet waived: all are stopped; strangers waived: they only look";
    assert_eq!(database.value(reason).await, told, "not what was open by itself");
    let reasons = "SELECT count(reason) FROM schema_migrations WHERE phase <> 'contract'";
    assert_eq!(database.value(reasons).await, "0");
}

#[tokio::test]
async fn a_waiver_of_nothing_or_without_a_reason_is_refused() {
    let folder = change("");
    let database = waiting(&folder).await;
    let refused = async |source: &str, reason: &str| {
        let migrator = folder.migrator().waive(source, reason).phases(Phases::ALL);
        migrator.run(&database.options()).await.expect_err("no waiver").to_string()
    };
    assert!(refused("flet", "x").await.contains("Did you mean `fleet`?"));
    assert!(refused("fleet", " ").await.contains("there is no reason"));
}

#[tokio::test]
async fn one_contract_can_be_asked_for_and_nothing_else_runs() {
    let folder = change("");
    folder.write("3_later.contract.sql", "DROP TABLE IF EXISTS nothing;");
    folder.write("4_expand.sql", "CREATE TABLE more (id int);");
    let database = in_use().await;
    let options = database.options();
    let migrator = folder.migrator().waive_everything("a test");
    migrator.run_to(&options, Version::new(2)).await.unwrap();
    let report = migrator.contract(&options, Some(Version::new(2))).await.unwrap();
    assert_eq!(applied(&report), ["2 contract"]);
    assert!(!database.has_table("more").await);
    let rest = migrator.contract(&options, None).await.unwrap();
    assert_eq!(applied(&rest), ["3 contract"]);
    let none = migrator.gates(&options, None).await.unwrap();
    assert!(none.is_empty(), "{none:?}");
    let error = migrator.gates(&options, Some(Version::new(4))).await.expect_err("no contract");
    assert!(error.to_string().contains("4 contract: it is not declared"), "{error}");
}

#[tokio::test]
async fn a_contract_that_was_let_through_is_not_left_halfway() {
    let text = "-- migrate: no-transaction\nALTER TABLE users DROP COLUMN name; SELECT 1 / 0;";
    let folder = contract(text);
    let database = waiting(&folder).await;
    let waived = folder.migrator().waive_everything("a test").phases(Phases::ALL);
    waived.run(&database.options()).await.expect_err("it divides by zero");
    folder.write("2_names.contract.sql", &text.replace("1 / 0", "1"));
    let report = folder.migrator().phases(Phases::ALL).run(&database.options()).await.unwrap();
    assert_eq!(applied(&report), ["2 contract"]);
}

#[tokio::test]
async fn new_code_can_ask_whether_it_may_rely_on_something() {
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_b.expand.sql", "-- migrate: provides full-names\nCREATE TABLE b (id int);"),
        ("2_b.migrate.sql", "-- migrate: provides full-names\nSELECT 1;"),
        ("2_b.down.sql", "DROP TABLE b;"),
    ]);
    let database = in_use().await;
    let migrator = folder.migrator();
    let reader = database.role("reader", "LOGIN").await;
    let (options, reads) = (database.options(), database.options().username(&reader));
    assert!(!migrator.is_ready(&options, "full-names").await.unwrap(), "no history, not done");
    let expand = migrator.clone().phases(Phases::NONE.with(Phase::Expand)).readable_by(&reader);
    expand.run(&options).await.unwrap();
    assert!(!migrator.is_ready(&reads, "full-names").await.unwrap(), "one of two");
    migrator.run(&options).await.unwrap();
    assert!(migrator.is_ready(&reads, "full-names").await.unwrap());
    let error = migrator.is_ready(&options, "full-name").await.expect_err("a slip");
    assert!(error.to_string().contains("Did you mean `full-names`?"), "{error}");
    migrator.revert(&options, Some(Version::new(1))).await.unwrap();
    assert!(!migrator.is_ready(&reads, "full-names").await.unwrap(), "taken back");
}

#[tokio::test]
async fn to_ask_that_is_one_query() {
    let folder = Folder::of(&[("1_a.sql", "-- migrate: provides a\nCREATE TABLE a (id int);")]);
    let database = Database::fresh().await;
    folder.migrator().run(&database.options()).await.unwrap();
    let wire = Proxy::count(database.options());
    let quiet = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
    let pool = quiet.connect_with(wire.options()).await.unwrap();
    let migrator = folder.migrator();
    assert!(migrator.is_ready(&pool, "a").await.unwrap());
    wire.take_with_open(1).await;
    assert!(migrator.is_ready(&pool, "a").await.unwrap());
    let sent = wire.take_with_open(1).await.sent;
    let ours = sent.iter().filter(|(_, text)| text.contains("schema_migrations")).count();
    assert_eq!(ours, 1, "{sent:?}");
}
