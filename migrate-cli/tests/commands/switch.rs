//! A real application changes its migrator, forth and back: real programs, one folder, one database.
//!
//! It stands in `tests/switch`, in the form before and the one after; its first migrations are those of a package. Cargo compiles what it depends on once, into
//! a folder of its own below the target folder.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use migrate_core::adoption::lock_key;

use crate::harness::{Database, Outcome, Project};

const FORM: [&str; 3] = ["Cargo.toml", "build.rs", "src/main.rs"];

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("tests").join("switch")
}

/// The application on somebody's disk, as it is edited and compiled.
struct App {
    root: PathBuf,
    folder: String,
}

/// A build of it, which stays when the next one is made.
struct Build {
    program: PathBuf,
    /// What the compiler had to say.
    warned: String,
}

impl App {
    fn new() -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("switch").join("app");
        let _ = std::fs::remove_dir_all(&root);
        std::fs::create_dir_all(root.join("src")).unwrap();
        let folder = root.join("migrations").display().to_string();
        let app = Self { root, folder };
        app.gets(&migrate_real::folder_of("sqlxmq").unwrap(), "");
        app
    }

    /// Migrations of a folder that have this in their names.
    fn gets(&self, from: &Path, name: &str) {
        std::fs::create_dir_all(&self.folder).unwrap();
        for entry in std::fs::read_dir(from).unwrap().flatten() {
            if entry.file_name().to_string_lossy().contains(name) {
                std::fs::copy(entry.path(), Path::new(&self.folder).join(entry.file_name()))
                    .unwrap();
            }
        }
    }

    /// The application in one of its forms, with the folder as it is now.
    fn build(&self, form: &str, name: &str) -> Build {
        let library = Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("migrate-postgres");
        for file in FORM {
            let text = std::fs::read_to_string(fixture().join(form).join(file)).unwrap();
            let text = text.replace("../../../migrate-postgres", &library.display().to_string());
            std::fs::write(self.root.join(file), text).unwrap();
        }
        // It holds more than one of the forms needs, and cargo takes that away.
        std::fs::copy(fixture().join("Cargo.lock"), self.root.join("Cargo.lock")).unwrap();
        let target = self.root.with_file_name("target");
        let cargo = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--color=never"])
            .current_dir(&self.root)
            .env("CARGO_TARGET_DIR", &target)
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_INCREMENTAL", "0")
            .output()
            .unwrap();
        let warned = String::from_utf8_lossy(&cargo.stderr).into_owned();
        assert!(cargo.status.success(), "{form}: {warned}");
        let program = self.root.join(format!("{form}-{name}"));
        std::fs::copy(target.join("debug").join("queue"), &program).unwrap();
        Build { program, warned }
    }
}

impl Build {
    fn command(&self, database: &Database, jobs: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(jobs).env("DATABASE_URL", database.url()).stdin(Stdio::null());
        command
    }

    /// Starts, sends the jobs, and lists those that wait.
    #[track_caller]
    fn starts(&self, database: &Database, jobs: &[&str]) -> Vec<String> {
        let outcome = Outcome::of(&mut self.command(database, jobs)).ends(0);
        outcome.stdout.lines().map(ToOwned::to_owned).collect()
    }

    #[track_caller]
    fn refuses(&self, database: &Database, words: &str) {
        Outcome::of(&mut self.command(database, &["lost"])).ends(1).complains(words);
    }
}

/// Lines that one has and the other has not.
fn differing(before: &str, after: &str) -> usize {
    let missing = |of: &str, from: &str| {
        let lines: Vec<&str> = from.lines().collect();
        of.lines().filter(|line| !lines.contains(line)).count()
    };
    missing(before, after) + missing(after, before)
}

#[test]
fn the_switch_is_a_diff_of_under_ten_lines() {
    let read =
        |form: &str, file: &str| std::fs::read_to_string(fixture().join(form).join(file)).unwrap();
    let lines: usize =
        FORM.iter().map(|file| differing(&read("before", file), &read("after", file))).sum();
    assert!((2..10).contains(&lines), "{lines} lines");
    let files = |form| std::fs::read_dir(fixture().join(form)).unwrap().count();
    assert_eq!((files("before"), files("after")), (FORM.len(), FORM.len()));
}

/// Columns, indexes, constraints, functions and comments, without the tables of either migrator.
const CATALOG: &str = "SELECT string_agg(thing, chr(10) ORDER BY thing) FROM ( \
    SELECT concat_ws(' ', c.relname, c.relkind, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, \
        pg_get_expr(d.adbin, d.adrelid)) AS thing \
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
    LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum \
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ '^(_sqlx|schema)_migrations' \
    UNION ALL SELECT pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid \
    WHERE c.relnamespace = 'public'::regnamespace AND c.relname !~ '^(_sqlx|schema)_migrations' \
    UNION ALL SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint \
    WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text !~ '^(_sqlx|schema)_migrations' \
    UNION ALL SELECT concat_ws(' ', oid::regprocedure, md5(prosrc), obj_description(oid, 'pg_proc')) FROM pg_proc \
    WHERE pronamespace = 'public'::regnamespace AND proname !~ '^(schema_migrations|migrate_mirror)') things";

const OURS: &str = "SELECT string_agg(DISTINCT version::text, ' ' ORDER BY version::text) FROM schema_migrations WHERE state = 'done'";
const THEIRS: &str =
    "SELECT string_agg(version::text, ' ' ORDER BY version::text) FROM _sqlx_migrations";

/// An index of the queue calls a function of this extension, and since PostgreSQL 17 indexes are built with
/// nothing but `pg_catalog` in the search path.
fn for_the_queue() -> Database {
    let database = Database::fresh();
    database.execute("CREATE EXTENSION \"uuid-ossp\" SCHEMA pg_catalog");
    database
}

#[test]
fn a_real_application_goes_forth_and_back_and_nothing_is_lost() {
    let (app, project, database) = (App::new(), Project::empty(), for_the_queue());
    let adopt = |words: &[&str]| {
        let words = [&["adopt", "--folder", &app.folder], words].concat();
        project.on(&database, &words)
    };
    let first = app.build("before", "first");
    the_lock_is_the_one_of_sqlx(&first, &database);
    assert_eq!(first.starts(&database, &["a"]), ["a"]);

    app.gets(&fixture().join("later"), "priority.");
    let switched = app.build("after", "switched");
    switched.refuses(&database, "applied by sqlx already");
    adopt(&["--mirror"])
        .ends(0)
        .says("verified  5 files: byte for byte")
        .says("pending   20261101090000");
    assert_eq!(switched.starts(&database, &["b"]), ["a", "b"]);

    let back = app.build("before", "back");
    assert_eq!(back.starts(&database, &["c"]), ["a", "b", "c"], "nothing is pending for it");
    app.gets(&fixture().join("later"), "workers.");
    app.build("before", "further").starts(&database, &[]);

    let again = app.build("after", "again");
    assert_eq!(again.warned, "", "of the past nothing is said");
    again.refuses(&database, "20261102090000 expand was applied by sqlx already");
    adopt(&[])
        .ends(0)
        .says("verified  1 file")
        .says("adopted   1 row into the history; 6 rows known");
    assert_eq!(again.starts(&database, &["d"]), ["a", "b", "c", "d"]);
    app.gets(&fixture().join("later"), "priority_index.");
    app.build("after", "last").starts(&database, &[]);
    app.build("before", "last").starts(&database, &[]);

    assert_eq!(database.value(OURS), database.value(THEIRS));
    adopt(&[]).ends(0).says("adopted   nothing new; 8 rows known before");
    let fresh = for_the_queue();
    project.on(&fresh, &["run", "--folder", &app.folder]).ends(0).says("8 migrations applied");
    assert_eq!(database.value(CATALOG), fresh.value(CATALOG));
    assert_eq!(
        database.value("SELECT string_agg(name, ' ') FROM workers"),
        "first",
        "applied once"
    );
    an_older_build_wants_the_newer_rows_gone(&first, &database, &adopt);
}

/// Of sqlx, not of the mirror: it would say the same if sqlx had applied them.
fn an_older_build_wants_the_newer_rows_gone(
    first: &Build,
    database: &Database,
    adopt: &impl Fn(&[&str]) -> Outcome,
) {
    first.refuses(database, "VersionMissing(20261101090000)");
    adopt(&["--stop-mirror"]).ends(0);
    database.execute("DELETE FROM _sqlx_migrations WHERE version > 20261100000000");
    assert_eq!(first.starts(database, &["e"]).len(), 5);
    adopt(&["--mirror"]).ends(4).complains("workers: is applied here, and sqlx's table does not");
}

/// Its own migrator waits for the lock that we say is its.
fn the_lock_is_the_one_of_sqlx(build: &Build, database: &Database) {
    let key = lock_key(database.name());
    let held = database.hold(&format!("SELECT pg_advisory_lock({key})"));
    let mut started = build.command(database, &[]).stdout(Stdio::null()).spawn().unwrap();
    let waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted";
    database.wait_until(&format!("EXISTS ({waiting})"));
    assert!(!database.has_table("_sqlx_migrations"));
    drop(held);
    assert!(started.wait().unwrap().success());
    assert!(database.has_table("_sqlx_migrations"));
}
