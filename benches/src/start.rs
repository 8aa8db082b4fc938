//! A migrator that is connected, and is started again and again.
//!
//! migrate and sqlx run in this process, the others in theirs; both time the call alone. Knows nothing of what
//! there is to do.

use std::time::Instant;

use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::Result;
use crate::figures::Key;
use crate::peer::{Peer, Session};
use crate::set::Folder;
use crate::tools::{Runner, Tool};

/// A pool's way to hand out connections.
#[derive(Clone, Copy, Debug)]
pub struct Pool {
    /// The word for it.
    pub mode: &'static str,
    ping: bool,
}

/// As sqlx's pools are: they look first whether the connection is alive.
pub const POOL: Pool = Pool { mode: "pool", ping: true };
/// Without that look.
pub const POOL_WITHOUT_PING: Pool = Pool { mode: "pool without ping", ping: false };
/// One that is at hand, of those that know no pool.
pub const CONNECTION: &str = "connection";

impl Pool {
    /// Is the tool measured with it? One that takes a connection is so once.
    pub fn is_for(self, tool: Tool) -> bool {
        !self.ping || mode(tool, self) != CONNECTION
    }
}

/// A migrator that is connected.
#[derive(Debug)]
pub struct Start {
    /// The tool, how it is connected, and the folder; the measure is still to be said.
    pub key: Key,
    place: Place,
}

#[derive(Debug)]
enum Place {
    Here(Runner, PgPool),
    There(Session),
}

impl Start {
    /// Connects one.
    ///
    /// # Errors
    /// When it fails.
    pub async fn connect(tool: Tool, pool: Pool, folder: &Folder, url: &str) -> Result<Self> {
        let key = Key {
            measure: "",
            tool: tool.name(),
            mode: mode(tool, pool),
            migrations: folder.migrations,
        };
        let place = match tool.peer() {
            Some((peer, way)) => {
                let way = if pool.ping { way } else { "unasked" };
                let mut session = Session::start(peer, way, folder, url)?;
                session.connect()?;
                Place::There(session)
            }
            None => {
                let (runner, pool) =
                    (Runner::read(tool, &folder.dir).await?, self::pool(url, pool).await?);
                drop(pool.acquire().await?);
                Place::Here(runner, pool)
            }
        };
        Ok(Self { key, place })
    }

    /// The seconds of each of so many runs.
    ///
    /// # Errors
    /// When one fails.
    pub async fn run(&mut self, times: usize) -> Result<Vec<f64>> {
        let (runner, pool) = match &mut self.place {
            Place::There(session) => return session.run(times),
            Place::Here(runner, pool) => (runner, pool),
        };
        let mut took = Vec::new();
        for _ in 0..times {
            let began = Instant::now();
            runner.run(pool).await?;
            took.push(began.elapsed().as_secs_f64());
        }
        Ok(took)
    }

    /// Ends it.
    pub async fn close(self) {
        if let Place::Here(_, pool) = self.place {
            pool.close().await;
        }
    }
}

fn mode(tool: Tool, pool: Pool) -> &'static str {
    match tool.peer() {
        Some((Peer::Refinery | Peer::Diesel, _)) => CONNECTION,
        _ => pool.mode,
    }
}

/// A pool of one connection.
///
/// # Errors
/// When nobody answers.
pub async fn pool(url: &str, pool: Pool) -> Result<PgPool> {
    let options = PgPoolOptions::new().max_connections(1).test_before_acquire(pool.ping);
    Ok(options.connect(url).await?)
}
