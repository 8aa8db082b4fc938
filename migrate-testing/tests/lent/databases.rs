//! Databases as tests meet them: copied, shared by nobody, kept when they are wanted, swept when not.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use migrate_postgres::core::{Checksum, Code, Down, Migration, Step};
use migrate_postgres::{
    Beside, BoxError, Listed, MigrationId, Phase, Phases, Source, Version, async_trait,
};
use migrate_testing::{PrivateServer, Server, TestDatabase};
use sqlx::postgres::{PgConnection, PgPool};
use sqlx::{ConnectOptions, Connection, Executor};
use tempfile::TempDir;

use crate::processes::{Place, Process, answer, ask, copy_program, signal, socket_dir, soon};

// --- migrations -----------------------------------------------------------------------------

const USERS: (&str, &str) =
    ("1_users.sql", "CREATE TABLE users (id int PRIMARY KEY, full_name text);");

/// A folder that is read while the test runs.
pub fn folder(files: &[(&str, &str)]) -> Source {
    let folder = TempDir::new().unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    Source::read(folder.path()).unwrap()
}

/// A migration written in Rust that tells a file each time it runs, and may never end.
#[derive(Clone)]
struct Told {
    steps: [Step; 1],
}

impl Told {
    fn new() -> Told {
        Told { steps: [Step::Code(Code { revision: 1, transaction: true })] }
    }
}

impl Migration for Told {
    fn id(&self) -> MigrationId {
        MigrationId::new(Version::new(2), Phase::Expand)
    }

    fn name(&self) -> &str {
        "told"
    }

    fn up(&self) -> &[Step] {
        &self.steps
    }

    fn down(&self) -> Down<'_> {
        Down::Irreversible("nobody forgets")
    }

    fn checksum(&self) -> Checksum {
        Checksum::of_code(1)
    }
}

#[async_trait]
impl migrate_postgres::Code for Told {
    async fn up(&self, connection: &mut PgConnection) -> Result<(), BoxError> {
        connection.execute("CREATE TABLE told (id int)").await?;
        let path = std::env::var("TOLD")?;
        let mut file = fs::File::options().append(true).create(true).open(path)?;
        std::io::Write::write_all(&mut file, b"built\n")?;
        if std::env::var("HANG").is_ok() {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

impl Listed for Told {
    fn listed(self) -> Beside {
        Beside::code(self)
    }
}

fn users_and_told() -> Source {
    folder(&[USERS]).with(Told::new())
}

// --- the process ----------------------------------------------------------------------------

/// What a process of its own does with a database, and what it says of it.
pub fn play(role: &str) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let migrations = if role == "code" { users_and_told() } else { folder(&[USERS]) };
    let db = match runtime.block_on(TestDatabase::new(migrations)) {
        Ok(db) => db,
        Err(error) => return format!("error {error}"),
    };
    let count = async { value(db.pool(), "SELECT count(*)::text FROM users").await };
    assert_eq!(runtime.block_on(count), "0");
    let url = db.url();
    match role {
        "drops" => drop(db),
        "panics" => {
            let test = std::thread::spawn(move || {
                let _db = db;
                panic!("as tests do");
            });
            assert!(test.join().is_err());
        }
        "loses its server" => {
            std::mem::forget(db);
            signal(Place::postmaster(&socket_dir(&url)), rustix::process::Signal::KILL);
            let another = runtime.block_on(TestDatabase::new(folder(&[USERS]))).unwrap();
            assert_ne!(another.server().url(""), url.replace(name(&url), ""));
        }
        _ => std::mem::forget((db, runtime)), // they end with the process
    }
    url
}

/// A server for the processes of one test, as if the user had named it.
struct Named {
    server: PrivateServer,
    place: Place,
    told: PathBuf,
}

impl Named {
    fn new() -> Named {
        let place = Place::new();
        let told = place.path().join("told");
        Named { server: Server::builder().listen_tcp().private().unwrap(), place, told }
    }

    fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.server.tcp_address().unwrap())
    }

    fn command(&self, role: &str) -> Command {
        self.command_of(&std::env::current_exe().unwrap(), role)
    }

    fn command_of(&self, program: &Path, role: &str) -> Command {
        let mut command = self.place.command_of(program, role, 0);
        command.env("TEST_DATABASE_URL", self.url()).env("TOLD", &self.told);
        command
    }

    fn start(&self, role: &str) -> Process {
        Process::start(&mut self.command(role))
    }

    /// How often the migration written in Rust ran.
    fn told(&self) -> usize {
        fs::read_to_string(&self.told).unwrap_or_default().lines().count()
    }

    /// The databases whose names begin so; a template is another one when it was made again.
    fn databases(&self, start: &str) -> Vec<String> {
        databases(&self.server, start)
    }
}

const PATIENCE: Duration = Duration::from_secs(10);

fn databases(server: &Server, start: &str) -> Vec<String> {
    let names = format!(
        "SELECT coalesce(string_agg(concat_ws(' ', datname, oid), ',' ORDER BY oid), '') \
         FROM pg_database WHERE starts_with(datname, '{start}')"
    );
    let names: String = ask(&server.options("postgres"), &names, PATIENCE).unwrap();
    names.split(',').filter(|name| !name.is_empty()).map(ToOwned::to_owned).collect()
}

/// What one statement does, outside of any runtime.
fn run(server: &Server, statement: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = server.options("postgres").connect().await.unwrap();
        let statement = sqlx::AssertSqlSafe(statement.to_owned());
        connection.execute(sqlx::raw_sql(statement)).await.unwrap();
        connection.close().await.unwrap();
    });
}

/// The one text that a query returns.
pub async fn value(pool: &PgPool, query: &str) -> String {
    let query = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(query.to_owned()));
    query.fetch_one(pool).await.unwrap()
}

fn name(url: &str) -> &str {
    let (before, _) = url.split_once('?').unwrap_or((url, ""));
    before.rsplit('/').next().unwrap()
}

// --- fresh databases ------------------------------------------------------------------------

#[tokio::test]
async fn a_test_gets_a_migrated_database_of_its_own() {
    let one = TestDatabase::new(folder(&[USERS])).await.unwrap();
    let other = TestDatabase::new(folder(&[USERS])).await.unwrap();
    assert_ne!(one.name(), other.name());
    one.pool().execute("INSERT INTO users VALUES (1, 'Ada')").await.unwrap();
    let count = "SELECT count(*)::text FROM users";
    assert_eq!(value(one.pool(), count).await, "1");
    assert_eq!(value(other.pool(), count).await, "0");
    assert!(other.migrator().unwrap().run(other.pool()).await.unwrap().is_empty());
    let mut beside = one.connect().await.unwrap();
    assert!(beside.execute("SELECT 1").await.is_ok());
}

#[tokio::test]
async fn an_empty_database_has_nothing_and_nothing_to_migrate() {
    let db = TestDatabase::empty().await.unwrap();
    let tables = "SELECT count(*)::text FROM pg_tables WHERE schemaname = 'public'";
    assert_eq!(value(db.pool(), tables).await, "0");
    let error = db.migrate_on().await.unwrap_err();
    assert!(error.to_string().contains("lent without migrations"), "{error}");
}

#[test]
fn a_database_goes_with_its_test_also_when_somebody_is_connected() {
    let server = Server::private().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let stays = runtime.block_on(async {
        let create = || TestDatabase::builder(folder(&[USERS])).server(&server).create();
        let (db, stays) = (create().await.unwrap(), create().await.unwrap());
        let in_use = db.pool().acquire().await.unwrap();
        let beside = db.connect().await.unwrap();
        drop(db);
        std::mem::forget((in_use, beside)); // they are connected to the end
        stays
    });
    soon("the database is gone", || databases(&server, "t_").len() == 1);
    assert!(databases(&server, "t_")[0].starts_with(stays.name()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_two_tests_at_once_get_thirty_two_copies_of_one_template() {
    let server = Server::private().unwrap();
    let tests: Vec<_> = (0..32)
        .map(|_| {
            let wish = TestDatabase::builder(folder(&[USERS])).server(&server);
            tokio::spawn(async move {
                let db = wish.create().await.unwrap();
                db.pool().execute("INSERT INTO users VALUES (1, 'Ada')").await.unwrap();
                db
            })
        })
        .collect();
    let mut names = Vec::new();
    for test in tests {
        names.push(test.await.unwrap().name().to_owned());
    }
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 32);
    let count = tokio::task::spawn_blocking(move || databases(&server, "mt_").len());
    assert_eq!(count.await.unwrap(), 1);
}

#[tokio::test]
async fn a_test_puts_in_what_a_migration_will_find() {
    let migrations = folder(&[
        USERS,
        ("2_name.expand.sql", "ALTER TABLE users ADD COLUMN name text;"),
        ("2_name.migrate.sql", "UPDATE users SET name = full_name;"),
        ("2_name.contract.sql", "ALTER TABLE users DROP COLUMN full_name;"),
        ("3_age.sql", "ALTER TABLE users ADD COLUMN age int;"),
    ]);
    let at = |phase| MigrationId::new(Version::new(2), phase);
    for stop in Phase::ALL {
        let builder = TestDatabase::builder(migrations.clone()).stop_before(at(stop));
        let db = builder.create().await.unwrap();
        db.pool().execute("INSERT INTO users (id, full_name) VALUES (1, 'Ada')").await.unwrap();
        let left = db.migrate_on().await.unwrap().applied.len();
        assert_eq!(left, 4 - stop as usize, "what is left from {stop} on");
        let name = value(db.pool(), "SELECT coalesce(name, '') FROM users").await;
        assert_eq!(name, if stop == Phase::Contract { "" } else { "Ada" });
    }
    let first = TestDatabase::builder(migrations.clone()).up_to(Version::new(1));
    let first = first.create().await.unwrap();
    assert_eq!(first.migrate_on().await.unwrap().applied.len(), 4);
    let open = TestDatabase::builder(migrations).phases(Phases::START_UP).create().await.unwrap();
    let left = open.migrator().unwrap().plan(open.pool()).await.unwrap();
    assert_eq!(left.deferred.len(), 1, "{left:?}");
    assert_eq!(open.migrate_on().await.unwrap().applied.len(), 1);
}

#[tokio::test]
async fn an_application_that_starts_on_a_part_runs_what_is_left() {
    let age = ("2_age.sql", "ALTER TABLE users ADD COLUMN years int;");
    let builder = TestDatabase::builder(folder(&[USERS, age])).up_to(Version::new(1));
    let db = builder.create().await.unwrap();
    let started = db.migrator().unwrap().run(db.pool()).await.unwrap();
    assert_eq!(started.applied.len(), 1, "{started}");
}

#[tokio::test]
async fn the_migrator_is_that_of_the_application() {
    let migrator = |migrations| TestDatabase::builder(migrations).migrator(|m| m.schema("history"));
    let db = migrator(folder(&[USERS])).create().await.unwrap();
    let count = "SELECT count(*)::text FROM history.schema_migrations";
    assert_eq!(value(db.pool(), count).await, "1");
    assert!(db.migrator().unwrap().check(db.pool()).await.unwrap());
}

#[tokio::test]
async fn a_migration_that_fails_fails_each_test_and_leaves_nothing() {
    let server = Server::private().unwrap();
    for _ in 0..2 {
        let broken = folder(&[USERS, ("2_broken.sql", "SELECT 1 / 0;")]);
        let error = TestDatabase::builder(broken).server(&server).create().await.unwrap_err();
        assert!(error.to_string().contains("division by zero"), "{error}");
        assert_eq!(format!("{error:?}"), error.to_string(), "for those who unwrap");
    }
    let count = tokio::task::spawn_blocking(move || databases(&server, "mt_").len());
    assert_eq!(count.await.unwrap(), 0);
}

// --- templates ------------------------------------------------------------------------------

#[test]
fn eight_processes_at_once_build_one_template_and_the_ninth_none() {
    let named = Named::new();
    let mut processes: Vec<Process> = (0..8).map(|_| named.start("code")).collect();
    let mut urls: Vec<String> = processes.iter_mut().map(Process::answer).collect();
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), 8, "{urls:?}");
    assert_eq!(named.told(), 1);
    let templates = named.databases("mt_");
    assert_eq!(templates.len(), 1, "{templates:?}");

    processes.into_iter().for_each(Process::end);
    let mut ninth = named.start("code");
    assert!(ninth.answer().starts_with("postgres:"));
    assert_eq!((named.told(), named.databases("mt_")), (1, templates));
    ninth.end();
}

#[tokio::test]
async fn a_changed_migration_is_another_template() {
    let server = Server::private().unwrap();
    let create = async |text| {
        let builder = TestDatabase::builder(folder(&[("1_users.sql", text)])).server(&server);
        builder.create().await.unwrap();
        let server = Server::clone(&server);
        tokio::task::spawn_blocking(move || databases(&server, "mt_").len()).await.unwrap()
    };
    assert_eq!(create("CREATE TABLE users (id int);").await, 1);
    assert_eq!(create("-- said in other words\nCREATE TABLE users (id int);").await, 1);
    assert_eq!(create("CREATE TABLE users (id bigint);").await, 2);
}

#[test]
fn a_set_with_code_has_a_template_for_each_build_of_the_program() {
    let named = Named::new();
    let program = named.place.path().join("another-build");
    copy_program(&std::env::current_exe().unwrap(), &program);
    for (role, templates, told) in [("code", 2, 2), ("sql", 3, 2)] {
        for program in [&std::env::current_exe().unwrap(), &program] {
            let mut process = Process::start(&mut named.command_of(program, role));
            assert!(process.answer().starts_with("postgres:"));
            process.end();
        }
        assert_eq!((named.databases("mt_").len(), named.told()), (templates, told), "{role}");
    }
}

#[test]
fn what_a_killed_builder_left_is_built_anew() {
    let named = Named::new();
    let builder = Process::start(named.command("code").env("HANG", "1"));
    soon("it is building", || named.told() == 1);
    let unfinished = named.databases("mt_");
    assert_eq!(unfinished.len(), 1);
    builder.kill9();

    let mut next = named.start("code");
    assert!(next.answer().starts_with("postgres:"));
    assert_eq!(named.told(), 2);
    let built = named.databases("mt_");
    assert_eq!(built.len(), 1);
    assert_ne!(built, unfinished, "it was made again");
    next.end();
}

#[test]
fn a_template_that_somebody_dropped_is_built_anew() {
    let server = Server::private().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let create =
        || runtime.block_on(TestDatabase::builder(folder(&[USERS])).server(&server).create());
    create().unwrap();
    let template = databases(&server, "mt_")[0].split(' ').next().unwrap().to_owned();
    run(&server, &format!("ALTER DATABASE {template} IS_TEMPLATE false"));
    run(&server, &format!("DROP DATABASE {template}"));
    create().unwrap();
    assert_eq!(databases(&server, "mt_").len(), 1);
}

#[test]
fn a_template_that_somebody_looks_at_is_waited_for() {
    let server = Server::private().unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let create = || TestDatabase::builder(folder(&[USERS])).server(&server).create();
    runtime.block_on(create()).unwrap();
    let template = databases(&server, "mt_")[0].split(' ').next().unwrap().to_owned();
    run(&server, &format!("ALTER DATABASE {template} ALLOW_CONNECTIONS true"));
    runtime.block_on(async {
        let somebody: PgConnection = server.options(&template).connect().await.unwrap();
        let copy = tokio::spawn(create());
        tokio::time::sleep(Duration::from_secs(6)).await; // PostgreSQL itself waits for 5 seconds
        assert!(!copy.is_finished());
        somebody.close().await.unwrap();
        copy.await.unwrap().unwrap();
    });
}

#[tokio::test]
async fn a_copy_on_our_own_server_does_not_go_through_the_log() {
    let server = Server::private().unwrap();
    let create = || TestDatabase::builder(folder(&[USERS])).server(&server).create();
    let db = create().await.unwrap();
    let written = async || {
        let written = value(db.pool(), "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text");
        written.await.parse::<u64>().unwrap()
    };
    let before = written().await;
    create().await.unwrap();
    let copied = written().await - before;
    let size = value(db.pool(), "SELECT pg_database_size(current_database())::text").await;
    let limit = size.parse::<u64>().unwrap() / 2;
    // Before 15 there was no other way, and what is written then is small as well.
    assert!(copied < limit, "{copied} bytes of the log for {size} bytes");
}

#[test]
fn the_newest_five_templates_stay_and_those_in_use() {
    let server = Server::private().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let create = |number: u32| {
        let text = format!("CREATE TABLE t{number} (id int);");
        let migrations = folder(&[("1_t.sql", &text)]);
        let wish = TestDatabase::builder(migrations).server(&server).create();
        let before = databases(&server, "mt_");
        runtime.block_on(wish).unwrap();
        let mut after = databases(&server, "mt_");
        after.retain(|one| !before.contains(one));
        after.pop().unwrap()
    };
    let mut expected: Vec<String> = (0..7).map(create).collect();
    assert_eq!(databases(&server, "mt_"), expected, "all of them are in use");

    for (number, age) in [(6, 700), (5, 800), (4, 900), (3, 1000), (0, 1100), (1, 1200)] {
        let name = expected[number].split(' ').next().unwrap();
        run(&server, &used_before(name, age));
    }
    run(&server, "CREATE DATABASE mt_0123456789abcdef"); // a builder was killed here
    run(&server, "CREATE DATABASE mt_everest");
    let everest = databases(&server, "mt_everest");
    expected = [2, 4, 5, 6].map(|stays| expected[stays].clone()).into();
    expected.extend(everest);
    expected.push(create(7));
    assert_eq!(databases(&server, "mt_"), expected);
}

fn used_before(template: &str, seconds: u32) -> String {
    format!(
        "DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE {template} IS %L', \
         'last used at ' || extract(epoch FROM now())::bigint - {seconds}); END $$"
    )
}

// --- what is left ---------------------------------------------------------------------------

#[test]
fn what_a_killed_process_left_goes_when_the_next_one_comes() {
    let named = Named::new();
    let (mut killed, mut lives) = (named.start("sql"), named.start("sql"));
    let gone = killed.answer();
    let stays = lives.answer();
    killed.kill9();
    let mut next = named.start("sql");
    next.answer();
    soon("it is gone", || !named.databases("t_").iter().any(|one| one.starts_with(name(&gone))));
    assert_eq!(answer(&stays), Some(1), "its owner lives");
    lives.end();
    next.end();
}

#[test]
fn on_our_own_server_too() {
    let place = Place::new();
    let (mut killed, mut lives) = (place.process("sql"), place.process("sql"));
    let (gone, stays) = (killed.answer(), lives.answer());
    killed.kill9();
    let mut next = place.process("sql");
    next.answer();
    soon("it is gone", || answer(&gone).is_none());
    assert_eq!(answer(&stays), Some(1), "its owner lives");
    lives.end();
    next.end();
    place.assert_soon_empty();
}

#[test]
fn a_server_that_crashed_is_replaced_while_the_tests_run() {
    let place = Place::new();
    let mut process = place.process("loses its server");
    assert!(process.answer().starts_with("postgres:"));
    process.end();
    place.assert_soon_empty();
}

#[test]
fn many_leftovers_do_not_pile_up() {
    let named = Named::new();
    named.start("sql").answer();
    for number in 0..40 {
        run(&named.server, &format!("CREATE DATABASE {}", dead_name(&named, number)));
    }
    let mut next = named.start("sql");
    next.answer();
    soon("all are gone", || named.databases("t_").len() == 1);
    next.end();
}

/// The name of a database of this machine, of a process that has ended.
fn dead_name(named: &Named, number: u32) -> String {
    let some = named.databases("t_").remove(0);
    let machine = some.split('_').nth(1).unwrap().to_owned();
    format!("t_{machine}_1_1_1_{number}")
}

#[test]
fn somebody_elses_databases_are_not_touched() {
    let named = Named::new();
    let others = ["t_shirts", "t_1_2_3_4_5", "mt_everest", "mt_0123456789abcdef0"];
    for name in others {
        run(&named.server, &format!("CREATE DATABASE {name}"));
    }
    for _ in 0..2 {
        let mut process = named.start("sql");
        process.answer();
        process.kill9();
    }
    let mut last = named.start("sql");
    last.answer();
    soon("the leftovers are gone", || named.databases("t_").len() == 3);
    assert_eq!(named.databases("mt_").len(), 3);
    last.end();
}

// --- what is kept ---------------------------------------------------------------------------

/// The line on standard error of a process that ended.
fn said(command: &mut Command) -> (String, Vec<String>) {
    let log = TempDir::new().unwrap();
    let path = log.path().join("stderr");
    let mut process = Process::start(command.stderr(fs::File::create(&path).unwrap()));
    let url = process.answer();
    process.end();
    let text = fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| line.contains("psql"));
    (url, lines.map(ToOwned::to_owned).collect())
}

#[test]
fn the_database_of_a_test_that_panics_stays_and_its_output_says_how_to_look() {
    let place = Place::new();
    let (url, lines) = said(&mut place.command("panics", 0));
    assert_eq!(lines, [format!("the database of this test stays for 10 minutes: psql '{url}'")]);
    assert_eq!(answer(&url), Some(1), "the server stays, though nobody uses it");
    let mut next = place.process("panics");
    next.answer();
    std::thread::sleep(Duration::from_millis(300)); // time enough to do the wrong thing
    assert_eq!(answer(&url), Some(1), "the next process leaves it alone");
    next.end();

    let lingering = place.processes("migrate-pg-linger");
    assert_eq!(lingering.len(), 1, "one for all");
    lingering.into_iter().for_each(|pid| signal(pid, rustix::process::Signal::KILL));
    place.assert_soon_empty();
}

#[test]
fn a_kept_database_goes_after_ten_minutes_unless_somebody_looks_at_it() {
    let named = Named::new();
    let kept = [said(&mut named.command("panics")).0, said(&mut named.command("panics")).0];
    for url in &kept {
        let outdated = format!("COMMENT ON DATABASE {} IS 'kept at 1'", name(url));
        run(&named.server, &outdated);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let somebody: PgConnection =
        runtime.block_on(named.server.options(name(&kept[0])).connect()).unwrap();
    let mut next = named.start("drops");
    next.answer();
    let left = || named.databases("t_");
    soon("the other is gone", || !left().iter().any(|one| one.starts_with(name(&kept[1]))));
    std::thread::sleep(Duration::from_millis(500)); // time enough to do the wrong thing
    assert!(left().iter().any(|one| one.starts_with(name(&kept[0]))));
    drop(somebody);
    next.end();
}

#[test]
fn a_kept_database_is_shown_without_the_password() {
    let named = Named::new();
    let with_password = named.url().replace("postgres@", "postgres:secret@");
    let (url, lines) = said(named.command("panics").env("TEST_DATABASE_URL", &with_password));
    assert!(url.contains("secret"), "the test itself gets it: {url}");
    let shown = url.replace(":secret", "");
    assert_eq!(lines, [format!("the database of this test stays for 10 minutes: psql '{shown}'")]);
}

#[test]
fn whoever_runs_the_tests_decides_what_is_kept() {
    let named = Named::new();
    let (kept, lines) = said(named.command("drops").env("MIGRATE_KEEP", "1"));
    assert_eq!(lines.len(), 1);
    assert!(named.databases("t_")[0].starts_with(name(&kept)));
    let (_, lines) = said(named.command("panics").env("MIGRATE_KEEP", "0"));
    assert_eq!(lines, [""; 0]);
    let mut next = named.start("drops");
    next.answer();
    soon("all but the kept one are gone", || named.databases("t_").len() == 1);
    next.end();
}

// --- rights ---------------------------------------------------------------------------------

#[test]
fn the_right_to_create_databases_is_enough_and_its_lack_is_told() {
    let named = Named::new();
    run(&named.server, "CREATE ROLE tester LOGIN CREATEDB; CREATE ROLE nobody LOGIN;");
    let url = named.url().replace("postgres@", "tester@");
    for _ in 0..2 {
        let mut process = Process::start(named.command("sql").env("TEST_DATABASE_URL", &url));
        let answer = process.answer();
        assert!(answer.starts_with("postgres:"), "{answer}");
        process.kill9();
    }
    let url = named.url().replace("postgres@", "nobody@");
    let mut process = Process::start(named.command("sql").env("TEST_DATABASE_URL", &url));
    let answer = process.answer();
    assert!(answer.contains("permission denied to create database"), "{answer}");
    assert!(answer.contains("ALTER ROLE … CREATEDB"), "{answer}");
    process.end();
}

#[test]
fn an_ordinary_user_and_root_do_not_take_each_other_for_dead() {
    if !rustix::process::geteuid().is_root() {
        return; // nobody else can be started
    }
    let named = Named::new();
    let mut ours = named.start("sql");
    let stays = ours.answer();
    let program = named.place.path().join("program");
    copy_program(&std::env::current_exe().unwrap(), &program);
    let mut command = named.command_of(&program, "drops");
    let mut other = Process::start(command.uid(65534).gid(65534).current_dir("/"));
    assert!(other.answer().starts_with("postgres:"));
    other.end();
    assert_eq!(answer(&stays), Some(1));
    ours.end();
}
