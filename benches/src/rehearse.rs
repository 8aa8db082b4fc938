//! What a rehearsal predicts, beside what it then takes.
//!
//! Two tables are filled, everything is rehearsed, and then each step is really done. Owns the story and the names
//! of the figures; the steps are the folder `rehearse`.

use std::time::{Duration, Instant};

use migrate_postgres::{Basis, Migrations, Migrator, Rehearsal, Rehearse, Version};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::figures::{Figures, Key};
use crate::server::Bench;
use crate::{Result, progress};

#[derive(Migrations)]
#[migrations(dir = "rehearse", down = "ignore")]
struct Embedded;

/// A step, by its version in the folder and the name that it has in the figures.
const STEPS: [(i64, &str); 5] = [
    (2, "index concurrently"),
    (3, "index"),
    (5, "check validated"),
    (7, "foreign key validated"),
    (9, "backfill"),
];

/// What was said that it would take.
pub const PREDICTED: &str = "predicted_s";
/// What it took.
pub const REAL: &str = "real_s";
/// The same of the server's log.
pub const PREDICTED_WAL: &str = "predicted_wal_mb";
/// What it grew by.
pub const REAL_WAL: &str = "real_wal_mb";
/// The factor between what was predicted and what it took, whichever is larger; 1 is exact.
pub const FACTOR: &str = "factor";
/// The rehearsal itself.
pub const REHEARSAL: &str = "rehearsal_s";

/// The figure of a step.
pub fn key(measure: &'static str, mode: &'static str) -> Key {
    Key { measure, tool: "migrate", mode, migrations: 1 }
}

/// The names of the steps.
pub fn steps() -> impl Iterator<Item = &'static str> {
    STEPS.into_iter().map(|(_, name)| name)
}

/// Rehearses on a table of so many rows and does it, once.
///
/// # Errors
/// When anything fails.
pub async fn measure(figures: &mut Figures, bench: &Bench, rows: u64) -> Result<()> {
    let database = bench.create().await?;
    let pool =
        PgPoolOptions::new().max_connections(2).connect_with(bench.options(&database)).await?;
    let migrator = Migrator::new(Embedded).budget(Duration::from_secs(24 * 3600));
    migrator.run_to(&pool, Version::new(1)).await?;
    fill(&pool, rows).await?;
    progress(&format!("{rows} rows are there"));
    let rehearsal = migrator.rehearse(&pool, &Rehearse::default()).await?;
    progress(&format!("rehearsed in {:.1} s", rehearsal.took.as_secs_f64()));
    figures.add(key(REHEARSAL, "everything"), rehearsal.took.as_secs_f64());
    for version in 2..=9 {
        let before = wal(&pool).await?;
        let began = Instant::now();
        let report = migrator.run_to(&pool, Version::new(version)).await?;
        let called = began.elapsed();
        let real = report.applied.first().map_or(called, |applied| applied.took).as_secs_f64();
        let wal = (wal(&pool).await? - before) / 1e6;
        if let Some((_, name)) = STEPS.iter().find(|(step, _)| *step == version) {
            note(figures, &rehearsal, version, name, (real, wal))?;
        }
    }
    pool.close().await;
    Ok(())
}

fn note(
    figures: &mut Figures,
    rehearsal: &Rehearsal,
    version: i64,
    name: &'static str,
    (real, real_wal): (f64, f64),
) -> Result<()> {
    let steps = rehearsal.steps.iter().filter(|step| step.id.version == Version::new(version));
    let step = steps.clone().next().ok_or("a step that was not rehearsed")?;
    if let Basis::NotRun(why) | Basis::Failed(why) = &step.basis {
        return Err(format!("{name} was not rehearsed: {why}").into());
    }
    let predicted = step.time.unwrap_or_default().as_secs_f64();
    #[expect(clippy::cast_precision_loss, reason = "a figure")]
    let predicted_wal = step.wal.unwrap_or_default() as f64 / 1e6;
    progress(&format!(
        "{name}: {predicted:.2} s predicted, {real:.2} s real ({:.2}); log {predicted_wal:.0} MB and {real_wal:.0} MB",
        predicted / real
    ));
    figures.add(key(PREDICTED, name), predicted);
    figures.add(key(REAL, name), real);
    figures.add(key(PREDICTED_WAL, name), predicted_wal);
    figures.add(key(REAL_WAL, name), real_wal);
    figures.add(key(FACTOR, name), (predicted / real).max(real / predicted));
    figures.compare(key(PREDICTED, name), key(REAL, name));
    figures.compare(key(PREDICTED_WAL, name), key(REAL_WAL, name));
    Ok(())
}

async fn fill(pool: &PgPool, rows: u64) -> Result<()> {
    let customers = rows / 10;
    let mut connection = PgConnection::connect_with(&pool.connect_options()).await?;
    let fill = format!(
        "INSERT INTO customers SELECT i, 'customer ' || i FROM generate_series(1, {customers}) i;
         INSERT INTO orders SELECT i, 1 + (i::bigint * 7919) % {customers}, md5(i::text) || '@Example.org', 1 + i % 1000,
             repeat('x', (i % 40)::int) FROM generate_series(1, {rows}) i;"
    );
    sqlx::raw_sql(AssertSqlSafe(fill)).execute(&mut connection).await?;
    for sql in ["VACUUM ANALYZE customers", "VACUUM ANALYZE orders", "CHECKPOINT"] {
        sqlx::raw_sql(sql).execute(&mut connection).await?;
    }
    Ok(connection.close().await?)
}

async fn wal(pool: &PgPool) -> Result<f64> {
    let sql = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8";
    Ok(sqlx::query_scalar(sql).fetch_one(pool).await?)
}
