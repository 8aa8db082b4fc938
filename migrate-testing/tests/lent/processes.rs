//! Processes that borrow, and a place for what they borrow.
//!
//! Who uses a shared server is a process, so most tests start processes: this test binary again, told to
//! run [`a_process_of_its_own`]. Each test keeps its servers in a directory of its own, so that it
//! neither meets nor disturbs others.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use migrate_testing::Server;
use rustix::process::{Pid, Signal, kill_process};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{ConnectOptions, Connection, Postgres};
use tempfile::TempDir;

/// Not a test: what the other tests run in processes of their own.
#[test]
#[ignore = "the other tests run this in processes of their own"]
fn a_process_of_its_own() {
    let answer = match std::env::var("ROLE").as_deref() {
        Ok("shared") => server(Server::shared()),
        Ok("private") => server(Server::private().map(|private| {
            let server = Server::clone(&private);
            std::mem::forget(private); // ends with the process, not with this scope
            server
        })),
        Ok(role) => crate::databases::play(role),
        Err(_) => return, // somebody runs the ignored tests
    };
    println!("\nanswer: {}", answer.replace('\n', "\\n"));
    let _ = std::io::stdin().read_to_end(&mut Vec::new()); // until the parent lets go, or dies
    std::process::exit(0); // and no further output
}

fn server(server: Result<Server, migrate_testing::ServerError>) -> String {
    match server {
        Ok(server) => {
            assert_eq!(answer(&server.url("postgres")), Some(1));
            format!("own={} {}", server.is_own(), server.url("postgres"))
        }
        Err(error) => format!("error {error}"),
    }
}

/// Copies a program. Another process does: as long as a file is open for writing in this one, or in a child that another
/// test is just making, nobody can run it.
pub fn copy_program(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-p").arg(from).arg(to).status().unwrap().success());
}

pub struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    pub fn start(command: &mut Command) -> Process {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        Process { child, stdout }
    }

    pub fn answer(&mut self) -> String {
        let mut line = String::new();
        loop {
            line.clear();
            assert_ne!(self.stdout.read_line(&mut line).unwrap(), 0, "the process died");
            if let Some(answer) = line.trim().strip_prefix("answer: ") {
                return answer.replace("\\n", "\n");
            }
        }
    }

    pub fn url(&mut self) -> String {
        let answer = self.answer();
        answer.strip_prefix("own=true ").unwrap_or_else(|| panic!("{answer}")).to_owned()
    }

    /// Lets it end by itself and returns when nobody has its standard output open any more.
    pub fn end(mut self) {
        drop(self.child.stdin.take());
        let mut rest = String::new();
        self.stdout.read_to_string(&mut rest).unwrap();
        assert!(self.child.wait().unwrap().success(), "{rest}");
    }

    pub fn kill9(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

// --- the place ------------------------------------------------------------------------------

/// A directory for the servers of one test, and the processes that use them.
pub struct Place {
    dir: TempDir,
}

impl Place {
    pub fn new() -> Place {
        let memory = Path::new("/dev/shm");
        let base = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let dir = TempDir::with_prefix_in("mt-", base).unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        Place { dir }
    }

    pub fn path(&self) -> &Path {
        self.dir.path()
    }

    pub fn command(&self, role: &str, idle: u32) -> Command {
        self.command_of(&std::env::current_exe().unwrap(), role, idle)
    }

    pub fn command_of(&self, program: &Path, role: &str, idle: u32) -> Command {
        let mut command = Command::new(program);
        command.args(["--exact", "processes::a_process_of_its_own", "--ignored", "--nocapture"]);
        command.env("ROLE", role).env("MIGRATE_PG_DIR", self.path());
        command.env("MIGRATE_PG_IDLE", idle.to_string());
        command.env_remove("TEST_DATABASE_URL").env_remove("MIGRATE_PG");
        command
    }

    pub fn process(&self, role: &str) -> Process {
        Process::start(&mut self.command(role, 0))
    }

    pub fn shared(&self, idle: u32) -> Process {
        Process::start(&mut self.command("shared", idle))
    }

    /// The directories of servers.
    pub fn instances(&self) -> Vec<PathBuf> {
        let homes = fs::read_dir(self.path()).unwrap().map(|home| home.unwrap().path());
        homes
            .filter(|home| home.file_name().unwrap().to_str().unwrap().starts_with("migrate-pg-"))
            .flat_map(|home| fs::read_dir(home).unwrap().map(|one| one.unwrap().path()))
            .filter(|path| path.is_dir() && !path.to_str().unwrap().contains("/cluster-"))
            .collect()
    }

    /// The server in `dir`: the first line of its postmaster.pid.
    pub fn postmaster(dir: &Path) -> i32 {
        let text = fs::read_to_string(dir.join("data/postmaster.pid")).unwrap();
        text.lines().next().unwrap().parse().unwrap()
    }

    /// Processes that have this place in their command line: servers and watchdogs.
    pub fn processes(&self, word: &str) -> Vec<i32> {
        let place = self.path().to_str().unwrap();
        let listing = Command::new("ps").args(["-A", "-o", "pid=,args="]).output().unwrap();
        let listing = String::from_utf8(listing.stdout).unwrap();
        let mut lines: Vec<&str> = Vec::new();
        // A script in a command line spans many lines; the directory is on the last of them.
        let mut pid = None;
        let mut pids = Vec::new();
        for line in listing.lines() {
            let first = line.trim_start().split(' ').next().unwrap_or_default();
            if let Ok(number) = first.parse::<i32>() {
                pid = Some(number);
                lines.clear();
            }
            lines.push(line);
            if line.contains(place) && lines.iter().any(|line| line.contains(word)) {
                pids.extend(pid);
            }
        }
        pids.dedup();
        pids
    }

    pub fn assert_soon_empty(&self) {
        soon("the servers' directories are gone", || self.instances().is_empty());
        soon("the servers are gone", || self.processes("-D").is_empty());
        soon("the watchdogs are gone", || self.processes("migrate-pg-watchdog").is_empty());
    }
}

pub fn soon(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "not so in 30 seconds: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub fn signal(pid: i32, what: Signal) {
    kill_process(Pid::from_raw(pid).unwrap(), what).unwrap();
}

/// What `select 1` says there, if anybody answers.
pub fn answer(url: &str) -> Option<i32> {
    answer_of(&url.parse().unwrap())
}

pub fn answer_of(options: &PgConnectOptions) -> Option<i32> {
    ask(options, "select 1", Duration::from_secs(10))
}

/// The single value that a query returns, if anybody answers.
pub fn ask<T>(options: &PgConnectOptions, query: &str, patience: Duration) -> Option<T>
where
    T: for<'r> sqlx::Decode<'r, Postgres> + sqlx::Type<Postgres> + Send + Unpin,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let connecting = tokio::time::timeout(patience, options.connect()).await;
        let mut connection: PgConnection = connecting.ok()?.ok()?;
        let query = sqlx::query_scalar(sqlx::AssertSqlSafe(query));
        let value = query.fetch_one(&mut connection).await.ok()?;
        connection.close().await.ok()?;
        Some(value)
    })
}

/// The directory of the server that a URL names.
pub fn socket_dir(url: &str) -> PathBuf {
    let (_, dir) = url.split_once("host=").unwrap();
    PathBuf::from(dir.split('&').next().unwrap().replace("%2F", "/"))
}
