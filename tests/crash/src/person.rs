//! Whoever has to act: runs again until it succeeds, and where the library asks, looks at the database and says what
//! became of the statement.

use migrate_postgres::{Migrator, Resolution};
use sqlx::postgres::PgConnectOptions;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};

use crate::Result;
use crate::run::{Run, Truth, execute, expand};
use crate::snapshot::lines;

/// More than anybody should need.
const RUNS: usize = 5;

const CUT_SHORT: &str = "SELECT version, direction, statement FROM public.schema_migrations s WHERE state = 'started' \
     ORDER BY seq DESC LIMIT 1";

/// Runs again until it succeeds; `through` is what the library gets, `database` what the person looks at.
pub(crate) async fn goes_on(
    run: &Run,
    migrator: &Migrator,
    through: &PgConnectOptions,
    database: &PgConnectOptions,
) -> Result<()> {
    for _ in 0..RUNS {
        match run.act(migrator, through, true).await {
            Ok(()) => return Ok(()),
            Err(error) if error.is_interrupted() => {
                settles(run, migrator, through, database).await?;
            }
            Err(error) => return Err(format!("the next run failed: {error}").into()),
        }
    }
    Err(format!("{RUNS} runs did not come to an end").into())
}

async fn settles(
    run: &Run,
    migrator: &Migrator,
    through: &PgConnectOptions,
    database: &PgConnectOptions,
) -> Result<()> {
    let mut eyes = database.connect().await?;
    let (version, truth) = truth(run, &mut eyes).await?;
    for statement in lines(&mut eyes, truth.debris).await? {
        execute(database, &statement).await?;
    }
    let done: bool =
        sqlx::query_scalar(AssertSqlSafe(truth.done.to_owned())).fetch_one(&mut eyes).await?;
    eyes.close().await?;
    let how = if done { Resolution::Done } else { Resolution::Redo };
    let resolved = migrator.resolve(through, expand(version), how).await;
    resolved.map_err(|error| format!("it could not be resolved: {error}").into())
}

/// Which statement it is, and where a person would look.
async fn truth(run: &Run, eyes: &mut PgConnection) -> Result<(i64, Truth)> {
    let row = sqlx::query(CUT_SHORT).fetch_one(eyes).await?;
    let (version, direction): (i64, String) = (row.try_get(0)?, row.try_get(1)?);
    let statement: i32 = row.try_get(2)?;
    let is_it = |truth: &&Truth| {
        truth.version == version && truth.direction == direction && truth.statement == statement
    };
    let truth = run.truths.iter().find(is_it).copied();
    let truth = truth.ok_or_else(|| {
        format!("the library asks a person about statement {statement} of {version}, {direction}")
    })?;
    Ok((version, truth))
}
