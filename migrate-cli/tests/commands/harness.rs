//! A project with a folder and a database, and programs that are run in it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use migrate_testing::Server;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection};
use tempfile::TempDir;

/// No output of any program may hold it.
pub const PASSWORD: &str = "s3cr3t-Pa55word";

pub const USERS: (&str, &str) =
    ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, name text);\n");
pub const USERS_DOWN: (&str, &str) = ("1_users.down.sql", "DROP TABLE users;\n");
pub const AGE: (&str, &str) = ("2_age.sql", "ALTER TABLE users ADD COLUMN age int;\n");
pub const AGE_DOWN: (&str, &str) = ("2_age.down.sql", "ALTER TABLE users DROP COLUMN age;\n");
pub const DROP_NAME: (&str, &str) =
    ("3_drop_name.contract.sql", "ALTER TABLE users DROP COLUMN name;\n");

/// With evidence that a test does not have: it has no application, and its own sessions are all there are.
pub const ALONE: [&str; 4] = ["--waive", "fleet=it is a test", "--waive", "strangers=it is a test"];

/// A folder of a project, with its migrations in `migrations`.
pub struct Project {
    folder: TempDir,
}

impl Project {
    pub fn empty() -> Self {
        Self { folder: TempDir::new().expect("a folder") }
    }

    pub fn of(migrations: &[(&str, &str)]) -> Self {
        let project = Self::empty();
        migrations.iter().for_each(|(name, text)| project.migration(name, text));
        project
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    pub fn migration(&self, name: &str, text: &str) {
        self.write(&format!("migrations/{name}"), text);
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).expect(name)
    }

    pub fn remove(&self, migration: &str) {
        std::fs::remove_file(self.path().join("migrations").join(migration)).expect(migration);
    }

    /// The names below a folder, in order.
    pub fn files(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path().join(folder)).expect(folder);
        let names = entries.flatten().map(|e| e.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    /// An example of this package, as a user in the project's folder would start it.
    pub fn command(&self, program: &str, words: &[&str]) -> Command {
        let mut command = Command::new(example(program));
        command.args(words).current_dir(self.path()).stdin(Stdio::null());
        for variable in
            ["DATABASE_URL", "MIGRATE_DIRECT_URL", "CARGO_MANIFEST_DIR", "PGPASSWORD", "PGSSLMODE"]
        {
            command.env_remove(variable);
        }
        command
    }

    /// The commands for the folder, without a database.
    pub fn run(&self, words: &[&str]) -> Outcome {
        Outcome::of(&mut self.command("folder", words))
    }

    /// The commands for the folder.
    pub fn on(&self, database: &Database, words: &[&str]) -> Outcome {
        Outcome::of(self.command("folder", words).env("DATABASE_URL", database.url()))
    }

    /// The commands for the folder, going on while the test does.
    pub fn start(&self, database: &Database, words: &[&str]) -> Child {
        let mut command = self.command("folder", words);
        command.env("DATABASE_URL", database.url()).stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().expect("a process")
    }
}

/// Built by `cargo test`; `cargo test --test commands` would run what an earlier build left.
fn example(name: &str) -> PathBuf {
    let mut path = std::env::current_exe().expect("this program");
    path.pop();
    path.pop();
    let path = path.join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let stale = stale_sources(&path);
    assert!(
        stale.is_empty(),
        "{} is older than {stale:?}: `cargo build --package migrate-cli --examples` first",
        path.display()
    );
    path
}

/// What has changed since a program was built, of all that cargo says it was built from.
fn stale_sources(program: &Path) -> Vec<String> {
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    let dependencies = std::fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = dependencies.split_once(": ").map_or("", |(_, sources)| sources.trim());
    let sources = sources.replace("\\ ", "\0");
    let sources = sources.split(' ').map(|source| source.replace('\0', " "));
    let built = changed(program);
    sources.filter(|source| built.is_none() || changed(Path::new(source)) > built).collect()
}

/// What a program said and how it ended.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Outcome {
    /// Runs it. Whatever it says in a pipe is plain and holds no password.
    pub fn of(command: &mut Command) -> Self {
        let output = command.output().expect("a process");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        let (stdout, stderr) = (text(output.stdout), text(output.stderr));
        let outcome = Self { code: output.status.code().expect("an exit code"), stdout, stderr };
        for said in [&outcome.stdout, &outcome.stderr] {
            assert!(!said.contains('\x1b'), "an escape code: {outcome:#?}");
            assert!(!said.contains('\r'), "a bar in a pipe: {outcome:#?}");
            assert!(!said.contains(PASSWORD), "the password: {outcome:#?}");
            assert!(!said.contains("panicked"), "{outcome:#?}");
        }
        outcome
    }

    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        self
    }

    #[track_caller]
    pub fn says(self, words: &str) -> Self {
        assert!(self.stdout.contains(words), "no {words:?} on stdout: {self:#?}");
        self
    }

    #[track_caller]
    pub fn complains(self, words: &str) -> Self {
        assert!(self.stderr.contains(words), "no {words:?} on stderr: {self:#?}");
        self
    }

    /// The one JSON object on stdout.
    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }
}

/// An empty database of its own; dropped with the value.
pub struct Database {
    server: Server,
    name: String,
}

impl Database {
    pub fn fresh() -> Self {
        Self::on(Server::shared().expect("a server"))
    }

    pub fn on(server: Server) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("cli{}_{number}", std::process::id());
        execute(&server, "postgres", &format!("CREATE DATABASE {name}"));
        Self { server, name }
    }

    pub fn url(&self) -> String {
        self.server.url(&self.name)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn execute(&self, sql: &str) {
        execute(&self.server, &self.name, sql);
    }

    /// The one value that a query gives, as text.
    pub fn value(&self, sql: &str) -> String {
        let sql = format!("SELECT ({sql})::text");
        block_on(async {
            let mut connection = connect(&self.server, &self.name).await;
            let value: Option<String> = sqlx::query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut connection)
                .await
                .expect("a value");
            connection.close().await.expect("closed");
            value.unwrap_or_else(|| "NULL".to_owned())
        })
    }

    pub fn has_table(&self, name: &str) -> bool {
        self.value(&format!("to_regclass('{name}') IS NOT NULL")) == "true"
    }

    /// Waits until a query is true.
    pub fn wait_until(&self, sql: &str) {
        for _ in 0..2_000 {
            if self.value(sql) == "true" {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("it never came to be: {sql}");
    }

    /// Holds what a transaction locks, until the value is dropped.
    pub fn hold(&self, sql: &str) -> Held {
        let runtime = runtime();
        let connection = runtime.block_on(async {
            let mut connection = connect(&self.server, &self.name).await;
            let sql = format!("BEGIN; {sql}");
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.expect("a lock");
            connection
        });
        Held { _connection: connection, _runtime: runtime }
    }
}

/// A transaction that stays open.
pub struct Held {
    _connection: PgConnection,
    _runtime: tokio::runtime::Runtime,
}

impl Drop for Database {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            execute(&self.server, "postgres", &format!("DROP DATABASE {} WITH (FORCE)", self.name));
        }
    }
}

pub fn execute(server: &Server, database: &str, sql: &str) {
    block_on(async {
        let mut connection = connect(server, database).await;
        connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.expect(sql);
        connection.close().await.expect("closed");
    });
}

async fn connect(server: &Server, database: &str) -> PgConnection {
    server.options(database).connect().await.expect("a connection")
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

pub fn block_on<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// The sessions of a database that are in the middle of `pg_sleep`, to stand behind a SELECT.
pub fn sleeping() -> &'static str {
    "FROM pg_stat_activity WHERE datname = current_database() AND query ~ 'pg_sleep' \
     AND state = 'active' AND pid <> pg_backend_pid()"
}
