//! How long it takes to apply a folder to an empty database.
//!
//! Every round goes through all tools, each on a database of its own, and begins with another one.

use std::net::SocketAddr;

use crate::figures::{Figures, Key};
use crate::server::{Bench, url};
use crate::set::Folder;
use crate::tools::{self, Tool};
use crate::{Result, progress};

/// A network to measure on.
#[derive(Clone, Copy, Debug)]
pub struct Network {
    /// The name of the figures.
    pub measure: &'static str,
    /// Whom to connect to.
    pub address: SocketAddr,
}

/// Measures one folder `rounds` times.
///
/// # Errors
/// When a tool fails.
pub async fn measure(
    figures: &mut Figures,
    bench: &Bench,
    network: Network,
    folder: &Folder,
    (tools, rounds): (&[Tool], usize),
) -> Result<()> {
    for round in 0..rounds {
        let (before, first) = tools.split_at(round % tools.len().max(1));
        for tool in first.iter().chain(before) {
            once(figures, bench, network, folder, *tool).await?;
        }
    }
    for tool in tools.iter().copied() {
        let key = key(network.measure, tool, folder.migrations);
        for to in baselines(network.measure, tool) {
            figures.compare(key, self::key(network.measure, *to, folder.migrations));
        }
    }
    Ok(())
}

async fn once(
    figures: &mut Figures,
    bench: &Bench,
    network: Network,
    folder: &Folder,
    tool: Tool,
) -> Result<()> {
    let database = bench.create().await?;
    let took = tools::apply(tool, bench, folder, &url(network.address, &database))?;
    progress(&format!(
        "{} {} {} ({}): {:.3} s",
        network.measure,
        folder.migrations,
        tool.name(),
        tool.mode(),
        took.seconds
    ));
    figures.add(key(network.measure, tool, folder.migrations), took.seconds);
    Ok(())
}

/// Without a delay the physical limit is psql in the same transactions; with one, it is sqlx that one compares
/// with.
fn baselines(measure: &str, tool: Tool) -> &'static [Tool] {
    match (measure, tool) {
        (_, Tool::Psql) | ("apply_delayed_s", Tool::Sqlx) => &[],
        ("apply_s", Tool::Migrate | Tool::RefineryGrouped | Tool::PsqlEach) => &[Tool::Psql],
        ("apply_s", _) => &[Tool::PsqlEach],
        _ => &[Tool::Sqlx],
    }
}

/// The figure of a tool.
pub fn key(measure: &'static str, tool: Tool, migrations: usize) -> Key {
    Key { measure, tool: tool.name(), mode: tool.mode(), migrations }
}
