//! What a run is: a database that is as it says, one thing that a migrator does to it, and what a person would look at
//! where the library cannot know.
//!
//! The migrations are such that doing one twice shows. Knows nothing of what goes wrong.

use std::path::Path;

use migrate_postgres::{
    Error, FromSqlx, MigrationId, Migrator, Phase, Phases, Resolution, Source, Version,
};
use migrate_tests::proxy::{After, Proxy, Which};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection};

use crate::Result;
use crate::code::{Inside, Outside};

pub(crate) type Files = &'static [(&'static str, &'static str)];

#[derive(Clone, Copy, Debug)]
pub(crate) struct Run {
    pub(crate) name: &'static str,
    /// What made the database what it is.
    pub(crate) seed: &'static [Seed],
    pub(crate) files: Files,
    pub(crate) code: Option<Code>,
    pub(crate) act: Act,
    /// Through the application's pool, or by itself.
    pub(crate) pooled: bool,
    pub(crate) role: Option<&'static str>,
    /// What a person would look at.
    pub(crate) truths: &'static [Truth],
    /// The first major version that knows these statements.
    pub(crate) since: u32,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Seed {
    Sql(&'static str),
    Applied(Files),
    /// A run that lost its connection when the server had done what says this.
    CutShort(Files, &'static str),
    /// sqlx's table, with these files as applied.
    Sqlx(Files),
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Code {
    Inside,
    Outside,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    Run,
    RunAllPhases,
    /// What is a change of data in batches.
    Backfill,
    RevertTo(i64),
    Repair,
    Baseline(i64),
    Mark(i64),
    /// Says what became of a statement.
    Resolve(i64, Resolution),
    Adopt,
}

/// Where the truth is about a statement outside transactions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Truth {
    pub(crate) version: i64,
    pub(crate) direction: &'static str,
    pub(crate) statement: i32,
    /// Did it take effect?
    pub(crate) done: &'static str,
    /// What it may have left behind half done, as the statements that clear it away.
    pub(crate) debris: &'static str,
}

const NO_DEBRIS: &str = "SELECT NULL AS line";

impl Truth {
    pub(crate) const fn up(version: i64, statement: i32, done: &'static str) -> Self {
        Self { version, direction: "up", statement, done, debris: NO_DEBRIS }
    }

    pub(crate) const fn down(version: i64, statement: i32, done: &'static str) -> Self {
        Self { direction: "down", ..Self::up(version, statement, done) }
    }

    pub(crate) const fn or_debris(self, debris: &'static str) -> Self {
        Self { debris, ..self }
    }
}

/// Brings a database in use up to date.
pub(crate) const PLAIN: Run = Run {
    name: "",
    seed: &[],
    files: &[],
    code: None,
    act: Act::Run,
    pooled: false,
    role: None,
    truths: &[],
    since: 13,
};

impl Run {
    pub(crate) async fn seed(&self, database: &PgConnectOptions) -> Result<()> {
        for seed in self.seed {
            match seed {
                Seed::Sql(sql) => execute(database, sql).await?,
                Seed::Applied(files) => {
                    Migrator::new(source(files)?).run(database).await?;
                }
                Seed::CutShort(files, words) => {
                    let proxy = Proxy::cut(database.clone(), After, Which::Says(words));
                    let end = Migrator::new(source(files)?).run(&proxy.options()).await;
                    if end.is_ok() || !proxy.was_reached() {
                        return Err(format!("{}: nothing was cut short: {end:?}", self.name).into());
                    }
                }
                Seed::Sqlx(files) => execute(database, &sqlx_rows(files)).await?,
            }
        }
        Ok(())
    }

    pub(crate) fn migrator(&self) -> Result<Migrator> {
        let source = source(self.files)?;
        let source = match self.code {
            Some(Code::Inside) => source.with(Inside),
            Some(Code::Outside) => source.with(Outside),
            None => source,
        };
        let migrator = Migrator::new(source);
        let migrator = match self.act {
            Act::RunAllPhases => {
                migrator.phases(Phases::ALL).waive_everything("a machine that crashes is alone")
            }
            _ => migrator,
        };
        Ok(match self.role {
            Some(role) => migrator.role(role),
            None => migrator,
        })
    }

    /// What comes after what people tell the history, where that shows only then.
    pub(crate) fn after(&self) -> Option<Run> {
        matches!(self.act, Act::Resolve(..)).then_some(Run { act: Act::Run, ..*self })
    }

    /// Does it, once. Whoever does it again does not mind to hear that it was done.
    pub(crate) async fn act(
        &self,
        migrator: &Migrator,
        database: &PgConnectOptions,
        again: bool,
    ) -> std::result::Result<(), Error> {
        match self.act_once(migrator, database).await {
            Err(error) if again && is_done_already(&error) => Ok(()),
            end => end,
        }
    }

    async fn act_once(
        &self,
        migrator: &Migrator,
        database: &PgConnectOptions,
    ) -> std::result::Result<(), Error> {
        match self.act {
            Act::Run | Act::RunAllPhases if self.pooled => {
                let pool = PgPoolOptions::new().max_connections(1).test_before_acquire(false);
                let pool = pool.connect_lazy_with(database.clone());
                let end = migrator.run(&pool).await.map(drop);
                pool.close().await;
                end
            }
            Act::Run | Act::RunAllPhases => migrator.run(database).await.map(drop),
            Act::RevertTo(version) => {
                migrator.revert(database, Some(Version::new(version))).await.map(drop)
            }
            Act::Backfill => migrator.backfill(database).await.map(drop),
            Act::Repair => migrator.repair(database).await.map(drop),
            Act::Baseline(version) => {
                migrator.baseline(database, Version::new(version)).await.map(drop)
            }
            Act::Mark(version) => migrator.mark_applied(database, expand(version), "by hand").await,
            Act::Resolve(version, how) => migrator.resolve(database, expand(version), how).await,
            Act::Adopt => {
                let mirror = FromSqlx::new().mirror();
                migrator.adopt_sqlx_with(database, &mirror).await.map(drop)
            }
        }
    }
}

/// What says that there is nothing left to say.
fn is_done_already(error: &Error) -> bool {
    let told = error.to_string();
    told.contains("is in the history already") || told.contains("was not cut short")
}

pub(crate) fn expand(version: i64) -> MigrationId {
    MigrationId::new(Version::new(version), Phase::Expand)
}

fn source(files: Files) -> Result<Source> {
    let folder = tempfile::tempdir()?;
    let write = |(name, text): &(&str, &str)| std::fs::write(folder.path().join(name), text);
    files.iter().try_for_each(write)?;
    read(folder.path())
}

fn read(folder: &Path) -> Result<Source> {
    Source::read(folder).map_err(|problems| format!("{problems:#?}").into())
}

pub(crate) async fn execute(database: &PgConnectOptions, sql: &str) -> Result<()> {
    let mut connection = database.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut connection).await?;
    Ok(connection.close().await?)
}

/// As sqlx applies them.
fn sqlx_rows(files: Files) -> String {
    let table = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                 installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, \
                 checksum BYTEA NOT NULL, execution_time BIGINT NOT NULL);";
    let rows = files.iter().map(|(name, text)| {
        let (version, name) = name.trim_end_matches(".sql").split_once('_').unwrap_or_default();
        format!(
            "{text}; INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
             VALUES ({version}, '{}', true, sha384(convert_to($text${text}$text$, 'UTF8')), 1);",
            name.replace('_', " ")
        )
    });
    std::iter::once(table.to_owned()).chain(rows).collect()
}
