//! What a start costs that finds everything applied.
//!
//! The call alone, on what is connected already, beside a `SELECT 1` on such a pool: with the look at the
//! connection that sqlx's pools take before they hand one out (a round trip of its own, for whatever is asked
//! next) and without. Then with connecting, and how much memory a process needs for it.

use std::time::Instant;

use sqlx::postgres::{PgConnectOptions, PgPool};
use sqlx::{ConnectOptions, Connection, Executor};

use crate::figures::{Figures, Key, median};
use crate::peer::Peer;
use crate::server::{Bench, url};
use crate::set::Folder;
use crate::start::{self, POOL, POOL_WITHOUT_PING, Pool, Start};
use crate::tools::{self, Runner, Tool};
use crate::{Result, progress};

const CONNECTING: &str = "connecting";
/// Calls one after the other, the median of which is a sample: in turn call by call, the smallest would be
/// measured with what the largest leaves of the caches.
const BLOCK: usize = 10;
const SELECT1: &str = "select1_ms";
const CALL: &str = "noop_call_ms";

/// A folder that everybody has applied, each to a database of its own.
struct Settled<'b> {
    folder: &'b Folder,
    urls: Vec<(Tool, String)>,
}

impl Settled<'_> {
    fn url(&self, of: Tool) -> Result<&str> {
        let found = self.urls.iter().find(|(tool, _)| *tool == of);
        Ok(&found.ok_or("not applied")?.1)
    }
}

/// Applies a folder with all migrators, and measures what they do from then on.
///
/// # Errors
/// When a tool fails.
pub async fn measure(
    figures: &mut Figures,
    bench: &Bench,
    peers: &[Peer],
    folder: &Folder,
    rounds: usize,
) -> Result<()> {
    let mut settled = Settled { folder, urls: Vec::new() };
    for tool in Tool::migrators(peers) {
        let url = url(bench.address, &bench.create().await?);
        tools::apply(tool, bench, folder, &url)?;
        settled.urls.push((tool, url));
    }
    for pool in [POOL, POOL_WITHOUT_PING] {
        calls(figures, &settled, pool, rounds).await?;
    }
    connecting(figures, &settled, rounds).await?;
    memory(figures, &settled)
}

async fn calls(
    figures: &mut Figures,
    settled: &Settled<'_>,
    pool: Pool,
    rounds: usize,
) -> Result<()> {
    let migrations = settled.folder.migrations;
    let selects = start::pool(settled.url(Tool::Migrate)?, pool).await?;
    let select = Key { measure: SELECT1, tool: "sqlx", mode: pool.mode, migrations };
    let mut starts = Vec::new();
    for (tool, url) in settled.urls.iter().filter(|(tool, _)| pool.is_for(*tool)) {
        starts.push(Start::connect(*tool, pool, settled.folder, url).await?);
    }
    for round in 0..=rounds.div_ceil(BLOCK) {
        let mut blocks = vec![(select, select1(&selects).await?)];
        for start in &mut starts {
            blocks.push((Key { measure: CALL, ..start.key }, start.run(BLOCK).await?));
        }
        for (key, block) in blocks.into_iter().filter(|_| round > 0) {
            figures.add(key, median(&block).unwrap_or_default() * 1e3);
        }
    }
    let ours = Key { measure: CALL, tool: Tool::Migrate.name(), ..select };
    figures.compare(ours, select);
    for start in starts {
        if start.key.tool != ours.tool {
            figures.compare(Key { measure: CALL, ..start.key }, ours);
        }
        start.close().await;
    }
    selects.close().await;
    progress(&format!("{CALL} {migrations} ({}): {rounds} rounds", pool.mode));
    Ok(())
}

/// A block of them, by the simple protocol, as our own query.
async fn select1(pool: &PgPool) -> Result<Vec<f64>> {
    let mut block = Vec::new();
    for _ in 0..BLOCK {
        let began = Instant::now();
        pool.fetch_all(sqlx::raw_sql("SELECT 1")).await?;
        block.push(began.elapsed().as_secs_f64());
    }
    Ok(block)
}

/// The same with a connection to make, which is what everybody pays alike: migrate and sqlx are enough to see it.
async fn connecting(figures: &mut Figures, settled: &Settled<'_>, rounds: usize) -> Result<()> {
    let folder = settled.folder;
    let (ours, theirs) = (settled.url(Tool::Migrate)?, settled.url(Tool::Sqlx)?);
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

fn memory(figures: &mut Figures, settled: &Settled<'_>) -> Result<()> {
    let migrations = settled.folder.migrations;
    let key =
        |tool: Tool| Key { measure: "peak_rss_mib", tool: tool.name(), mode: "no-op", migrations };
    for (tool, url) in &settled.urls {
        let took = tools::no_op(*tool, settled.folder, url)?;
        figures.add(key(*tool), took.peak_mib.unwrap_or_default());
    }
    figures.compare(key(Tool::Migrate), key(Tool::Sqlx));
    Ok(())
}
