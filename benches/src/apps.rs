//! Small applications that embed a folder, to see what that costs the compiler.
//!
//! Each is a crate of its own with a target directory of its own, and the same features of the driver. Owns
//! their files and how they are built. Knows nothing of what is measured.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::{Result, set, usage};

/// An application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum App {
    /// The driver alone, which asks for 1.
    Driver,
    /// migrate, which brings the driver.
    Migrate,
    /// The driver with its own migrator and macro.
    Sqlx,
}

/// What a build took.
#[derive(Clone, Copy, Debug)]
pub struct Built {
    /// By the clock.
    pub seconds: f64,
    /// Of all processes, user and system.
    pub cpu: f64,
}

const DRIVER: &str = r#"sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-tokio"] }"#;
const SQLX: &str = r#"sqlx = { version = "0.9", default-features = false, features = ["postgres", "runtime-tokio", "macros", "migrate"] }"#;

const MAIN: &str = r#"
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::var("DATABASE_URL")?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(start(&url))?;
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!("{}", status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default());
    Ok(())
}
"#;

const DRIVER_START: &str = r#"
async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(url).await?;
    sqlx::raw_sql("SELECT 1").execute(&pool).await?;
    Ok(())
}
"#;

const MIGRATE_START: &str = r#"
#[derive(migrate_postgres::Migrations)]
#[migrations(dir = "migrations", down = "ignore")]
struct AppMigrations;

async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(url).await?;
    migrate_postgres::Migrator::new(AppMigrations).run(&pool).await?;
    Ok(())
}
"#;

const SQLX_START: &str = r#"
async fn start(url: &str) -> Result<(), Box<dyn std::error::Error>> {
    let pool = sqlx::PgPool::connect(url).await?;
    sqlx::migrate!("./migrations").run(&pool).await?;
    Ok(())
}
"#;

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
            App::Sqlx => "sqlx",
        }
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
        std::fs::write(dir.join("Cargo.toml"), self.manifest())?;
        std::fs::write(dir.join("src/main.rs"), format!("{}{MAIN}", self.start()))?;
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        if lock.exists() {
            std::fs::copy(lock, dir.join("Cargo.lock"))?; // the versions that everybody has
        }
        if self != App::Driver {
            std::fs::write(dir.join("build.rs"), BUILD_SCRIPT)?;
            set::write(&dir.join("migrations"), set::files(migrations))?;
        }
        Ok(())
    }

    fn manifest(self) -> String {
        let name = self.name();
        let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrate-postgres");
        let dependencies = match self {
            App::Driver => DRIVER.to_owned(),
            App::Migrate => format!("{DRIVER}\nmigrate-postgres = {{ path = {ours:?} }}"),
            App::Sqlx => SQLX.to_owned(),
        };
        format!(
            "[workspace]\n\n[package]\nname = \"{name}-app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n\
             [dependencies]\n{dependencies}\ntokio = {{ version = \"1\", features = [\"rt\"] }}\n\n\
             [profile.release]\nstrip = true\n"
        )
    }

    fn start(self) -> &'static str {
        match self {
            App::Driver => DRIVER_START,
            App::Migrate => MIGRATE_START,
            App::Sqlx => SQLX_START,
        }
    }

    /// Edits one of its migrations; `number` makes it another one each time.
    ///
    /// # Errors
    /// When there is none.
    pub fn edit(self, number: usize) -> Result<()> {
        let folder = std::fs::read_dir(self.dir().join("migrations"))?;
        let mut files: Vec<PathBuf> = folder.flatten().map(|entry| entry.path()).collect();
        files.sort();
        let file = files.get(number * 7 % files.len().max(1)).ok_or("no file to edit")?;
        let text = std::fs::read_to_string(file)?;
        Ok(std::fs::write(file, format!("{text}SELECT {number};\n"))?)
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
