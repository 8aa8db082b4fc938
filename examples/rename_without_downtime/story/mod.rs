//! The story: two releases at once, a gate that waits for the last of the old one, and a column that goes.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use migrate_postgres::{Gate, MigrationId, Migrator, Phase, Version};
use migrate_testing::PrivateServer;
use rename_without_downtime::{Error, Release1, Release2};
use sqlx::postgres::{PgPool, PgPoolOptions};

/// What was seen in the end.
#[derive(Debug, Default)]
pub struct Outcome {
    pub statements: u64,
    pub errors: u64,
    pub lost: u64,
    /// Whether the contract had run while an old instance was there.
    pub too_early: bool,
    /// Rows in which the two columns were not alike while both were there.
    pub unlike: i64,
    /// Rows that no instance had touched and that came out with what they went in with.
    pub kept: i64,
    pub columns: String,
}

/// An instance of the application, a process.
struct Instance(Child);

impl Instance {
    fn start(program: &std::path::Path, words: [&str; 3]) -> Result<Self, Error> {
        let mut command = Command::new(program);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped());
        Ok(Self(command.spawn()?))
    }

    /// Whoever waits for what it does would wait for ever if it had ended.
    fn alive(&mut self) -> Result<(), Error> {
        match self.0.try_wait()? {
            None => Ok(()),
            Some(_) => Err("an instance ended before it was told to".into()),
        }
    }

    /// Tells it to end, and adds up what it has done.
    fn stop(mut self, outcome: &mut Outcome) -> Result<(), Error> {
        drop(self.0.stdin.take());
        let mut told = String::new();
        if let Some(mut stdout) = self.0.stdout.take() {
            stdout.read_to_string(&mut told)?;
        }
        if !self.0.wait()?.success() {
            return Err("an instance ended with an error".into());
        }
        let counts: Vec<u64> =
            told.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let [statements, errors, lost] = counts.as_slice() else {
            return Err(format!("an instance said: {told}").into());
        };
        outcome.statements += statements;
        outcome.errors += errors;
        outcome.lost += lost;
        Ok(())
    }
}

/// While both columns are there, and written.
const UNLIKE: &str = "SELECT count(*) FROM users WHERE town IS DISTINCT FROM city";
/// Instances touch the first 5000 rows.
const KEPT: &str = "SELECT count(*) FROM users \
                    WHERE id BETWEEN 5001 AND 20000 AND town = 'city ' || id % 50";

const CHANGE: i64 = 20_261_125_101_500;

pub async fn play(
    server: &PrivateServer,
    program: &std::path::Path,
    tell: impl Fn(&str),
) -> Result<Outcome, Error> {
    let (url, mut outcome) = (server.url("postgres"), Outcome::default());
    let options = server.options("postgres").application_name("story");
    let pool = PgPoolOptions::new().max_connections(2).connect_with(options).await?;
    Migrator::new(Release1).run(&pool).await?;
    let fill = "INSERT INTO users SELECT g, 'user ' || g, 'city ' || g % 50 FROM generate_series(1, 20000) g";
    sqlx::query(fill).execute(&pool).await?;

    tell("two instances of release 1 read and write users.city");
    let old = [
        Instance::start(program, ["old", "1", &url])?,
        Instance::start(program, ["old", "2", &url])?,
    ];
    until(&pool, "SELECT count(*) = 2 FROM schema_migrations_instance").await;

    tell(
        "release 2 starts beside them: it adds users.town, keeps both alike by a trigger, and fills it",
    );
    let mut new = [
        Instance::start(program, ["new", "3", &url])?,
        Instance::start(program, ["new", "4", &url])?,
    ];
    // Whoever tells the story is no part of the application.
    let migrator = Migrator::new(Release2).known("story");
    while !migrator.is_ready(&pool, "town").await? {
        new.iter_mut().try_for_each(Instance::alive)?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    until(&pool, "SELECT count(*) >= 100 FROM users WHERE id >= 3000000").await;
    tell("all rows have both; instances of release 2 read and write users.town");

    let contract = MigrationId::new(Version::new(CHANGE), Phase::Contract);
    for instance in old {
        outcome.too_early |= !migrator.contract(&pool, None).await?.applied.is_empty();
        explain(&migrator.gates(&pool, None).await?, &tell);
        outcome.unlike += sqlx::query_scalar::<_, i64>(UNLIKE).fetch_one(&pool).await?;
        tell("one instance of release 1 is stopped");
        instance.stop(&mut outcome)?;
    }

    tell("nobody of release 1 is left: the gate opens when the soak is over too");
    loop {
        let report = migrator.contract(&pool, None).await?;
        if report.applied.iter().any(|applied| applied.id == contract) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tell("the contract has run: users.city is gone, and release 2 goes on");
    tokio::time::sleep(Duration::from_millis(500)).await;
    for instance in new {
        instance.stop(&mut outcome)?;
    }
    let columns = "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute \
                   WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped";
    outcome.columns = sqlx::query_scalar(columns).fetch_one(&pool).await?;
    outcome.kept = sqlx::query_scalar(KEPT).fetch_one(&pool).await?;
    Ok(outcome)
}

/// What keeps a gate closed, and what would open it.
fn explain(gates: &[Gate], tell: impl Fn(&str)) {
    for check in gates.iter().flat_map(Gate::closed) {
        tell(&format!("  the gate is closed, {}: {}", check.source, check.evidence.why()));
    }
}

async fn until(pool: &PgPool, condition: &'static str) {
    while !matches!(sqlx::query_scalar(condition).fetch_one(pool).await, Ok(true)) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
