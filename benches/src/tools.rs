//! Those who are measured, and how each applies a folder.
//!
//! migrate and sqlx run in a process of their own, this program started again, and the other migrators in their own
//! programs: the same as psql does, and their memory can be told apart. They read the folder before the clock
//! starts, as an application has it embedded; the clock covers connecting and applying. psql has to start, connect
//! and read its files.

use std::process::{Command, Stdio};
use std::time::Instant;

use migrate_postgres::{Migrator, Source};
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::peer::{Peer, Session};
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
    /// refinery as it is, with a transaction each.
    Refinery,
    /// refinery with all migrations in one transaction.
    RefineryGrouped,
    /// diesel's migrations, a transaction each.
    Diesel,
    /// sea-orm's migrations, a transaction each.
    SeaOrm,
    /// One psql process, everything in one transaction, no history.
    Psql,
    /// One psql process, a transaction each, no history.
    PsqlEach,
}

impl Tool {
    const ALL: [Tool; 9] = [
        Tool::Migrate,
        Tool::MigrateEach,
        Tool::Sqlx,
        Tool::Refinery,
        Tool::RefineryGrouped,
        Tool::Diesel,
        Tool::SeaOrm,
        Tool::Psql,
        Tool::PsqlEach,
    ];

    /// Those that can be measured, with these other migrators there.
    pub fn with(peers: &[Peer]) -> Vec<Self> {
        let there = |tool: &Tool| tool.peer().is_none_or(|(peer, _)| peers.contains(&peer));
        Tool::ALL.into_iter().filter(there).collect()
    }

    /// The same, one way of each migrator: all ways of one have the same start when nothing is to do.
    pub fn migrators(peers: &[Peer]) -> Vec<Self> {
        let one = [Tool::Migrate, Tool::Sqlx, Tool::Refinery, Tool::Diesel, Tool::SeaOrm];
        Tool::with(peers).into_iter().filter(|tool| one.contains(tool)).collect()
    }

    /// `migrate`, `psql` or another migrator.
    pub fn name(self) -> &'static str {
        match self {
            Tool::Migrate | Tool::MigrateEach => "migrate",
            Tool::Sqlx => "sqlx",
            Tool::Refinery | Tool::RefineryGrouped => Peer::Refinery.name(),
            Tool::Diesel => Peer::Diesel.name(),
            Tool::SeaOrm => Peer::SeaOrm.name(),
            Tool::Psql | Tool::PsqlEach => "psql",
        }
    }

    /// How it puts migrations into transactions.
    pub fn mode(self) -> &'static str {
        match self {
            Tool::Migrate => "default",
            Tool::Psql | Tool::RefineryGrouped => "one transaction",
            _ => "a transaction each",
        }
    }

    /// The other migrator, and its program's word for the way.
    pub fn peer(self) -> Option<(Peer, &'static str)> {
        match self {
            Tool::Refinery => Some((Peer::Refinery, "each")),
            Tool::RefineryGrouped => Some((Peer::Refinery, "grouped")),
            Tool::Diesel => Some((Peer::Diesel, "each")),
            Tool::SeaOrm => Some((Peer::SeaOrm, "each")),
            _ => None,
        }
    }

    /// Of those that this program is started again for.
    fn word(self) -> &'static str {
        match self {
            Tool::MigrateEach => "migrate-each",
            _ => self.name(),
        }
    }

    fn of(word: &str) -> Option<Self> {
        [Tool::Migrate, Tool::MigrateEach, Tool::Sqlx].into_iter().find(|tool| tool.word() == word)
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
        _ => start(tool, folder, url),
    }
}

/// A process that connects and applies what is pending.
fn start(tool: Tool, folder: &Folder, url: &str) -> Result<Took> {
    match tool.peer() {
        Some((peer, way)) => in_program(peer, way, folder, url),
        None => in_child(tool, folder, url),
    }
}

fn in_program(peer: Peer, way: &str, folder: &Folder, url: &str) -> Result<Took> {
    let mut session = Session::start(peer, way, folder, url)?;
    let seconds = session.connect()? + session.run(1)?.iter().sum::<f64>();
    Ok(Took { seconds, peak_mib: Some(session.peak_mib()?) })
}

/// The run of a process that finds nothing to do.
///
/// # Errors
/// When the tool says so.
pub fn no_op(tool: Tool, folder: &Folder, url: &str) -> Result<Took> {
    start(tool, folder, url)
}

fn psql(bench: &Bench, url: &str, arguments: &[&str]) -> Result<Took> {
    let mut command = bench.psql()?;
    command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1"]).args(arguments).arg(url);
    let began = Instant::now();
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).status()?;
    let seconds = began.elapsed().as_secs_f64();
    if status.success() { Ok(Took { seconds, peak_mib: None }) } else { Err("psql failed".into()) }
}

fn in_child(tool: Tool, folder: &Folder, url: &str) -> Result<Took> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["child", tool.word(), url]).arg(&folder.dir);
    let output = command.stderr(Stdio::inherit()).output()?;
    let told = String::from_utf8(output.stdout)?;
    let numbers: Vec<f64> = told.split_whitespace().flat_map(str::parse).collect();
    match numbers.as_slice() {
        [seconds, peak] if output.status.success() => {
            Ok(Took { seconds: *seconds, peak_mib: Some(*peak) })
        }
        _ => Err(format!("{} failed with {}", tool.word(), folder.dir.display()).into()),
    }
}

/// What a child does: applies, tells its seconds and its memory.
///
/// # Errors
/// When its arguments or the tool are not right.
pub async fn child(arguments: &[String]) -> Result<()> {
    let [tool, url, folder] = arguments else { return Err("a child without a task".into()) };
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
}
