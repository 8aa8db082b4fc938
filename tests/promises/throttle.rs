//! What a backfill is held up by: what one look at a server finds, and what is said of it.

use std::future::pending;
use std::time::Duration;

use migrate_postgres::{
    BoxError, Brake, Closed, LimitedBy, Limits, Migrator, Signal, Signals, Source, async_trait,
};
use migrate_testing::{Builder, PrivateServer, Server};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::time::sleep;

use crate::harness::Database;

/// Whoever asks, about the table `t`.
struct Asker {
    migrator: Migrator,
    options: PgConnectOptions,
    limits: Limits,
    filler: Option<i32>,
}

struct Answer {
    signals: Signals,
    closed: Vec<Closed>,
    warned: Vec<Closed>,
}

impl Asker {
    fn new(options: PgConnectOptions) -> Self {
        let migrator = Migrator::new(Source::of_set(Default::default()));
        Self { migrator, options, limits: Limits::default(), filler: None }
    }

    fn limit(mut self, text: &str) -> Self {
        self.limits.set(text).unwrap_or_else(|error| panic!("{error}"));
        self
    }

    async fn again(&self, earlier: Option<&Answer>) -> Answer {
        let earlier = earlier.map(|answer| &answer.signals);
        let held =
            self.migrator.held(&self.options, "public.t", self.filler, &self.limits, earlier);
        let (signals, closed, warned) = held.await.unwrap_or_else(|error| panic!("{error}"));
        Answer { signals, closed, warned }
    }

    async fn ask(&self) -> Answer {
        self.again(None).await
    }

    /// Asks until something is so, each time with what was found before.
    async fn until(&self, so: impl Fn(&Answer) -> bool) -> Answer {
        let mut answer = self.ask().await;
        for _ in 0..1500 {
            if so(&answer) {
                return answer;
            }
            sleep(Duration::from_millis(40)).await;
            answer = self.again(Some(&answer)).await;
        }
        panic!("never came true: {:#?}", answer.signals)
    }
}

impl Answer {
    /// What is closed, each as people read it.
    fn told(&self) -> Vec<String> {
        self.closed.iter().map(ToString::to_string).collect()
    }

    fn is_closed_by(&self, by: LimitedBy) -> bool {
        self.closed.iter().any(|closed| closed.by == by)
    }
}

const T: &str = "CREATE TABLE t (id int PRIMARY KEY, a int); INSERT INTO t SELECT i, 0 FROM generate_series(1, 20000) i;";

/// A server of its own, with replication to whoever wants it.
struct Alone {
    database: Database,
    server: PrivateServer,
}

impl Alone {
    async fn start(settings: &[(&str, &str)]) -> Self {
        let usual = [
            ("wal_level", "replica"),
            ("max_wal_senders", "4"),
            ("hot_standby", "on"),
            // Or a checkpoint takes away what a standby has not got yet.
            ("wal_keep_size", "256MB"),
        ];
        let settings = usual.iter().chain(settings);
        let builder = settings.fold(Server::builder(), |builder: Builder, (name, value)| {
            builder.setting(name, value)
        });
        let server = builder.private().expect("a server");
        let database = Database::on(Server::clone(&server)).await;
        database.run(T).await;
        Self { database, server }
    }

    fn asker(&self) -> Asker {
        Asker::new(self.database.options())
    }
}

async fn run(connection: &mut PgConnection, sql: &'static str) {
    connection.execute(sqlx::raw_sql(sql)).await.expect(sql);
}

async fn pid(connection: &mut PgConnection) -> i32 {
    sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connection).await.expect("a process")
}

#[tokio::test]
async fn on_a_server_where_nothing_happens_a_role_without_rights_is_held_up_by_nothing() {
    let database = Database::fresh().await;
    database.run(T).await;
    let role = database.role("app", "LOGIN").await;
    for options in [database.options(), database.options().username(&role)] {
        let answer = Asker::new(options).ask().await;
        assert_eq!(answer.told(), [""; 0]);
        assert!(answer.signals.replicas.is_empty() && answer.signals.slot.is_none());
        assert!(answer.signals.wal.written > 0 && answer.signals.wal.max_wal_size >= 1 << 20);
        assert_eq!(answer.signals.dead.as_ref().map(|dead| dead.dead), Some(0));
    }
}

#[tokio::test]
async fn what_a_role_may_not_see_is_unknown_and_not_zero_and_the_way_out_is_told() {
    let alone = Alone::start(&[]).await;
    let standby = alone.server.standby().expect("a standby");
    let role = alone.database.role("app", "LOGIN").await;
    alone.database.until("SELECT count(*) = 1 FROM pg_stat_replication").await;
    let _busy = alone.database.session("SELECT 1").await;
    let asker = Asker::new(alone.database.options().username(&role)).limit("active=100");

    let answer = asker.ask().await;
    assert_eq!(answer.signals.replicas.len(), 1);
    assert_eq!(answer.signals.replicas[0].position, Signal::Hidden);
    assert_eq!(answer.signals.active, Signal::Hidden);
    let told = answer.told();
    assert_eq!(told.len(), 2, "{told:?}");
    let grant = format!("`GRANT pg_monitor TO {role}`");
    for told in &told {
        assert!(told.starts_with("unknown: how "), "{told}");
        assert!(told.contains(&grant) && told.contains("`unknown=warn`"), "{told}");
    }
    let waived = Asker::new(asker.options.clone()).limit("unknown=warn").ask().await;
    assert_eq!((waived.told().len(), waived.warned.len()), (0, 1));

    // What it says is what helps.
    alone.database.run(grant.trim_matches('`')).await;
    let answer = asker.until(|answer| !answer.is_closed_by(LimitedBy::Unknown)).await;
    assert!(matches!(answer.signals.active, Signal::Known(_)));
    assert!(matches!(answer.signals.replicas[0].position, Signal::Known(_)));
    drop(standby);
}

#[tokio::test]
async fn a_standby_that_does_not_go_on_is_seen_by_time_and_by_bytes() {
    let alone = Alone::start(&[("wal_receiver_status_interval", "1s")]).await;
    let standby = alone.server.standby().expect("a standby");
    let mut there = Asker::new(standby.options(&alone.database.name));
    let asker = alone.asker();
    let known = |answer: &Answer| matches!(answer.signals.replicas[..], [ref one] if matches!(one.position, Signal::Known(_)));
    asker.until(|answer| known(answer) && answer.closed.is_empty()).await;

    let mut follower = PgConnection::connect_with(&there.options).await.expect("a connection");
    run(&mut follower, "SELECT pg_wal_replay_pause()").await;
    alone.database.run("UPDATE t SET a = a + 1; CHECKPOINT").await;
    let answer = asker.until(|answer| answer.is_closed_by(LimitedBy::ReplicaLag)).await;
    let told = answer.told();
    let behind = "replica_lag: standby walreceiver is ";
    assert!(told[0].starts_with(behind) && told[0].contains(" s behind (limit 2 s)"), "{told:?}");
    // Its bytes alone, at a time when it is late at once.
    let bytes = alone.asker().limit("replica_lag=none").limit("replica_bytes=1kB");
    let told = bytes.ask().await.told();
    assert!(told[0].starts_with(behind) && told[0].contains(" behind (limit 1 KiB)"), "{told:?}");
    let missing = alone.asker().limit("standbys=web-9").ask().await.told();
    assert!(missing[0].contains("standby web-9 is not connected"), "{missing:?}");

    run(&mut follower, "SELECT pg_wal_replay_resume()").await;
    asker.until(|answer| known(answer) && answer.closed.is_empty()).await;
    there.limits = asker.limits;
    let told = there.ask().await.told();
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("standby: the server is a standby"), "{told:?}");
}

#[tokio::test]
async fn a_slot_that_keeps_wal_is_seen_with_its_name() {
    let alone = Alone::start(&[("max_slot_wal_keep_size", "5GB")]).await;
    let role = alone.database.role("app", "LOGIN").await;
    let asker = || Asker::new(alone.database.options().username(&role));
    assert_eq!(asker().ask().await.signals.slot, None);
    alone.database.run("SELECT pg_create_physical_replication_slot('left', true)").await;
    alone.database.run("UPDATE t SET a = a + 1; CHECKPOINT").await;
    let answer = asker().ask().await;
    assert_eq!(answer.told(), [""; 0]);
    let slot = answer.signals.slot.expect("a slot");
    assert!((slot.name.as_str(), slot.active) == ("left", false) && slot.retained > 1024);
    assert_eq!(answer.signals.slot_keep, Some(5 << 30));
    let told = asker().limit("slot_retention=1kB").ask().await.told();
    assert!(told[0].starts_with("slot: replication slot left keeps "), "{told:?}");
    alone.database.run("SELECT pg_drop_replication_slot('left')").await;
}

#[tokio::test]
async fn whoever_keeps_dead_rows_from_being_cleaned_up_is_seen_and_named() {
    let settings = [
        ("max_prepared_transactions", "2"),
        ("hot_standby_feedback", "on"),
        ("wal_receiver_status_interval", "1s"),
    ];
    let alone = Alone::start(&settings).await;
    let standby = alone.server.standby().expect("a standby");
    let role = alone.database.role("app", "LOGIN").await;
    let strict = || alone.asker().limit("horizon=1ms").limit("horizon_warn=1ms");
    let xmin = |answer: &Answer| answer.is_closed_by(LimitedBy::Xmin);
    let named = |answer: &Answer, name: &str| {
        answer.told().iter().any(|told| told.starts_with(&format!("xmin: {name} keeps dead rows ")))
    };

    let mut reader = alone.database.session("SET application_name = 'reporter'").await;
    run(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await;
    let reader_pid = pid(&mut reader).await;
    let answer = strict().until(xmin).await;
    assert!(
        named(&answer, &format!("a transaction of reporter (pid {reader_pid})")),
        "{:?}",
        answer.told()
    );
    assert!(!answer.signals.lets_prune(&strict().limits) && !answer.warned.is_empty());
    let usual = alone.asker().ask().await;
    assert!(!xmin(&usual) && usual.signals.lets_prune(&Limits::default()));
    let ours = Asker { filler: Some(reader_pid), ..strict() };
    assert_eq!(
        ours.ask().await.signals.horizon.dated,
        None,
        "the fill itself is not in its own way"
    );
    // A role that may not see since when learns it from look to look.
    let blind = Asker { options: alone.database.options().username(&role), ..strict() };
    let blind = blind.limit("unknown=warn");
    let first = blind.ask().await;
    assert!(!named(&first, &format!("a transaction of pid {reader_pid}")));
    blind.until(|answer| named(answer, &format!("a transaction of pid {reader_pid}"))).await;
    reader.close().await.unwrap();

    alone
        .database
        .run("BEGIN; UPDATE t SET a = 1 WHERE id = 1; PREPARE TRANSACTION 'half done'")
        .await;
    strict().until(|answer| named(answer, "the prepared transaction half done")).await;
    alone.database.run("ROLLBACK PREPARED 'half done'").await;
    strict().until(|answer| answer.signals.horizon.dated.is_none()).await;

    let mut far = PgConnection::connect_with(&standby.options(&alone.database.name)).await.unwrap();
    run(&mut far, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t").await;
    let held = |answer: &Answer| named(answer, "the standby walreceiver");
    // Its number is told for the moment also by a standby without readers.
    let far = strict().limit("horizon=3s").until(held).await;
    assert!(far.signals.horizon.held.is_some());
}

#[tokio::test]
async fn a_snapshot_that_is_kept_is_told_from_one_that_is_new_with_each_statement() {
    let alone = Alone::start(&[]).await;
    for isolation in ["READ COMMITTED", "REPEATABLE READ"] {
        let mut session = alone.database.session("SET application_name = 'job'").await;
        let process = pid(&mut session).await;
        let begin = format!("BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM t");
        session.execute(sqlx::raw_sql(AssertSqlSafe(begin))).await.unwrap();
        let first = alone.asker().ask().await;
        let idle = isolation == "REPEATABLE READ";
        assert_eq!(first.signals.horizon.dated.is_some(), idle, "between two statements");
        alone.database.run("UPDATE t SET a = a + 1 WHERE id = 1").await;
        let working =
            tokio::spawn(async move { session.execute("SELECT pg_sleep(600)").await.map(drop) });
        let works = format!(
            "SELECT state = 'active' AND query LIKE '%pg_sleep%' FROM pg_stat_activity WHERE pid = {process}"
        );
        alone.database.until(&works).await;
        let second = alone.asker().again(Some(&first)).await;
        let (_, age) = second.signals.horizon.dated.clone().expect("a statement");
        let began = format!(
            "(SELECT (extract(epoch FROM query_start) * 1000)::bigint FROM pg_stat_activity WHERE pid = {process})"
        );
        let began: u128 = alone.database.value(&began).await.parse().unwrap();
        let counted = (second.signals.now - age).as_millis();
        assert!(counted.abs_diff(began) <= 2, "from the statement: {counted} and {began}");
        let held = |answer: &Answer| {
            answer.signals.horizon.held.clone().map(|held| (held.what.0, held.at))
        };
        let kept = held(&first).is_some() && held(&second) == held(&first);
        assert_eq!(kept, idle, "{:?} {:?}", held(&first), held(&second));
        alone.database.run(&format!("SELECT pg_terminate_backend({process})")).await;
        working.await.unwrap().unwrap_err();
    }
}

#[tokio::test]
async fn sessions_that_wait_for_the_fill_are_counted_and_no_others() {
    let database = Database::fresh().await;
    database.run(T).await;
    let role = database.role("app", "LOGIN").await;
    let mut filler = database.session("BEGIN; UPDATE t SET a = 1 WHERE id < 9").await;
    let asker = Asker::new(database.options().username(&role));
    let asker = Asker { filler: Some(pid(&mut filler).await), ..asker };
    assert_eq!(asker.ask().await.signals.blocked, 0);
    let mut waiting = Vec::new();
    for id in [1, 2] {
        let mut session = database.connect().await;
        waiting.push(tokio::spawn(async move {
            let update = format!("UPDATE t SET a = 2 WHERE id = {id}");
            session.execute(AssertSqlSafe(update)).await.map(drop)
        }));
    }
    asker.until(|answer| answer.signals.blocked == 2).await;
    let other = Asker { filler: None, ..Asker::new(asker.options.clone()) };
    assert_eq!(other.ask().await.signals.blocked, 0);
    run(&mut filler, "COMMIT").await;
    for waiting in waiting {
        waiting.await.unwrap().unwrap();
    }
    assert_eq!(asker.ask().await.signals.blocked, 0);
}

#[tokio::test]
async fn an_autovacuum_on_the_table_is_seen_by_everybody_and_so_is_its_kind() {
    let alone = Alone::start(&[("autovacuum", "on"), ("autovacuum_naptime", "1s")]).await;
    let role = alone.database.role("app", "LOGIN").await;
    let blind = Asker::new(alone.database.options().username(&role));
    // It takes an hour for what is a moment's work.
    let slow = "ALTER TABLE t SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, \
                autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1); UPDATE t SET a = 1";
    alone.database.run(slow).await;
    for asker in [alone.asker(), blind] {
        let answer = asker.until(|answer| answer.signals.vacuum.is_some()).await;
        assert_eq!(answer.told().len(), 1, "{:?}", answer.told());
        assert!(
            answer.told()[0].starts_with("autovacuum: an autovacuum works on the table, seen for ")
        );
        let later = asker.limit("autovacuum=1ms").until(|answer| answer.closed.is_empty()).await;
        assert!(later.signals.vacuum.is_some(), "it was waited for long enough");
    }
}

#[tokio::test]
async fn an_autovacuum_against_wraparound_is_waited_for_to_its_end() {
    let settings = [
        ("autovacuum", "on"),
        ("autovacuum_naptime", "1s"),
        ("autovacuum_freeze_max_age", "100000"),
    ];
    let alone = Alone::start(&settings).await;
    let role = alone.database.role("app", "LOGIN").await;
    let slow = "ALTER TABLE t SET (autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, \
                autovacuum_vacuum_threshold = 900000, autovacuum_vacuum_insert_threshold = -1)";
    alone.database.run(slow).await;
    // A number for each row.
    let many = "CREATE TABLE many (i int); DO $$ BEGIN FOR i IN 1..101000 LOOP
        BEGIN INSERT INTO many VALUES (i); EXCEPTION WHEN division_by_zero THEN END; END LOOP; END $$";
    alone.database.run(many).await;
    let blind = Asker::new(alone.database.options().username(&role));
    for asker in [alone.asker(), blind] {
        let asker = asker.limit("autovacuum=1ms");
        let answer = asker.until(|answer| answer.is_closed_by(LimitedBy::Wraparound)).await;
        assert!(
            answer.told()[0].contains("an autovacuum to prevent wraparound works on the table")
        );
        let waived =
            Asker { options: asker.options.clone(), ..alone.asker() }.limit("wraparound=none");
        let waived = waived.ask().await;
        assert!(waived.closed.is_empty() && waived.signals.vacuum.is_some(), "{:?}", waived.told());
    }
}

#[tokio::test]
async fn dead_rows_are_left_to_the_fill() {
    let alone = Alone::start(&[("autovacuum", "off")]).await;
    alone
        .database
        .run("INSERT INTO t SELECT i, 0 FROM generate_series(20001, 100000) i; ANALYZE t")
        .await;
    alone.database.run("UPDATE t SET a = 1 WHERE id > 30000").await;
    let wants = |answer: &Answer| answer.signals.wants_vacuum(&Limits::default());
    let answer = alone.asker().until(wants).await;
    assert_eq!(answer.told(), [""; 0]);
    alone.database.run("VACUUM t").await;
    let answer = alone.asker().until(|answer| !wants(answer)).await;
    assert_eq!(answer.told(), [""; 0]);
}

#[tokio::test]
async fn wal_that_cannot_be_archived_is_counted_without_any_rights() {
    let alone =
        Alone::start(&[("archive_mode", "on"), ("archive_command", "test -f may_archive")]).await;
    let role = alone.database.role("app", "LOGIN").await;
    let asker = Asker::new(alone.database.options().username(&role)).limit("archiver=2");
    for _ in 0..3 {
        alone.database.run("UPDATE t SET a = a + 1; SELECT pg_switch_wal()").await;
    }
    // The server says it only once it has tried.
    let answer = asker.until(|answer| answer.signals.unarchived > 2).await;
    let files = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'";
    assert_eq!(answer.signals.unarchived.to_string(), alone.database.value(files).await);
    let told = answer.told();
    assert!(told[0].contains("segments of WAL wait to be archived (limit 2)"), "{told:?}");
    let let_it = "DO $$ BEGIN EXECUTE format('COPY (SELECT) TO %L', current_setting('data_directory') || '/may_archive'); END $$";
    alone.database.run(let_it).await;
    alone.database.run("UPDATE t SET a = a + 1; SELECT pg_switch_wal()").await;
    let done = asker.until(|answer| answer.signals.unarchived == 0).await;
    assert_eq!(done.told(), [""; 0]);
}

#[tokio::test]
async fn what_the_server_writes_is_told_from_one_look_to_the_next() {
    let alone = Alone::start(&[]).await;
    let asker = alone.asker();
    let first = asker.ask().await;
    assert!(!first.signals.wal.requested_since);
    alone.database.run("UPDATE t SET a = a + 1; CHECKPOINT").await;
    let second = asker.again(Some(&first)).await;
    assert!(second.signals.wal.written > first.signals.wal.written);
    let mut later = second;
    while !later.signals.wal.requested_since {
        sleep(Duration::from_millis(20)).await;
        later = asker.again(Some(&first)).await;
    }
    assert!(later.signals.wal.requested > first.signals.wal.requested);
}

#[tokio::test]
async fn the_hours_for_work_are_of_the_zone_that_is_named() {
    let alone = Alone::start(&[("log_timezone", "Etc/GMT-3")]).await;
    let at = async |limit: Option<&str>| {
        let asker = alone.asker();
        let asker = limit.into_iter().fold(asker, Asker::limit);
        let answer = asker.ask().await;
        (answer.signals.minute, answer.is_closed_by(LimitedBy::Window))
    };
    let (utc, _) = at(Some("off_peak=00:00-24:00 UTC")).await;
    // A minute or two may pass from one to the next.
    let is_ahead = |minute: u16, hours: u16| (minute + 1440 - utc - hours * 60) % 1440 < 10;
    assert!(is_ahead(at(None).await.0, 3), "as the log of the server has it");
    let (east, closed) = at(Some("off_peak=00:00-24:00 Etc/GMT-8")).await;
    assert!(is_ahead(east, 8) && !closed);
    let clock = |minute: u16| format!("{:02}:{:02}", minute % 1440 / 60, minute % 60);
    let (from, to) = (clock(utc + 120), clock(utc + 180));
    assert!(at(Some(&format!("off_peak={from}-{to} UTC"))).await.1);
    assert!(!at(Some(&format!("off_peak={to}-{from} UTC"))).await.1);
    let error = alone.asker().limit("off_peak=01:00-02:00 Moon/Crater");
    let held = error.migrator.held(&error.options, "t", None, &error.limits, None).await;
    assert!(held.unwrap_err().to_string().contains("Moon/Crater"));
}

#[tokio::test]
async fn a_table_that_is_not_there_has_no_dead_rows_and_is_no_error() {
    let database = Database::fresh().await;
    let answer = Asker::new(database.options()).ask().await;
    assert!(answer.signals.dead.is_none() && answer.closed.is_empty());
}

/// Says the same each time.
struct Says(fn() -> Result<Option<String>, BoxError>);

#[async_trait]
impl Brake for Says {
    async fn holds(&self) -> Result<Option<String>, BoxError> {
        (self.0)()
    }
}

struct Silent;

#[async_trait]
impl Brake for Silent {
    async fn holds(&self) -> Result<Option<String>, BoxError> {
        pending().await
    }
}

#[tokio::test]
async fn the_application_may_hold_and_one_that_fails_or_is_silent_does() {
    let database = Database::fresh().await;
    let told = async |brake: &dyn Fn(Migrator) -> Migrator| {
        let mut asker = Asker::new(database.options());
        asker.migrator = brake(asker.migrator);
        asker.ask().await.told()
    };
    assert_eq!(told(&|migrator| migrator.brake(Says(|| Ok(None)))).await, [""; 0]);
    let full =
        told(&|migrator| migrator.brake(Says(|| Ok(Some("the disk is full".to_owned()))))).await;
    assert_eq!(full, ["callback: the disk is full; opens: when the application's brake says so"]);
    let failed = told(&|migrator| migrator.brake(Says(|| Err("no metrics".into())))).await;
    assert!(
        failed[0].starts_with("callback: the application's brake failed: no metrics;"),
        "{failed:?}"
    );
    let silent = told(&|migrator| migrator.brake(Silent)).await;
    assert!(
        silent[0].starts_with("callback: the application's brake did not answer in 5 s;"),
        "{silent:?}"
    );
}
