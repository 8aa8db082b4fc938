//! The story: a table is filled while an application writes it, whoever fills is killed, the server is restarted.

use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use backfill::AppMigrations;
use migrate_postgres::{Migrator, Version};
use migrate_testing::PrivateServer;
use sqlx::postgres::{PgPool, PgPoolOptions};

pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// What was seen in the end.
#[derive(Debug)]
pub struct Outcome {
    pub rows: i64,
    pub unfilled: i64,
    pub writes: u64,
    /// What the history says.
    pub said: String,
}

/// Plays it with so many rows; `worker` starts whoever fills.
pub async fn play(
    server: &PrivateServer,
    rows: u64,
    worker: impl Fn(&str) -> std::io::Result<Child>,
    tell: impl Fn(&str),
) -> Result<Outcome, Error> {
    let (url, pool) = (server.url("postgres"), pool(server));
    tell(&format!("a table of {rows} rows, from before the column was thought of"));
    Migrator::new(AppMigrations).run_to(&pool, Version::new(20_261_110_090_000)).await?;
    let fill = "INSERT INTO accounts (email) SELECT 'User.' || g || '@Example.com' FROM generate_series(1, $1::bigint) g";
    sqlx::query(fill).bind(i64::try_from(rows)?).execute(&pool).await?;
    sqlx::query("ANALYZE accounts").execute(&pool).await?;

    let load = Load::start(&pool, rows);
    tell("a new release starts: it adds the column at once, and fills it beside the application");
    let mut first = worker(&url)?;
    until(&pool, "SELECT coalesce(sum(seen), 0) > 0 FROM schema_migrations_range").await;
    tell("kill -9: whoever fills is gone");
    first.kill()?;
    first.wait()?;

    let mut second = worker(&url)?;
    tell("the next one goes on behind the last batch; now the server is restarted");
    until(
        &pool,
        "SELECT count(DISTINCT fence) > 0 AND max(fence) > 1 FROM schema_migrations_range",
    )
    .await;
    server.restart()?;
    if !second.wait()?.success() {
        tell("the restart took the worker along; another one goes on");
        if !worker(&url)?.wait()?.success() {
            return Err("nobody could fill the table".into());
        }
    }

    let writes = load.stop().await;
    let said = "SELECT reason FROM schema_migrations WHERE kind = 'backfill' AND state = 'done'";
    let said: String = sqlx::query_scalar(said).fetch_one(&pool).await?;
    let counts = "SELECT count(*), count(*) FILTER (WHERE email_lower IS DISTINCT FROM lower(email)) FROM accounts";
    let (rows, unfilled) = sqlx::query_as(counts).fetch_one(&pool).await?;
    Ok(Outcome { rows, unfilled, writes, said })
}

fn pool(server: &PrivateServer) -> PgPool {
    let options = server.options("postgres");
    PgPoolOptions::new().max_connections(6).connect_lazy_with(options)
}

/// Waits until something is true; a server that is not there yet says nothing.
async fn until(pool: &PgPool, condition: &'static str) {
    while !matches!(sqlx::query_scalar(condition).fetch_one(pool).await, Ok(true)) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// An application that reads and writes the table all the time, and knows nothing of the column.
struct Load {
    stop: Arc<AtomicBool>,
    writes: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(pool: &PgPool, rows: u64) -> Self {
        let (stop, writes) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let tasks = (0..4u64).map(|number| {
            let (pool, stop, writes) = (pool.clone(), stop.clone(), writes.clone());
            tokio::spawn(async move {
                let mut at = number;
                while !stop.load(Ordering::Relaxed) {
                    at = (at + 7_919) % rows + 1;
                    if write(&pool, at).await.is_ok() {
                        writes.fetch_add(1, Ordering::Relaxed);
                    } // while the server restarts there is nobody to write to
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            })
        });
        Self { tasks: tasks.collect(), stop, writes }
    }

    async fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        for task in self.tasks {
            task.await.ok(); // a task that panicked has written no more
        }
        self.writes.load(Ordering::Relaxed)
    }
}

async fn write(pool: &PgPool, at: u64) -> Result<(), sqlx::Error> {
    let at = i64::try_from(at).unwrap_or_default();
    let (statement, email) = match at % 3 {
        0 => ("UPDATE accounts SET email = $1 WHERE id = $2", format!("New.{at}@Example.com")),
        1 => {
            ("UPDATE accounts SET visits = visits + 1 WHERE id = $2 AND email <> $1", String::new())
        }
        _ => (
            "INSERT INTO accounts (email, visits) VALUES ($1, ($2::bigint % 9)::int)",
            format!("Next.{at}@Example.com"),
        ),
    };
    sqlx::query(statement).bind(email).bind(at).execute(pool).await.map(drop)
}
