//! How often the server is asked, counted on the wire.

use std::time::Duration;

use sqlx::postgres::PgPoolOptions;

use crate::figures::{Figures, Key};
use crate::proxy::{Passed, Proxy};
use crate::server::{Bench, url};
use crate::set::Folder;
use crate::tools::{self, Runner, Tool};
use crate::{Result, progress};

/// Counts what applying costs for each migration, as the difference between two folders; and what a run costs
/// that has nothing to do.
///
/// # Errors
/// When a tool fails.
pub async fn measure(
    figures: &mut Figures,
    bench: &Bench,
    (few, many): (&Folder, &Folder),
) -> Result<()> {
    let proxy = Proxy::start(bench.address, Duration::ZERO)?;
    for tool in Tool::ALL {
        let one = applied(bench, &proxy, tool, few).await?;
        let other = applied(bench, &proxy, tool, many).await?;
        let each = (other.round_trips - one.round_trips) as f64
            / (many.migrations - few.migrations) as f64;
        let key = |measure| Key { measure, ..key(tool, many) };
        figures.add(key("round_trips_per_migration"), each);
        figures.add(Key { measure: "round_trips", ..self::key(tool, few) }, one.round_trips as f64);
        figures.add(key("round_trips"), other.round_trips as f64);
        figures.add(key("connections"), other.connections as f64);
    }
    for tool in [Tool::Migrate, Tool::Sqlx] {
        for folder in [few, many] {
            no_op(figures, bench, &proxy, tool, folder).await?;
        }
    }
    progress("round trips counted");
    Ok(())
}

fn key(tool: Tool, folder: &Folder) -> Key {
    crate::apply::key("", tool, folder.migrations)
}

async fn applied(bench: &Bench, proxy: &Proxy, tool: Tool, folder: &Folder) -> Result<Passed> {
    let database = bench.create().await?;
    let before = proxy.passed();
    tools::apply(tool, bench, folder, &url(proxy.address, &database))?;
    Ok(proxy.passed().since(before))
}

/// On a pool that has had its connection for a while: the run's own round trips, and the pool's pings.
async fn no_op(
    figures: &mut Figures,
    bench: &Bench,
    proxy: &Proxy,
    tool: Tool,
    folder: &Folder,
) -> Result<()> {
    let database = bench.create().await?;
    tools::apply(tool, bench, folder, &url(bench.address, &database))?;
    let pool =
        PgPoolOptions::new().max_connections(1).connect(&url(proxy.address, &database)).await?;
    let runner = Runner::read(tool, &folder.dir).await?;
    drop(pool.acquire().await?);
    // Given back in the background; what it takes to do so is not the run's.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = proxy.passed();
    runner.run(&pool).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let passed = proxy.passed().since(before);
    pool.close().await;
    let key = |measure| Key { measure, mode: "pool", ..key(tool, folder) };
    figures.add(key("noop_round_trips"), passed.round_trips as f64);
    figures.add(key("noop_pool_pings"), passed.pings as f64);
    Ok(())
}
