//! Two releases of an application that share a table. The first reads and writes `city`, the second `town`: both at the
//! same time, until the last of the first has gone.

use std::time::Duration;

use migrate_postgres::{Migrations, Migrator};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::io::AsyncReadExt;

/// The release before.
#[derive(Migrations)]
#[migrations(dir = "migrations/release-1", down = "require")]
pub struct Release1;

/// The release that renames the column, all of it in one pull request.
#[derive(Migrations)]
#[migrations(dir = "migrations/release-2", down = "require")]
pub struct Release2;

/// Whatever ends a process.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// One build of the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Build {
    /// It knows the column as `city`.
    Old,
    /// It knows it as `town`.
    New,
}

impl Build {
    /// How it calls the column.
    fn column(self) -> &'static str {
        match self {
            Build::Old => "city",
            Build::New => "town",
        }
    }

    fn migrator(self) -> Migrator {
        match self {
            Build::Old => Migrator::new(Release1),
            Build::New => Migrator::new(Release2),
        }
    }
}

/// What an instance has done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Served {
    /// Statements that succeeded.
    pub statements: u64,
    /// Statements that failed.
    pub errors: u64,
    /// Rows that were not as this instance, which alone writes them, had left them.
    pub lost: u64,
}

/// Starts as any instance does, serves until its standard input ends, and says good-bye.
///
/// # Errors
/// When the database cannot be migrated.
pub async fn instance(build: Build, number: i64, url: &str) -> Result<Served, Error> {
    let options: PgConnectOptions = url.parse()?;
    let name = format!("app of {}", build.column());
    let options = options.application_name(&name);
    let pool = PgPoolOptions::new().max_connections(3).connect_with(options).await?;
    let migrator = build.migrator();
    let heartbeat = migrator.heartbeat(&pool);
    migrator.run(&pool).await?;
    if build == Build::New {
        // Before all rows have the new column, nobody may rely on it.
        migrator.spawn_backfill(&pool).join().await?;
        while !migrator.is_ready(&pool, "town").await? {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    let served = serve(build, number, &pool).await;
    heartbeat.stop().await;
    pool.close().await;
    Ok(served)
}

/// Rows of an instance: as many as this, from its number on.
const OWN: i64 = 100;

async fn serve(build: Build, number: i64, pool: &PgPool) -> Served {
    let mut served = Served::default();
    let told_to_stop = tokio::spawn(async {
        let mut rest = Vec::new();
        tokio::io::stdin().read_to_end(&mut rest).await.ok() // an error is an end as well
    });
    let mut left: Vec<Option<String>> = vec![None; usize::try_from(OWN).unwrap_or_default()];
    for turn in 0_i64.. {
        if told_to_stop.is_finished() {
            break;
        }
        let at = turn * 37 % OWN;
        let (id, value) = (1_000_000 * number + at, format!("{number}/{turn}"));
        let Some(last) = usize::try_from(at).ok().and_then(|at| left.get_mut(at)) else { break };
        // Read before it is written again: in the hundred turns since, nobody else may have changed it, a backfill included.
        match read(build, pool, id).await {
            Ok(found) if found == *last => served.statements += 1,
            Ok(_) => served.lost += 1,
            Err(_) => served.errors += 1,
        }
        match write(build, turn, pool, id, &value).await {
            Ok(now) => {
                served.statements += 1;
                *last = now;
            }
            Err(_) => served.errors += 1,
        }
        // Rows that were there before, of everybody.
        match touch(build, pool, turn % 5_000 + 1, &value).await {
            Ok(()) => served.statements += 1,
            Err(_) => served.errors += 1,
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    told_to_stop.abort();
    served
}

/// Inserts, updates, empties or deletes a row of its own; what is left in the column.
async fn write(
    build: Build,
    turn: i64,
    pool: &PgPool,
    id: i64,
    value: &str,
) -> Result<Option<String>, sqlx::Error> {
    let (statement, left) = match (turn % 7, build) {
        (0, _) => ("DELETE FROM users WHERE id = $1 AND name <> $2", None),
        (1, Build::Old) => (
            "INSERT INTO users (id, name, city) VALUES ($1, $2, NULL) ON CONFLICT (id) DO UPDATE SET city = NULL",
            None,
        ),
        (1, Build::New) => (
            "INSERT INTO users (id, name, town) VALUES ($1, $2, NULL) ON CONFLICT (id) DO UPDATE SET town = NULL",
            None,
        ),
        (_, Build::Old) => (
            "INSERT INTO users (id, name, city) VALUES ($1, $2, $2) ON CONFLICT (id) DO UPDATE SET city = excluded.city",
            Some(value.to_owned()),
        ),
        (_, Build::New) => (
            "INSERT INTO users (id, name, town) VALUES ($1, $2, $2) ON CONFLICT (id) DO UPDATE SET town = excluded.town",
            Some(value.to_owned()),
        ),
    };
    sqlx::query(statement).bind(id).bind(value).execute(pool).await?;
    Ok(left)
}

/// Names its columns: a plan of `SELECT *` would fail once when one comes or goes.
async fn read(build: Build, pool: &PgPool, id: i64) -> Result<Option<String>, sqlx::Error> {
    let statement = match build {
        Build::Old => "SELECT city FROM users WHERE id = $1",
        Build::New => "SELECT town FROM users WHERE id = $1",
    };
    let found = sqlx::query_scalar::<_, Option<String>>(statement).bind(id).fetch_optional(pool);
    Ok(found.await?.flatten())
}

async fn touch(build: Build, pool: &PgPool, id: i64, value: &str) -> Result<(), sqlx::Error> {
    let statement = match build {
        Build::Old => "UPDATE users SET city = $2 WHERE id = $1",
        Build::New => "UPDATE users SET town = $2 WHERE id = $1",
    };
    sqlx::query(statement).bind(id).bind(value).execute(pool).await.map(drop)
}
