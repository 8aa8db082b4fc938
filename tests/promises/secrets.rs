//! Passwords go nowhere: not into an error, an event, a log, a report or a mark, wherever they were written.

use std::fmt::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use migrate_core::{LockMode, LockTarget, MigrationId, Phase, Targets, Work};
use migrate_postgres::{Error, Event, Migrator, Observer, Report, Source, Version};
use migrate_testing::{PrivateServer, Server};
use sqlx::postgres::PgConnectOptions;

use crate::harness::{Database, Folder, trace_this_thread, traced};

const SECRET: &str = "s3cr3t-Pa55word";

/// Keeps all that an observer is told, with everything in it.
#[derive(Clone, Default)]
struct All(Arc<Mutex<String>>);

impl Observer for All {
    fn event(&self, event: &Event<'_>) {
        let mut all = self.0.lock().expect("no panic");
        writeln!(all, "{event:?}").expect("room");
        if let Event::Blocked { blockers, .. } | Event::Queueing { blockers, .. } = event {
            blockers.iter().for_each(|one| writeln!(all, "{one}").expect("room"));
        }
    }
}

/// What somebody reads who prints an error in all ways there are.
fn told(error: &Error) -> String {
    let mut text = format!("{error}\n{error:#?}\n{:?}\n", error.blockers());
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        writeln!(text, "{error}\n{error:#?}").expect("room");
        source = error.source();
    }
    text
}

fn reported(report: &Report) -> String {
    let data = serde_json::to_string(report).expect("data");
    format!("{report}\n{report:?}\n{data}")
}

#[track_caller]
fn is_nowhere_in(text: &str) {
    assert!(!text.contains(SECRET), "{text}");
    assert!(!text.contains("Pa55"), "a part of it: {text}");
}

/// Everything that a run tells and leaves, whether it ends well or not.
async fn all_of(
    migrator: Migrator,
    way: impl Into<migrate_postgres::Database>,
) -> (String, Result<Report, Error>) {
    let all = All::default();
    trace_this_thread();
    let end = migrator.observer(all.clone()).run(way).await;
    let mut text = traced() + &all.0.lock().expect("no panic");
    text += &match &end {
        Ok(report) => reported(report),
        Err(error) => told(error),
    };
    (text, end)
}

/// What a run leaves in the database, but for the columns that are there for the texts.
async fn left_in(database: &Database) -> String {
    let history = "SELECT string_agg((to_jsonb(h) - 'up_sql' - 'down_sql')::text, ' ') FROM schema_migrations h";
    let marks = "SELECT string_agg(s::text, ' ') FROM schema_migrations_settled s";
    database.value(history).await + &database.value(marks).await
}

/// A server that asks for passwords on TCP.
async fn guarded() -> (PrivateServer, Database) {
    let private = Server::builder().listen_tcp().private().expect("a server");
    let database = Database::on(Server::clone(&private)).await;
    database
        .run(&format!(
            "SET password_encryption = 'scram-sha-256'; CREATE ROLE me LOGIN SUPERUSER PASSWORD '{SECRET}'"
        ))
        .await;
    database
        .run(
            "DO $do$ BEGIN EXECUTE format('COPY (SELECT unnest(string_to_array(%L, ''|''))) TO %L', \
             'local all all trust|host all all 127.0.0.1/32 scram-sha-256', current_setting('hba_file')); END $do$",
        )
        .await;
    database.run("SELECT pg_reload_conf()").await;
    (private, database)
}

fn by_password(server: &PrivateServer, database: &Database, password: &str) -> PgConnectOptions {
    let address = server.tcp_address().expect("an address");
    let options = PgConnectOptions::new_without_pgpass().host(&address.ip().to_string());
    options.port(address.port()).username("me").password(password).database(&database.name)
}

#[tokio::test]
async fn of_a_connection() {
    let (server, database) = guarded().await;
    let way = by_password(&server, &database, SECRET);
    let folder = Folder::of(&[
        ("1_names.sql", "CREATE TABLE names AS SELECT application_name FROM pg_stat_activity;"),
        ("1_names.down.sql", "DROP TABLE names;"),
    ]);
    let (text, end) = all_of(folder.migrator(), &way).await;
    assert_eq!(end.expect("the right password").applied.len(), 1);
    is_nowhere_in(&text);
    is_nowhere_in(&left_in(&database).await);
    is_nowhere_in(&database.value("SELECT string_agg(application_name, ' ') FROM names").await);
    let wrong = by_password(&server, &database, &format!("{SECRET}x"));
    let unreachable = way.clone().port(1);
    let nowhere = way.clone().host("no-such-host.invalid");
    let no_database = way.clone().database("no_such_database");
    for way in [wrong, unreachable, nowhere, no_database] {
        let (text, end) = all_of(folder.migrator(), &way).await;
        assert!(end.expect_err("nobody is let in").is_connection());
        is_nowhere_in(&text);
        folder.write("2_more.sql", "SELECT 1;");
        let (text, end) = all_of(folder.migrator().direct(way), &database.options()).await;
        assert!(end.expect_err("nobody is let in").is_connection());
        is_nowhere_in(&text);
        folder.remove("2_more.sql");
    }
}

#[tokio::test]
async fn of_what_can_be_printed_for_debugging() {
    let options = PgConnectOptions::new_without_pgpass().password(SECRET);
    let text = format!("CREATE ROLE x PASSWORD '{SECRET}';");
    let folder = Folder::of(&[("1_x.sql", &text)]);
    let migrator = folder.migrator().direct(options.clone());
    let printed = format!("{migrator:#?} {:#?}", folder.source());
    is_nowhere_in(&printed);
    assert!(printed.contains("1 expand x"), "which migrations these are is told: {printed}");
    is_nowhere_in(&format!("{:?}", migrate_postgres::Database::from(&options)));
    let pool = sqlx::postgres::PgPoolOptions::new().connect_lazy_with(options);
    is_nowhere_in(&format!("{:?}", migrate_postgres::Database::from(&pool)));
}

#[tokio::test]
async fn of_a_migration_that_sets_one() {
    let database = Database::fresh().await;
    let role = database.role("app", "LOGIN").await;
    let text = format!("ALTER ROLE {role} PASSWORD '{SECRET}'; -- {SECRET}");
    let folder = Folder::of(&[
        ("1_a.sql", "CREATE TABLE a (id int);"),
        ("2_password.sql", &text),
        ("2_password.down.sql", &text),
        ("3_alone.sql", &format!("-- migrate: no-transaction\n{text}")),
        ("3_alone.down.sql", &text),
    ]);
    let (text, end) = all_of(folder.migrator(), &database.options()).await;
    assert_eq!(end.expect("it is right").applied.len(), 3);
    is_nowhere_in(&text);
    let back = folder.migrator().revert(&database.options(), Some(Version::new(1))).await.unwrap();
    is_nowhere_in(&reported(&back));
    is_nowhere_in(&left_in(&database).await);
}

/// A text that holds the password and fails, and words that its error has to have all the same.
fn failing() -> Vec<(&'static str, String)> {
    let s = SECRET;
    vec![
        (
            "syntax error at or near \"nosuch\"",
            format!("SELECT 1;\nSELECT length('password {s}'); nosuch"),
        ),
        ("unrecognized role option \"?\"", format!("CREATE ROLE x_y PASSWORD '{s}' NOSUCH;")),
        ("syntax error at or near \"?\"", format!("CREATE ROLE x_y PASSWORD \"{s}\";")),
        ("unrecognized role option \"?\"", format!("CREATE USER x_y PASSWORD 'it's{s}'';")),
        ("role \"x_y\" does not exist", format!("ALTER ROLE x_y PASSWORD '{s}';")),
        (
            "invalid input syntax for type timestamp with time zone: \"?\"",
            format!("CREATE ROLE x_y VALID UNTIL '{s}';"),
        ),
        ("division by zero", format!("SELECT 'the secret is {s}'; SELECT 1 / 0;")),
        (
            "column \"nothing\" does not exist",
            format!("SELECT length('a token: {s}'); SELECT nothing;"),
        ),
        (
            "violates check constraint \"vault_password_check\"",
            format!("INSERT INTO vault (password) VALUES ('{s}');"),
        ),
        (
            "violates unique constraint \"vault_password_key\"",
            format!(
                "INSERT INTO vault (password) SELECT left('{s}', 0) || 'a' FROM generate_series(1, 2);"
            ),
        ),
        (
            "role \"?\" does not exist",
            format!("DO $$ BEGIN EXECUTE 'ALTER ROLE x_y PASSWORD ''{s}'''; END $$;"),
        ),
        (
            "server \"x_y\" does not exist",
            format!("CREATE USER MAPPING FOR public SERVER x_y OPTIONS (password '{s}');"),
        ),
        (
            "invalid connection string syntax",
            format!("CREATE SUBSCRIPTION x_y CONNECTION 'pass={s} {s}' PUBLICATION p;"),
        ),
    ]
}

#[tokio::test]
async fn of_a_migration_that_sets_one_and_fails() {
    for before in ["", "-- migrate: no-transaction\n"] {
        for (words, text) in failing() {
            let database = Database::fresh().await;
            let vault = "CREATE TABLE vault (password text UNIQUE CHECK (length(password) < 5));";
            let folder = Folder::of(&[("1_vault.sql", vault)]);
            folder.migrator().run(&database.options()).await.unwrap();
            folder.write("2_fails.sql", &format!("{before}{text}"));
            if before.is_empty() && text.starts_with("CREATE SUBSCRIPTION") {
                is_nowhere_in(&refused(&folder));
                continue;
            }
            let (all, end) = all_of(folder.migrator(), &database.options()).await;
            let error = end.expect_err("it fails");
            assert!(error.to_string().contains(words), "`{words}` is not in: {error}");
            assert!(error.place().is_some(), "{error}");
            is_nowhere_in(&all);
            is_nowhere_in(&left_in(&database).await);
        }
    }
}

/// What is said of a folder that cannot be run.
fn refused(folder: &Folder) -> String {
    let problems = Source::read(folder.path()).expect_err("it is refused");
    problems.iter().map(|problem| format!("{problem}\n{problem:?}\n")).collect()
}

#[test]
fn of_a_file_that_cannot_be_run() {
    for text in [
        format!("ALTER ROLE x_y PASSWORD '{SECRET};"),
        format!("ALTER ROLE x_y PASSWORD '{SECRET}'; COMMIT;"),
        format!("CREATE SUBSCRIPTION x CONNECTION 'password={SECRET}' PUBLICATION p;"),
    ] {
        is_nowhere_in(&refused(&Folder::of(&[("1_x.sql", &text)])));
    }
}

/// Those that share a transaction, and the way back of one that nobody declares any more.
#[tokio::test]
async fn of_many_that_fail_together_and_of_a_way_back() {
    let database = Database::fresh().await;
    let fails = format!("ALTER ROLE x_y PASSWORD '{SECRET}' NOSUCH;");
    let folder = Folder::of(&[("1_a.sql", "CREATE TABLE a (id int);"), ("2_fails.sql", &fails)]);
    let (all, end) = all_of(folder.migrator(), &database.options()).await;
    end.expect_err("it fails");
    is_nowhere_in(&all);
    folder.write("2_fails.sql", "SELECT 1;");
    folder.write("2_fails.down.sql", &fails);
    folder.write("1_a.down.sql", "DROP TABLE a;");
    folder.migrator().run(&database.options()).await.unwrap();
    folder.remove("2_fails.sql");
    folder.remove("2_fails.down.sql");
    let error = folder.migrator().revert(&database.options(), None).await.expect_err("it fails");
    assert!(error.to_string().contains("failed to revert 2 expand"), "{error}");
    is_nowhere_in(&told(&error));
}

#[tokio::test]
async fn of_one_that_waits_and_of_the_one_it_waits_for() {
    for before in ["", "-- migrate: no-transaction\n"] {
        let database = Database::fresh().await;
        let folder = Folder::of(&[("1_vault.sql", "CREATE TABLE vault (password text);")]);
        folder.migrator().run(&database.options()).await.unwrap();
        let text =
            format!("{before}ALTER TABLE vault ALTER COLUMN password SET DEFAULT '{SECRET}';");
        folder.write("2_waits.sql", &text);
        let _blocker = database
            .session("BEGIN; INSERT INTO vault VALUES ('s3cr3t-Pa55word') /* s3cr3t-Pa55word */")
            .await;
        let locks = vec![LockTarget {
            relation: "public.vault".into(),
            is_guess: false,
            mode: LockMode::AccessExclusive,
            work: Work::None,
        }];
        let targets = Targets {
            migration: MigrationId::new(Version::new(2), Phase::Expand),
            offset: before.len().try_into().expect("a short text"),
            locks: locks.into(),
            opaque: false,
        };
        let migrator = Migrator::new(folder.source().with_targets(vec![targets]));
        let migrator = migrator.lock_deadline(Duration::from_millis(300));
        let (all, end) = all_of(migrator, &database.options()).await;
        let error = end.expect_err("the lock is not to be had");
        assert!(error.is_lock_timeout(), "{error}");
        assert!(error.to_string().contains("INSERT INTO vault VALUES (?)"), "{error}");
        is_nowhere_in(&all);
        is_nowhere_in(&left_in(&database).await);
    }
}

#[tokio::test]
async fn of_one_that_was_edited() {
    let database = Database::fresh().await;
    let role = database.role("app", "LOGIN").await;
    let text = format!("ALTER ROLE {role} PASSWORD '{SECRET}';\n");
    let folder = Folder::of(&[("1_password.sql", &text)]);
    folder.migrator().run(&database.options()).await.unwrap();
    let edits = [
        ("only values differ", text.replace("s3", "S4")),
        ("+ ALTER ROLE other PASSWORD ?;", text.replace(&role, "other")),
    ];
    for (words, edited) in edits {
        folder.write("1_password.sql", &edited);
        let (all, end) = all_of(folder.migrator(), &database.options()).await;
        let error = end.expect_err("it was edited");
        assert!(error.is_divergence() && error.to_string().contains(words), "{error}");
        is_nowhere_in(&all);
    }
}
