//! An application at work: a few connections that write, read and log, and a look at how long each statement takes.
//!
//! In a thread of its own, so that nothing the tools do to theirs is taken for a stall. Between two statements each
//! connection rests a moment: the machine is not what is measured. Knows nothing of migrations.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};
use tokio::task::JoinSet;

use crate::Result;

const CONNECTIONS: i64 = 4;
const REST: Duration = Duration::from_millis(2);
/// One row less than there are: the last one is the holder's.
const ROWS: i64 = 99_999;

/// What a load has gone through.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stalls {
    /// The longest that a statement took.
    pub(super) longest: Duration,
    /// The longest that none of all connections came to its end.
    pub(super) gap: Duration,
    last: Instant,
}

pub(super) struct Load {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Result<Stalls>>,
}

impl Load {
    pub(super) fn start(options: PgConnectOptions) -> Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let stops = Arc::clone(&stop);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::spawn(move || runtime.block_on(all(&options, &stops)));
        Ok(Self { stop, thread })
    }

    /// Every connection finishes what it is at.
    pub(super) fn stop(self) -> Result<Stalls> {
        self.stop.store(true, Ordering::Relaxed);
        let end = self.thread.join().map_err(|_| "the load panicked")?;
        end.map_err(|error| format!("the load met an error: {error}").into())
    }
}

async fn all(options: &PgConnectOptions, stop: &Arc<AtomicBool>) -> Result<Stalls> {
    let begun = Stalls { longest: Duration::ZERO, gap: Duration::ZERO, last: Instant::now() };
    let stalls = Arc::new(Mutex::new(begun));
    let mut connections = JoinSet::new();
    for number in 0..CONNECTIONS {
        let connection = options.connect().await?;
        connections.spawn(work(connection, number, Arc::clone(stop), Arc::clone(&stalls)));
    }
    while let Some(end) = connections.join_next().await {
        end??;
    }
    Ok(*stalls.lock().unwrap_or_else(PoisonError::into_inner))
}

async fn work(
    mut connection: PgConnection,
    number: i64,
    stop: Arc<AtomicBool>,
    stalls: Arc<Mutex<Stalls>>,
) -> sqlx::Result<()> {
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) {
        round += 1;
        // Each connection has rows of its own: nobody waits for a neighbour.
        let account = 1 + (round * 7919 * CONNECTIONS + number) % ROWS;
        for statement in 0..3 {
            let began = Instant::now();
            execute(&mut connection, statement, account, round).await?;
            note(&stalls, began);
            tokio::time::sleep(REST).await;
        }
    }
    connection.close().await
}

async fn execute(
    connection: &mut PgConnection,
    statement: usize,
    account: i64,
    amount: i64,
) -> sqlx::Result<()> {
    let query = match statement {
        0 => sqlx::query("UPDATE accounts SET balance = balance + $2 WHERE id = $1"),
        1 => sqlx::query("SELECT balance + $2 FROM accounts WHERE id = $1"),
        _ => sqlx::query("INSERT INTO movements (account, amount) VALUES ($1, $2)"),
    };
    query.bind(account).bind(amount).execute(connection).await.map(drop)
}

fn note(stalls: &Mutex<Stalls>, began: Instant) {
    let now = Instant::now();
    let mut stalls = stalls.lock().unwrap_or_else(PoisonError::into_inner);
    stalls.longest = stalls.longest.max(now - began);
    stalls.gap = stalls.gap.max(now - stalls.last);
    stalls.last = now;
}
