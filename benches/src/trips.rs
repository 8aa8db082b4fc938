//! How often the server is asked, counted on the wire.

use std::time::Duration;

use crate::figures::{Figures, Key};
use crate::peer::Peer;
use crate::proxy::{Passed, Proxy};
use crate::server::{Bench, url};
use crate::set::Folder;
use crate::start::{POOL, Start};
use crate::tools::{self, Tool};
use crate::{Result, progress};

/// Counts what applying costs for each migration, as the difference between two folders; and what a run costs
/// that has nothing to do.
///
/// # Errors
/// When a tool fails.
pub async fn measure(
    figures: &mut Figures,
    bench: &Bench,
    peers: &[Peer],
    (few, many): (&Folder, &Folder),
) -> Result<()> {
    let proxy = Proxy::start(bench.address, Duration::ZERO)?;
    for tool in Tool::with(peers) {
        let one = applied(bench, &proxy, tool, few).await?;
        let other = applied(bench, &proxy, tool, many).await?;
        let each = |of: fn(&Passed) -> usize| {
            (of(&other) as f64 - of(&one) as f64) / (many.migrations - few.migrations) as f64
        };
        let key = |measure| Key { measure, ..key(tool, many) };
        figures.add(key("round_trips_per_migration"), each(|passed| passed.round_trips));
        figures.add(key("pool_pings_per_migration"), each(|passed| passed.pings));
        figures.add(Key { measure: "round_trips", ..self::key(tool, few) }, one.round_trips as f64);
        figures.add(key("round_trips"), other.round_trips as f64);
        figures.add(key("connections"), other.connections as f64);
    }
    for tool in Tool::migrators(peers) {
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

/// On a pool or connection that is there: the run's own round trips, and the pool's pings.
async fn no_op(
    figures: &mut Figures,
    bench: &Bench,
    proxy: &Proxy,
    tool: Tool,
    folder: &Folder,
) -> Result<()> {
    let database = bench.create().await?;
    tools::apply(tool, bench, folder, &url(bench.address, &database))?;
    let mut start = Start::connect(tool, POOL, folder, &url(proxy.address, &database)).await?;
    // What connecting leaves to the background is not the run's.
    tokio::time::sleep(Duration::from_millis(50)).await;
    let before = proxy.passed();
    start.run(1).await?;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let passed = proxy.passed().since(before);
    let key = |measure| Key { measure, ..start.key };
    figures.add(key("noop_round_trips"), passed.round_trips as f64);
    figures.add(key("noop_pool_pings"), passed.pings as f64);
    start.close().await;
    Ok(())
}
