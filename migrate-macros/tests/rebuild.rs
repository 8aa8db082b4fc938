//! An edited, an added and a removed file each reach the program with the next build, and nothing else does.
//!
//! Runs Cargo on a crate of its own; dependencies are compiled once and stay in the target folder.

#![allow(clippy::unwrap_used, reason = "a test helper that fails is a test that fails")]

use std::path::{Path, PathBuf};
use std::process::Command;

struct App {
    root: PathBuf,
}

const MAIN: &str = r#"
mod migrate {
    pub use migrate_core as core;
    pub struct Embedded {
        pub folder: core::Folder,
        pub build: &'static str,
    }
}

static MIGRATIONS: migrate::Embedded =
    migrate_macros::embed!("migrations", down = "ignore", crate = "crate::migrate");

fn main() {
    for migration in MIGRATIONS.folder.packed.unpack().unwrap() {
        print!("{} {:?}; ", migration.id, migration.up.script().unwrap().text);
    }
    print!("{}", MIGRATIONS.build);
}
"#;
const BUILD: &str = r#"fn main() { println!("cargo::rerun-if-changed=migrations"); }"#;

impl App {
    /// Each test has an application of its own; they share what is compiled.
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rebuild").join(name);
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let app = Self { root };
        let _ = std::fs::remove_dir_all(app.root.join("migrations"));
        app.write("src/main.rs", MAIN);
        app.write("build.rs", BUILD);
        app.write("Cargo.toml", &manifest(name, workspace));
        let lock = std::fs::read_to_string(workspace.join("Cargo.lock")).unwrap();
        app.write("Cargo.lock", &lock);
        app
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    fn cargo(&self, command: &str) -> (String, String) {
        let (succeeded, out, err) = self.cargo_with(command, None);
        assert!(succeeded, "{err}");
        (out, err)
    }

    /// With the switch of the linter; says whether it went well, and both outputs.
    fn cargo_with(&self, command: &str, switch: Option<&str>) -> (bool, String, String) {
        let mut cargo = Command::new(env!("CARGO"));
        cargo.args([command, "--offline", "--color=never"]).current_dir(&self.root);
        cargo
            .env("CARGO_TARGET_DIR", self.root.with_file_name("target"))
            .env_remove("MIGRATE_LINT");
        cargo.envs(switch.map(|value| ("MIGRATE_LINT", value)));
        let output = cargo.output().unwrap();
        let [out, err] = [output.stdout, output.stderr].map(|b| String::from_utf8(b).unwrap());
        (output.status.success(), out, err)
    }

    /// What the program holds after a build.
    fn holds(&self) -> String {
        let (out, err) = self.cargo("run");
        assert!(!err.contains("does not watch"), "{err}");
        out
    }
}

fn manifest(name: &str, workspace: &Path) -> String {
    let path = |name: &str| workspace.join(name).display().to_string();
    format!(
        "[package]\nname = \"{name}\"\nversion = \"1.2.3\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
        migrate-core = {{ path = {:?} }}\nmigrate-macros = {{ path = {:?} }}\n",
        path("migrate-core"),
        path("migrate-macros"),
    )
}

#[test]
fn every_change_of_the_folder_is_seen() {
    let app = App::new("app");
    app.write("migrations/1_a.sql", "select 1");
    assert_eq!(app.holds(), r#"1 expand "select 1"; app 1.2.3"#);

    app.write("migrations/1_a.sql", "select 2 -- edited");
    assert_eq!(app.holds(), r#"1 expand "select 2 -- edited"; app 1.2.3"#);

    app.write("migrations/2_b.sql", "select 3");
    assert_eq!(app.holds(), r#"1 expand "select 2 -- edited"; 2 expand "select 3"; app 1.2.3"#);

    std::fs::remove_file(app.root.join("migrations/1_a.sql")).unwrap();
    assert_eq!(app.holds(), r#"2 expand "select 3"; app 1.2.3"#);

    app.write("migrations/migrate.toml", "released = 2");
    let (_, came) = app.cargo("build");
    assert!(came.contains("Compiling app"), "{came}");
    app.write("migrations/migrate.toml", "# nothing is\n");
    let (_, edited) = app.cargo("build");
    assert!(edited.contains("Compiling app"), "{edited}");

    let (_, idle) = app.cargo("build");
    assert!(!idle.contains("Compiling"), "{idle}");
}

#[test]
fn the_linter_can_be_silenced_for_one_build() {
    let app = App::new("hazardous");
    app.write("migrations/1_a.sql", "CREATE TABLE a (n int);");
    app.write("migrations/2_b.sql", "CREATE INDEX ON a (n);");
    let build = |switch| app.cargo_with("build", switch);

    let (succeeded, _, said) = build(None);
    assert!(!succeeded && said.contains("error: migrations/2_b.sql:1:1: writers of `a`"), "{said}");

    let (succeeded, _, said) = build(Some("off"));
    assert!(succeeded && said.contains("the SQL was not checked"), "{said}");
    assert!(!said.contains("2_b.sql"), "{said}");

    let (succeeded, _, said) = build(Some("warn"));
    assert!(succeeded && said.contains(": migrations/2_b.sql:1:1: writers of `a`"), "{said}");

    let (succeeded, _, said) = build(None);
    assert!(!succeeded, "nobody noticed that the switch is gone: {said}");
    let (succeeded, _, said) = build(Some("of"));
    assert!(!succeeded && said.contains("MIGRATE_LINT: is neither"), "{said}");
}
