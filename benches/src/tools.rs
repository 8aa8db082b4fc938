//! Those who are measured, and how each applies a folder.
//!
//! migrate and sqlx run in a process of their own, this program started again: the same as psql does, and their
//! memory can be told apart. They read the folder before the clock starts, as an application has it embedded;
//! the clock covers connecting and applying. psql has to start, connect and read its files.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use migrate_postgres::{Migrator, Source};
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::server::Bench;
use crate::set::Folder;
use crate::{Result, usage};

/// One way to apply a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// migrate as it is: many migrations of a fresh database share a transaction.
    Migrate,
    /// migrate with a transaction each, as on a database in use.
    MigrateEach,
    /// sqlx's `Migrator`, which gives each a transaction.
    Sqlx,
    /// One psql process, everything in one transaction, no history.
    Psql,
    /// One psql process, a transaction each, no history.
    PsqlEach,
}

impl Tool {
    /// All of them.
    pub const ALL: [Tool; 5] =
        [Tool::Migrate, Tool::MigrateEach, Tool::Sqlx, Tool::Psql, Tool::PsqlEach];

    /// `migrate`, `sqlx` or `psql`.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Migrate | Tool::MigrateEach => "migrate",
            Tool::Sqlx => "sqlx",
            Tool::Psql | Tool::PsqlEach => "psql",
        }
    }

    /// How it puts migrations into transactions.
    pub fn mode(self) -> &'static str {
        match self {
            Tool::Migrate => "default",
            Tool::MigrateEach | Tool::Sqlx | Tool::PsqlEach => "a transaction each",
            Tool::Psql => "one transaction",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Tool::Migrate => "migrate",
            Tool::MigrateEach => "migrate-each",
            Tool::Sqlx => "sqlx",
            Tool::Psql => "psql",
            Tool::PsqlEach => "psql-each",
        }
    }

    fn of(word: &str) -> Option<Self> {
        Tool::ALL.into_iter().find(|tool| tool.word() == word)
    }
}

/// What an application of a folder took.
#[derive(Clone, Copy, Debug)]
pub struct Took {
    /// By the clock.
    pub seconds: f64,
    /// The most memory that the process had; psql's is not looked at.
    pub peak_mib: Option<f64>,
}

/// Applies a folder to a database.
///
/// # Errors
/// When the tool says so.
pub fn apply(tool: Tool, bench: &Bench, folder: &Folder, url: &str) -> Result<Took> {
    match tool {
        Tool::Psql => psql(bench, url, &["-1", "-f", &folder.once.to_string_lossy()]),
        Tool::PsqlEach => psql(bench, url, &["-f", &folder.each.to_string_lossy()]),
        _ => in_child("apply", tool, folder, url),
    }
}

/// The run of a process that finds nothing to do.
///
/// # Errors
/// When the tool says so.
pub fn no_op(tool: Tool, folder: &Folder, url: &str) -> Result<Took> {
    in_child("no-op", tool, folder, url)
}

fn psql(bench: &Bench, url: &str, arguments: &[&str]) -> Result<Took> {
    let mut command = bench.psql()?;
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).args(arguments).arg(url);
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let seconds = began.elapsed().as_secs_f64();
    if status.success() { Ok(Took { seconds, peak_mib: None }) } else { Err("psql failed".into()) }
}

fn in_child(task: &str, tool: Tool, folder: &Folder, url: &str) -> Result<Took> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", task, tool.word(), url]).arg(&folder.dir);
    let output = command.stderr(Stdio::inherit()).output()?;
    let told = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = told.split_whitespace().flat_map(str::parse).collect();
    match numbers.as_slice() {
        [seconds, peak] if output.status.success() => {
            Ok(Took { seconds: *seconds, peak_mib: Some(*peak) })
        }
        _ => Err(format!("{} failed to {task} {}", tool.word(), folder.dir.display()).into()),
    }
}

/// What a child does: applies, tells its seconds and its memory.
///
/// # Errors
/// When its arguments or the tool are not right.
pub async fn child(arguments: &[String]) -> Result<()> {
    let [_, tool, url, folder] = arguments else { return Err("a child without a task".into()) };
    let tool = Tool::of(tool).ok_or("an unknown tool")?;
    let runner = Runner::read(tool, folder.as_ref()).await?;
    let began = Instant::now();
    let pool = PgPoolOptions::new().max_connections(2).connect(url).await?;
    runner.run(&pool).await?;
    let seconds = began.elapsed().as_secs_f64();
    println!("{seconds} {}", usage::peak_mib()?);
    pool.close().await;
    Ok(())
}

/// A migrator in this process, with its migrations read.
#[derive(Debug)]
pub enum Runner {
    /// Ours.
    Migrate(Box<Migrator>),
    /// sqlx's.
    Sqlx(sqlx::migrate::Migrator),
}

impl Runner {
    /// Reads the folder.
    ///
    /// # Errors
    /// When the tool does not like the folder.
    pub async fn read(tool: Tool, folder: &std::path::Path) -> Result<Self> {
        let source = || Source::read(folder).map_err(|problems| format!("{problems:?}"));
        Ok(match tool {
            Tool::Migrate => Self::Migrate(Migrator::new(source()?).into()),
            Tool::MigrateEach => Self::Migrate(Migrator::new(source()?).group(1).into()),
            _ => Self::Sqlx(sqlx::migrate::Migrator::new(folder).await?),
        })
    }

    /// Applies what is pending.
    ///
    /// # Errors
    /// When the tool says so.
    pub async fn run(&self, pool: &PgPool) -> Result<()> {
        match self {
            Self::Migrate(migrator) => drop(migrator.run(pool).await?),
            Self::Sqlx(migrator) => migrator.run(pool).await?,
        }
        Ok(())
    }

    /// How long a run takes.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn time(&self, pool: &PgPool) -> Result<Duration> {
        let began = Instant::now();
        self.run(pool).await?;
        Ok(began.elapsed())
    }
}
