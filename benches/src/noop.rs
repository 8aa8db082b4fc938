//! What a start costs that finds everything applied.
//!
//! The call alone, on a pool that is connected, beside a `SELECT 1` on the same pool: with the look at the
//! connection that sqlx's pools take before they hand one out (a round trip of its own, for whatever is asked
//! next) and without. Then with connecting, and how much memory a process needs for it.

use std::time::Instant;

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::figures::{Figures, Key, median};
use crate::server::{Bench, url};
use crate::set::Folder;
use crate::tools::{self, Runner, Tool};
use crate::{Result, progress};

/// A pool's way to hand out connections.
const POOLS: [(&str, bool); 2] = [("pool", true), ("pool without ping", false)];
const CONNECTING: &str = "connecting";
/// Calls one after the other, the median of which is a sample: in turn call by call, the smallest would be
/// measured with what the largest leaves of the caches.
const BLOCK: usize = 10;
const SELECT1: &str = "select1_ms";
const CALL: &str = "noop_call_ms";

/// A folder that both have applied, each to a database of its own.
struct Settled<'b> {
    folder: &'b Folder,
    ours: String,
    theirs: String,
}

/// Applies a folder with both, and measures what they do from then on.
///
/// # Errors
/// When a tool fails.
pub async fn measure(
    figures: &mut Figures,
    bench: &Bench,
    folder: &Folder,
    rounds: usize,
) -> Result<()> {
    let ours = applied(bench, Tool::Migrate, folder).await?;
    let theirs = applied(bench, Tool::Sqlx, folder).await?;
    let settled = Settled { folder, ours, theirs };
    for (mode, ping) in POOLS {
        calls(figures, &settled, (mode, ping), rounds).await?;
    }
    connecting(figures, &settled, rounds).await?;
    memory(figures, &settled)
}

/// The URL of a database with a folder applied.
async fn applied(bench: &Bench, tool: Tool, folder: &Folder) -> Result<String> {
    let url = url(bench.address, &bench.create().await?);
    tools::apply(tool, bench, folder, &url)?;
    Ok(url)
}

async fn pool(url: &str, ping: bool) -> Result<PgPool> {
    Ok(PgPoolOptions::new().max_connections(1).test_before_acquire(ping).connect(url).await?)
}

async fn calls(
    figures: &mut Figures,
    Settled { folder, ours, theirs }: &Settled<'_>,
    (mode, ping): (&'static str, bool),
    rounds: usize,
) -> Result<()> {
    let (ours, theirs) = (pool(ours, ping).await?, pool(theirs, ping).await?);
    let migrate = Runner::read(Tool::Migrate, &folder.dir).await?;
    let sqlx = Runner::read(Tool::Sqlx, &folder.dir).await?;
    let key = |measure, tool| Key { measure, tool, mode, migrations: folder.migrations };
    for round in 0..=rounds.div_ceil(BLOCK) {
        let (mut selects, mut ours_took, mut theirs_took) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..BLOCK {
            selects.push(select1(&ours).await?);
        }
        for _ in 0..BLOCK {
            ours_took.push(migrate.time(&ours).await?.as_secs_f64());
        }
        for _ in 0..BLOCK {
            theirs_took.push(sqlx.time(&theirs).await?.as_secs_f64());
        }
        if round > 0 {
            let mut add = |key, block: &[f64]| {
                figures.add(key, median(block).unwrap_or_default() * 1e3);
            };
            add(key(SELECT1, "sqlx"), &selects);
            add(key(CALL, "migrate"), &ours_took);
            add(key(CALL, "sqlx"), &theirs_took);
        }
    }
    ours.close().await;
    theirs.close().await;
    figures.compare(key(CALL, "migrate"), key(SELECT1, "sqlx"));
    figures.compare(key(CALL, "sqlx"), key(CALL, "migrate"));
    progress(&format!("{CALL} {} ({mode}): {rounds} rounds", folder.migrations));
    Ok(())
}

/// By the simple protocol, as our own query.
async fn select1(pool: &PgPool) -> Result<f64> {
    let began = Instant::now();
    pool.fetch_all(sqlx::raw_sql("SELECT 1")).await?;
    Ok(began.elapsed().as_secs_f64())
}

/// The same with a connection to make.
async fn connecting(
    figures: &mut Figures,
    Settled { folder, ours, theirs }: &Settled<'_>,
    rounds: usize,
) -> Result<()> {
    let Runner::Migrate(migrate) = Runner::read(Tool::Migrate, &folder.dir).await? else {
        return Err("no migrator".into());
    };
    let Runner::Sqlx(sqlx) = Runner::read(Tool::Sqlx, &folder.dir).await? else {
        return Err("no migrator of sqlx".into());
    };
    let (ours, theirs) = (ours.parse::<PgConnectOptions>()?, theirs.parse::<PgConnectOptions>()?);
    let key =
        |measure, tool| Key { measure, tool, mode: CONNECTING, migrations: folder.migrations };
    for _ in 0..rounds.div_ceil(4) {
        let began = Instant::now();
        let mut connection = ours.connect().await?;
        connection.fetch_all(sqlx::raw_sql("SELECT 1")).await?;
        connection.close().await?;
        figures.add(key(SELECT1, "sqlx"), began.elapsed().as_secs_f64() * 1e3);
        let began = Instant::now();
        migrate.run(&ours).await?;
        figures.add(key(CALL, "migrate"), began.elapsed().as_secs_f64() * 1e3);
        let began = Instant::now();
        let mut connection = theirs.connect().await?;
        sqlx.run(&mut connection).await?;
        connection.close().await?;
        figures.add(key(CALL, "sqlx"), began.elapsed().as_secs_f64() * 1e3);
    }
    figures.compare(key(CALL, "migrate"), key(SELECT1, "sqlx"));
    figures.compare(key(CALL, "sqlx"), key(CALL, "migrate"));
    Ok(())
}

fn memory(figures: &mut Figures, Settled { folder, ours, theirs }: &Settled<'_>) -> Result<()> {
    let key =
        |tool| Key { measure: "peak_rss_mib", tool, mode: "no-op", migrations: folder.migrations };
    for (tool, url) in [(Tool::Migrate, ours), (Tool::Sqlx, theirs)] {
        let took = tools::no_op(tool, folder, url)?;
        figures.add(key(tool.name()), took.peak_mib.unwrap_or_default());
    }
    figures.compare(key("migrate"), key("sqlx"));
    Ok(())
}
