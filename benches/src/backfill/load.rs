//! An application at work: a fixed number of statements a second, whatever becomes of them.
//!
//! Each statement has a moment at which it is due, and its latency counts from then on: where the server stands still, those
//! that could not even be sent are late too. Whoever of the connections is free takes the next one, as from a pool. Each
//! connection has a thread of its own, which sleeps more exactly than a runtime does. Knows nothing of who fills.

use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection, PgConnection};

use crate::Result;

const CONNECTIONS: usize = 8;
/// Between two statements: 400 a second.
const EVERY: Duration = Duration::from_micros(2_500);

const READ: &str = "SELECT name, balance FROM accounts WHERE id = $1 AND $2 > 0";
const UPDATE: &str = "UPDATE accounts SET balance = balance + $2, seen_at = now() WHERE id = $1";
/// As the application writes when it knows the new column.
const INSERT: &str = "INSERT INTO accounts \
    (email, email_lower, name, city, plan, logins, balance, created_at, seen_at) \
    SELECT email, lower(email), 'New Holder', 'City', 0, 0, $2, now(), now() \
    FROM (SELECT left(md5($1::bigint::text), 10) || '@New.Example.com' AS email) AS new";

/// What the connections share.
struct Clock {
    began: Instant,
    next: AtomicU32,
    /// What is due later is not sent any more.
    end: OnceLock<Instant>,
    rows: i64,
}

/// A statement of the load: when it was due, and how long it took since.
type Statement = (Instant, Duration);

pub(super) struct Load {
    clock: Arc<Clock>,
    threads: Vec<JoinHandle<sqlx::Result<Vec<Statement>>>>,
}

impl Load {
    pub(super) fn start(options: &PgConnectOptions, rows: i64) -> Result<Self> {
        let clock =
            Clock { began: Instant::now(), next: AtomicU32::new(0), end: OnceLock::new(), rows };
        let clock = Arc::new(clock);
        let mut threads = Vec::new();
        for _ in 0..CONNECTIONS {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            let (options, clock) = (options.clone(), Arc::clone(&clock));
            threads.push(std::thread::spawn(move || work(&runtime, &options, &clock)));
        }
        Ok(Self { clock, threads })
    }

    /// Waits until everything has been answered that was due before.
    pub(super) fn stop(self, end: Instant) -> Result<Statements> {
        self.clock.end.get_or_init(|| end);
        let mut all = Vec::new();
        for thread in self.threads {
            let statements = thread.join().map_err(|_| "the load panicked")?;
            all.extend(statements.map_err(|error| format!("the load met an error: {error}"))?);
        }
        Ok(Statements(all))
    }
}

/// All that were sent.
pub(super) struct Statements(Vec<Statement>);

impl Statements {
    /// Those that were due within a time.
    pub(super) fn within(&self, time: Range<Instant>) -> Latencies {
        let within = self.0.iter().filter(|(due, _)| time.contains(due));
        Latencies::new(within.map(|(_, took)| took.as_secs_f64() * 1000.0).collect())
    }
}

fn work(
    runtime: &tokio::runtime::Runtime,
    options: &PgConnectOptions,
    clock: &Clock,
) -> sqlx::Result<Vec<Statement>> {
    let mut connection = runtime.block_on(options.connect())?;
    let mut statements = Vec::new();
    loop {
        let number = clock.next.fetch_add(1, Ordering::Relaxed);
        let due = clock.began + EVERY * number;
        std::thread::sleep(due.saturating_duration_since(Instant::now()));
        if clock.end.get().is_some_and(|end| due >= *end) {
            break;
        }
        runtime.block_on(execute(&mut connection, number, clock.rows))?;
        statements.push((due, due.elapsed()));
    }
    runtime.block_on(connection.close())?;
    Ok(statements)
}

/// Of ten statements five read, four update and one inserts.
async fn execute(connection: &mut PgConnection, number: u32, rows: i64) -> sqlx::Result<()> {
    let sql = match number % 10 {
        0 | 2 | 4 | 6 | 8 => READ,
        9 => INSERT,
        _ => UPDATE,
    };
    let query = sqlx::query(sql).bind(account(number, rows)).bind(1_i64);
    query.execute(connection).await.map(drop)
}

/// Anywhere in the table, and at every run the same.
fn account(number: u32, rows: i64) -> i64 {
    let mixed = (u64::from(number) + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    1 + i64::from((mixed >> 33) as i32) % rows
}

/// How long statements took, in milliseconds: all of them, not a sample.
#[derive(Default)]
pub(super) struct Latencies {
    /// The shortest first.
    sorted: Vec<f64>,
}

impl Latencies {
    fn new(mut millis: Vec<f64>) -> Self {
        millis.sort_by(f64::total_cmp);
        Self { sorted: millis }
    }

    pub(super) fn add(&mut self, other: Self) {
        self.sorted.extend(other.sorted);
        self.sorted.sort_by(f64::total_cmp);
    }

    pub(super) fn count(&self) -> usize {
        self.sorted.len()
    }

    /// What so large a share of them did not exceed; no number where there are none.
    pub(super) fn share(&self, share: f64) -> f64 {
        let rank = (self.sorted.len() as f64 * share).ceil() as usize;
        self.sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_is_of_all_and_not_of_a_sample() {
        let mut latencies = Latencies::new((501..=1000).rev().map(f64::from).collect());
        latencies.add(Latencies::new((1..=500).map(f64::from).collect()));
        let shares = [0.5, 0.99, 1.0].map(|share| latencies.share(share));
        assert_eq!(shares, [500.0, 990.0, 1000.0]);
        assert_eq!(Latencies::new(vec![7.0]).share(0.5), 7.0);
        assert!(Latencies::default().share(0.5).is_nan());
    }

    #[test]
    fn what_is_due_before_or_after_does_not_count() {
        let began = Instant::now();
        let at = |millis| began + Duration::from_millis(millis);
        let statements = [(at(1), 10), (at(2), 20), (at(3), 30), (at(4), 40)];
        let statements = statements.map(|(due, took)| (due, Duration::from_millis(took)));
        let within = Statements(statements.to_vec()).within(at(2)..at(4));
        assert_eq!(within.sorted, [20.0, 30.0]);
    }

    #[test]
    fn accounts_are_in_the_table_and_everywhere_in_it() {
        let accounts: Vec<i64> = (0..10_000).map(|number| account(number, 100)).collect();
        for account in 1..=100 {
            assert!(accounts.contains(&account), "{account}");
        }
        assert!(accounts.iter().all(|account| (1..=100).contains(account)));
    }
}
