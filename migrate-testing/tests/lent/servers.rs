//! Servers as tests meet them: lent to many processes, killed, orphaned, restarted, and gone.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Duration;

use migrate_testing::{Server, ServerError};
use rustix::process::Signal;
use sqlx::{ConnectOptions, Connection};

use crate::processes::{
    Place, Process, answer, answer_of, ask, copy_program, signal, socket_dir, soon,
};

const NOBODY: u32 = 65534;

fn am_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// The installed programs, but for an `initdb` that leaves a trace of each call.
struct CountedInitdb {
    bin: PathBuf,
    calls: PathBuf,
}

impl CountedInitdb {
    fn new(place: &Place) -> CountedInitdb {
        let bin = place.path().join("bin");
        let calls = place.path().join("calls");
        let real = Server::private().unwrap().bin("initdb").unwrap();
        fs::create_dir(&bin).unwrap();
        fs::write(&calls, "").unwrap();
        fs::set_permissions(&calls, fs::Permissions::from_mode(0o666)).unwrap();
        let script = format!(
            "#!/bin/sh\necho called >>{}\nexec {} \"$@\"\n",
            calls.display(),
            real.display()
        );
        let text = place.path().join("initdb.sh");
        fs::write(&text, script).unwrap();
        fs::set_permissions(&text, fs::Permissions::from_mode(0o755)).unwrap();
        copy_program(&text, &bin.join("initdb"));
        std::os::unix::fs::symlink(real.with_file_name("postgres"), bin.join("postgres")).unwrap();
        CountedInitdb { bin, calls }
    }

    fn calls(&self) -> usize {
        fs::read_to_string(&self.calls).unwrap().lines().count()
    }
}

// --- shared servers -------------------------------------------------------------------------

#[test]
fn eight_processes_at_once_get_one_server_from_one_initdb() {
    let place = Place::new();
    let initdb = CountedInitdb::new(&place);
    let start = |_| Process::start(place.command("shared", 0).env("MIGRATE_PG_BIN", &initdb.bin));
    let mut processes: Vec<Process> = (0..8).map(start).collect();
    let mut urls: Vec<String> = processes.iter_mut().map(Process::url).collect();
    urls.dedup();
    assert_eq!(urls.len(), 1, "{urls:?}");
    assert_eq!(place.instances().len(), 1);
    assert_eq!(initdb.calls(), 1);

    processes.into_iter().for_each(Process::end);
    place.assert_soon_empty();
}

#[test]
fn private_servers_at_once_are_made_by_one_initdb() {
    let place = Place::new();
    let initdb = CountedInitdb::new(&place);
    let start = |_| Process::start(place.command("private", 0).env("MIGRATE_PG_BIN", &initdb.bin));
    let mut processes: Vec<Process> = (0..4).map(start).collect();
    let mut urls: Vec<String> = processes.iter_mut().map(Process::url).collect();
    urls.sort();
    urls.dedup();
    assert_eq!(urls.len(), 4, "{urls:?}");
    assert_eq!(initdb.calls(), 1);
    processes.into_iter().for_each(Process::kill9);
    place.assert_soon_empty();
}

#[test]
fn a_server_stays_while_one_user_is_left_and_goes_with_the_last_even_by_kill_9() {
    let place = Place::new();
    let (mut first, mut second) = (place.shared(0), place.shared(0));
    let url = first.url();
    assert_eq!(second.url(), url);
    first.kill9();
    thread::sleep(Duration::from_millis(300)); // time enough to do the wrong thing
    assert_eq!(answer(&url), Some(1), "one user is left");

    let mut third = place.shared(0);
    assert_eq!(third.url(), url);
    third.kill9();
    second.kill9();
    place.assert_soon_empty();
    assert_eq!(answer(&url), None);
}

#[test]
fn an_idle_server_waits_for_the_next_user_and_holds_no_pipe_open() {
    let place = Place::new();
    let mut first = place.shared(3);
    let url = first.url();
    first.end(); // waits for the end of its output, which a server must not hold
    assert_eq!(answer(&url), Some(1), "the server is idle, not gone");

    let mut second = place.shared(3);
    assert_eq!(second.url(), url);
    second.end();
    place.assert_soon_empty();
}

#[test]
fn who_comes_while_the_server_is_ending_gets_another() {
    let place = Place::new();
    thread::scope(|scope| {
        for role in ["shared", "shared", "shared", "private"] {
            let place = &place;
            scope.spawn(move || {
                for _ in 0..8 {
                    let mut process = Process::start(&mut place.command(role, 0));
                    process.url(); // it has asked the server something
                    process.kill9();
                }
            });
        }
    });
    place.assert_soon_empty();
}

#[test]
fn a_crashed_server_is_replaced() {
    let place = Place::new();
    let mut first = place.shared(0);
    let url = first.url();
    let crashed = place.instances().remove(0);
    signal(Place::postmaster(&crashed), Signal::KILL);
    let mut second = place.shared(0);
    assert_ne!(second.url(), url);

    first.end();
    soon("the crashed server's directory is gone", || !crashed.exists());
    second.end();
    place.assert_soon_empty();
}

#[test]
fn a_killed_watchdog_is_replaced() {
    let place = Place::new();
    let mut first = place.shared(0);
    let url = first.url();
    for pid in place.processes("migrate-pg-watchdog") {
        signal(pid, Signal::KILL);
    }
    let mut second = place.shared(0);
    assert_eq!(second.url(), url, "the server itself is fine");
    second.end();
    thread::sleep(Duration::from_millis(100));
    assert_eq!(answer(&url), Some(1), "the first user is still there");
    first.end();
    place.assert_soon_empty();
}

#[test]
fn an_ordinary_user_gets_a_server_too() {
    if !am_root() {
        return; // then all the other tests show it
    }
    let place = Place::new();
    let program = place.path().join("program"); // the target directory may be root's alone
    copy_program(&std::env::current_exe().unwrap(), &program);
    let mut command = place.command_of(&program, "shared", 0);
    command.uid(NOBODY).gid(NOBODY).current_dir("/");
    let mut process = Process::start(&mut command);
    process.url();
    let instance = place.instances().remove(0);
    assert_eq!(instance.join("data").metadata().unwrap().uid(), NOBODY);
    process.end();
    place.assert_soon_empty();
}

#[test]
fn root_lends_the_server_another_user() {
    if !am_root() {
        return;
    }
    let place = Place::new();
    let mut process = place.shared(0);
    process.url();
    let owner = place.instances().remove(0).metadata().unwrap().uid();
    assert_ne!(owner, 0);
    process.end();
    place.assert_soon_empty();
}

#[test]
fn a_home_of_somebody_else_is_not_used() {
    if !am_root() {
        return; // only root can make somebody else's directory
    }
    let place = Place::new();
    let usual = socket_dir(&Server::private().unwrap().url("x"));
    let home = place.path().join(usual.parent().unwrap().file_name().unwrap());
    fs::create_dir(&home).unwrap();
    fs::set_permissions(&home, fs::Permissions::from_mode(0o700)).unwrap();
    std::os::unix::fs::chown(&home, Some(1), Some(1)).unwrap();
    let mut process = place.shared(0);
    let answer = process.answer();
    assert!(answer.contains("is not a directory for"), "{answer}");
    process.end();
}

#[test]
fn other_settings_are_another_server() {
    let server = Server::shared().unwrap();
    if !server.is_own() {
        return; // TEST_DATABASE_URL is set
    }
    let again = Server::shared().unwrap();
    assert_eq!(again.url("x"), server.url("x"));
    let other = Server::builder().setting("work_mem", "1MB").shared().unwrap();
    assert_ne!(other.url("x"), server.url("x"));
}

// --- what the environment asks for ------------------------------------------------------------

#[test]
fn a_server_that_the_user_names_is_used_as_it_is() {
    let place = Place::new();
    let named = Server::builder().listen_tcp().private().unwrap();
    let url = format!("postgres://postgres@{}/postgres", named.tcp_address().unwrap());
    let mut process = Process::start(place.command("shared", 0).env("TEST_DATABASE_URL", &url));
    assert_eq!(process.answer(), format!("own=false {url}"));
    process.end();
    assert_eq!(place.instances(), [] as [PathBuf; 0]);

    let given = Server::from_url(&url).unwrap();
    assert_eq!(given.version(), named.version());
    assert!(!given.is_own());
    assert_eq!(answer_of(&given.options("template1")), Some(1));
}

#[test]
fn a_development_database_is_never_taken_by_accident() {
    let place = Place::new();
    let url = "postgres://nobody@127.0.0.1:1/development";
    let mut process = Process::start(place.command("shared", 0).env("DATABASE_URL", url));
    process.url();
    process.end();
    place.assert_soon_empty();
}

#[test]
fn forbid_means_that_nothing_is_started() {
    let place = Place::new();
    let mut process = Process::start(place.command("shared", 0).env("MIGRATE_PG", "forbid"));
    assert_eq!(
        process.answer(),
        "error starting a server is forbidden by MIGRATE_PG=forbid. Name a server that tests may \
         use in TEST_DATABASE_URL, or unset MIGRATE_PG."
    );
    process.end();
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}

// --- private servers ------------------------------------------------------------------------

#[test]
fn a_private_server_goes_when_its_process_is_killed() {
    let place = Place::new();
    let mut process = Process::start(&mut place.command("private", 100));
    let url = process.url();
    process.kill9();
    place.assert_soon_empty();
    assert_eq!(answer(&url), None);
}

#[test]
fn a_private_server_survives_what_is_done_to_it_and_goes_when_dropped() {
    let server = Server::private().unwrap();
    let (url, first) = (server.url("postgres"), server.pid().unwrap());
    assert_eq!(answer(&url), Some(1));

    server.kill9();
    assert_eq!((answer(&url), server.pid()), (None, None));
    server.restart().unwrap();
    assert_eq!(answer(&url), Some(1));
    assert_ne!(server.pid(), Some(first));

    server.sigstop();
    let soon_answered: Option<i32> =
        ask(&server.options("postgres"), "select 1", Duration::from_millis(300));
    assert_eq!(soon_answered, None, "a frozen server accepts nobody");
    server.sigcont();
    soon("it answers again", || answer(&url) == Some(1));

    server.stop_immediate();
    assert_eq!(answer(&url), None);
    server.restart().unwrap();
    assert_eq!(answer(&url), Some(1));

    server.sigstop(); // even a frozen one can be dropped
    let socket_dir = socket_dir(&url);
    assert!(socket_dir.is_dir());
    drop(server);
    assert!(!socket_dir.exists());
}

#[test]
fn a_killed_private_server_leaves_no_shared_memory_behind() {
    let server = Server::private().unwrap();
    let pidfile = socket_dir(&server.url("x")).join("data/postmaster.pid");
    let text = fs::read_to_string(pidfile).unwrap();
    let segment = text.lines().nth(6).unwrap().split_whitespace().last().unwrap().to_owned();
    let listing = || fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
    let exists =
        || listing().lines().any(|line| line.split_whitespace().nth(1) == Some(segment.as_str()));
    if listing().is_empty() || server.bin("ipcrm").is_none() {
        return; // nothing to see, or nothing to remove it with
    }
    assert!(exists());
    server.kill9();
    drop(server);
    soon("the segment is gone", || !exists());
}

#[test]
fn settings_reach_the_server_and_wrong_ones_are_told_with_the_log() {
    let server = Server::builder().setting("max_locks_per_transaction", "10").private().unwrap();
    let show = |name: &str| {
        let options = server.options("postgres");
        ask::<String>(&options, &format!("show {name}"), Duration::from_secs(10)).unwrap()
    };
    assert_eq!(show("max_locks_per_transaction"), "10");
    assert_eq!(show("fsync"), "off");
    assert_eq!(show("listen_addresses"), "");
    assert_eq!(show("server_version_num"), server.version().to_string());
    assert_eq!(server.tcp_address(), None);

    let error = Server::builder().setting("work_mem", "much").private().unwrap_err();
    assert!(matches!(&error, ServerError::Start { .. }), "{error}");
    assert_eq!(format!("{error:?}"), error.to_string(), "for those who unwrap");
    assert!(error.to_string().contains("invalid value for parameter \"work_mem\""), "{error}");
}

#[test]
fn tcp_is_there_when_asked_for_and_keeps_its_port() {
    let server = Server::builder().listen_tcp().private().unwrap();
    let url = format!("postgres://postgres@{}/postgres", server.tcp_address().unwrap());
    assert_eq!(answer(&url), Some(1));
    assert_eq!(answer(&server.url("postgres")), Some(1), "the socket is there as well");
    server.kill9();
    server.restart().unwrap();
    assert_eq!(answer(&url), Some(1));
}

#[test]
fn odd_names_of_databases_survive_the_url() {
    let server = Server::private().unwrap();
    let name = "o'dd/n\u{e4}me?&x=1 %";
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut connection = server.options("postgres").connect().await.unwrap();
        let create = sqlx::AssertSqlSafe(format!("create database \"{name}\""));
        sqlx::query(create).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    });
    assert_eq!(answer(&server.url(name)), Some(1));
    let Some(psql) = server.bin("psql") else {
        return;
    }; // some installations are servers only
    let mut psql = Command::new(psql);
    let output = psql.args(["-AtXc", "select current_database()"]).arg(server.url(name)).output();
    assert_eq!(String::from_utf8(output.unwrap().stdout).unwrap().trim(), name);
}

#[test]
fn a_damaged_cache_is_made_anew() {
    let place = Place::new();
    Process::start(&mut place.command("private", 0)).url();
    let home = fs::read_dir(place.path()).unwrap().next().unwrap().unwrap().path();
    let mut entries = fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().path());
    let cluster = entries.find(|path| path.to_str().unwrap().contains("/cluster-"));
    let lost = cluster.unwrap().join("data/global/pg_control");
    fs::remove_file(&lost).unwrap();
    let mut process = Process::start(&mut place.command("private", 0));
    process.url();
    assert!(lost.exists());
    process.end();
    place.assert_soon_empty();
}
