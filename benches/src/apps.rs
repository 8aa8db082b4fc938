//! Small applications that embed a folder, to see what that costs the compiler.
//!
//! Each is a crate of its own with a target directory of its own. Owns how they are written, built and run; what
//! stands in them is `files`. Knows nothing of what is measured.

mod files;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::peer::Peer;
use crate::{Result, set, usage};

/// An application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// The driver alone, which asks for 1.
    Driver,
    /// migrate, which brings the driver. Like the others, it does not look at the SQL.
    Migrate,
    /// The same as it is by default: the compiler reviews the SQL.
    MigrateLint,
    /// The driver with its own migrator and macro.
    Sqlx,
    /// refinery's macro, with tokio-postgres.
    Refinery,
    /// diesel's macro, with libpq.
    Diesel,
    /// A module each, with sea-orm.
    SeaOrm,
}

/// What a build took.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// By the clock.
    pub seconds: f64,
    /// Of all processes, user and system.
    pub cpu: f64,
}

const BUILD_SCRIPT: &str = r#"fn main() {
    println!("cargo::rerun-if-changed=migrations");
}
"#;

impl App {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            App::Driver => "driver",
            App::Migrate => "migrate",
            App::MigrateLint => "migrate-lint",
            App::Sqlx => "sqlx",
            App::Refinery | App::Diesel | App::SeaOrm => self.peer().map_or("", Peer::name),
        }
    }

    /// Those that embed migrations.
    pub const EMBEDDING: [App; 5] =
        [App::Migrate, App::Sqlx, App::Refinery, App::Diesel, App::SeaOrm];

    /// The other migrator that it is of; nothing can be measured without sqlx and ourselves.
    pub fn peer(self) -> Option<Peer> {
        match self {
            App::Driver | App::Migrate | App::MigrateLint | App::Sqlx => None,
            App::Refinery => Some(Peer::Refinery),
            App::Diesel => Some(Peer::Diesel),
            App::SeaOrm => Some(Peer::SeaOrm),
        }
    }

    /// Does it compile code for each migration? Then a build of many takes minutes.
    pub fn is_heavy(self) -> bool {
        matches!(self, App::Refinery | App::SeaOrm)
    }

    fn dir(self) -> PathBuf {
        crate::output().join("apps").join(self.name())
    }

    /// Writes its files, with a folder of so many migrations.
    ///
    /// # Errors
    /// When the disk does not want them.
    pub fn write(self, migrations: usize) -> Result<()> {
        let dir = self.dir();
        std::fs::create_dir_all(dir.join("src"))?;
        std::fs::write(dir.join("Cargo.toml"), files::manifest(self))?;
        std::fs::write(dir.join("src/main.rs"), files::program(self, migrations))?;
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        if lock.exists() {
            std::fs::copy(lock, dir.join("Cargo.lock"))?; // the versions that everybody has
        }
        if self == App::Driver {
            return Ok(());
        }
        if self != App::SeaOrm {
            // Its migrations are modules, which the compiler sees by itself.
            std::fs::write(dir.join("build.rs"), BUILD_SCRIPT)?;
        }
        let files = files::migrations(self, migrations);
        let list = files::list(self, &files).map(|text| ("mod.rs".to_owned(), text));
        set::write(&dir.join(files::folder(self)), files.into_iter().chain(list))
    }

    /// Edits one `of` so many migrations; `number` makes it another one each time.
    ///
    /// # Errors
    /// When there is none.
    pub fn edit(self, number: usize, of: usize) -> Result<()> {
        let files = files::migrations(self, of);
        let (name, _) = files.get(number * 7 % files.len().max(1)).ok_or("no file to edit")?;
        let file = self.dir().join(files::folder(self)).join(name);
        let text = std::fs::read_to_string(&file)?;
        Ok(std::fs::write(file, files::edited(self, &text, &format!("SELECT {number};")))?)
    }

    /// Forgets what was built.
    ///
    /// # Errors
    /// When the disk does not want it.
    pub fn clean(self) -> Result<()> {
        let target = self.dir().join("target");
        if target.exists() { Ok(std::fs::remove_dir_all(target)?) } else { Ok(()) }
    }

    /// Builds it for release.
    ///
    /// # Errors
    /// When the compiler says so.
    pub fn build(self) -> Result<Built> {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["build", "--quiet", "--release"]).current_dir(self.dir());
        for inherited in
            ["CARGO_TARGET_DIR", "RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS", "RUSTC_WRAPPER"]
        {
            cargo.env_remove(inherited);
        }
        let (cpu, began) = (usage::children_cpu()?, Instant::now());
        let status = cargo.status()?;
        let built =
            Built { seconds: began.elapsed().as_secs_f64(), cpu: usage::children_cpu()? - cpu };
        if status.success() {
            Ok(built)
        } else {
            Err(format!("{} does not compile", self.name()).into())
        }
    }

    /// The program.
    pub fn binary(self) -> PathBuf {
        self.dir().join("target/release").join(format!("{}-app", self.name()))
    }

    /// Runs it, and says the most memory that it had, in MiB.
    ///
    /// # Errors
    /// When it fails.
    pub fn run(self, url: &str) -> Result<f64> {
        let output = Command::new(self.binary()).env("DATABASE_URL", url).output()?;
        let told = String::from_utf8(output.stdout)?;
        let kib = told.split_whitespace().nth(1).ok_or_else(|| {
            format!("{} failed: {}", self.name(), String::from_utf8_lossy(&output.stderr))
        })?;
        Ok(kib.parse::<f64>()? / 1024.0)
    }
}
