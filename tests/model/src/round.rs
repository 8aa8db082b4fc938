//! One round: a table, two workers that fill it, four sessions that write it meanwhile, and what has come of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use migrate_postgres::{Event, Migrator, Observer, Source};
use migrate_testing::Server;
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Row};
use tokio::sync::Notify;

use crate::Result;
use crate::operation::{Operations, SESSIONS};
use crate::session::{Rows, Session};
use crate::shape::{self, Shape};

/// Operations of all sessions in a round.
pub(crate) const OPERATIONS: u64 = 1_000;

/// What came of a round.
pub(crate) struct Told {
    pub(crate) shape: &'static str,
    /// Operations while the filling was under way.
    pub(crate) beside: u64,
    pub(crate) differences: Vec<String>,
}

/// Tells when the first batch is done, and when all is.
#[derive(Clone, Default)]
struct Progress(Arc<Inner>);

#[derive(Default)]
struct Inner {
    first: Notify,
    is_over: AtomicBool,
    beside: AtomicU64,
}

impl Observer for Progress {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Batch { .. }) {
            self.0.first.notify_one();
        }
    }
}

pub(crate) async fn played(server: &Server, seed: u64, round: u64) -> Result<Told> {
    let major = server.version() / 10_000;
    let shapes: Vec<Shape> = shape::ALL.into_iter().filter(|shape| shape.since <= major).collect();
    let place = usize::try_from(round)? % shapes.len();
    let shape = *shapes.get(place).ok_or("no shape")?;
    let name = format!("round_{round}");
    execute(&server.options("postgres"), &format!("CREATE DATABASE {name}")).await?;
    let options = server.options(&name);
    let told = beside(&options, shape, seed, round).await?;
    execute(&server.options("postgres"), &format!("DROP DATABASE {name} WITH (FORCE)")).await?;
    Ok(told)
}

async fn beside(options: &PgConnectOptions, shape: Shape, seed: u64, round: u64) -> Result<Told> {
    execute(options, &shape.table()).await?;
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("1_fill.migrate.sql"), shape.migration)?;
    let source = Source::read(folder.path()).map_err(|problems| format!("{problems:#?}"))?;
    let progress = Progress::default();
    let migrator = Migrator::new(source).ranges(2).observer(progress.clone());
    let sessions = async {
        progress.0.first.notified().await;
        let mut all = [0, 1, 2, 3]
            .map(|number| Box::pin(wrote(options, shape, (seed, round, number), &progress)));
        let [a, b, c, d] = &mut all;
        tokio::try_join!(a, b, c, d)
    };
    let work = async {
        let done = tokio::try_join!(migrator.backfill(options), migrator.backfill(options));
        progress.0.is_over.store(true, Ordering::Relaxed);
        progress.0.first.notify_one();
        done
    };
    let (wrote, filled) = tokio::join!(sessions, work);
    filled?;
    let (a, b, c, d) = wrote?;
    let expected: Rows = [a, b, c, d].into_iter().flatten().collect();
    let beside = progress.0.beside.load(Ordering::Relaxed);
    Ok(Told { shape: shape.name, beside, differences: differences(options, &expected).await? })
}

/// What one session does, and what its rows have to be then.
async fn wrote(
    options: &PgConnectOptions,
    shape: Shape,
    (seed, round, number): (u64, u64, i64),
    progress: &Progress,
) -> Result<Rows> {
    let is_ours = |id: i64| id.rem_euclid(SESSIONS) == number;
    let rows = shape::first_rows().filter(|((id, _), _)| is_ours(*id));
    let rows: Rows = rows.map(|((id, part), old)| (id, (part, old))).collect();
    let keys = rows.iter().map(|(id, (part, _))| (*id, *part));
    let mut operations = Operations::new(seed, round, number, keys);
    let mut session = Session::open(options, shape, number, rows).await?;
    for _ in 0..OPERATIONS / SESSIONS.unsigned_abs() {
        session.does(&operations.next()).await?;
        let is_beside = !progress.0.is_over.load(Ordering::Relaxed);
        progress.0.beside.fetch_add(u64::from(is_beside), Ordering::Relaxed);
    }
    session.close().await
}

/// More of them say nothing new.
const FEW: usize = 10;

async fn differences(options: &PgConnectOptions, expected: &Rows) -> Result<Vec<String>> {
    let mut connection = options.connect().await?;
    let rows = "SELECT id, k::bigint AS k, old, new, n FROM t ORDER BY id";
    let rows = sqlx::raw_sql(AssertSqlSafe(rows)).fetch_all(&mut connection).await?;
    connection.close().await?;
    let mut wrong = Vec::new();
    let mut missing = expected.clone();
    for row in &rows {
        let (id, part, n): (i64, i64, i32) =
            (row.try_get("id")?, row.try_get("k")?, row.try_get("n")?);
        let (old, new): (Option<String>, Option<String>) =
            (row.try_get("old")?, row.try_get("new")?);
        let should = missing.remove(&id);
        if should.as_ref() != Some(&(part, old.clone())) {
            wrong.push(format!("row {id} is {old:?} in part {part} instead of {should:?}"));
        }
        if new != old.as_ref().map(|old| format!("n:{old}")) {
            wrong.push(format!("row {id} has {old:?} and {new:?}"));
        }
        if n > 1 {
            wrong.push(format!("row {id} was filled {n} times"));
        }
    }
    wrong.extend(missing.keys().map(|id| format!("row {id} is missing")));
    wrong.truncate(FEW);
    Ok(wrong)
}

async fn execute(options: &PgConnectOptions, sql: &str) -> Result<()> {
    let mut connection = options.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    Ok(connection.close().await?)
}
