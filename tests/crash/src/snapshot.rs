//! What a database looks like: its catalog, the rows of its tables, and what its history says was done.
//!
//! A line each, and how often. Left out is what differs between two runs of the same: places in the log, times, and the
//! rows that say only that something began or failed. Knows nothing of runs.

use std::collections::BTreeMap;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, PgConnection, Row};

use crate::Result;

const CATALOG: &str = include_str!("catalog.sql");
const HISTORY: &str = include_str!("history.sql");
const HAS_HISTORY: &str = "SELECT to_regclass('public.schema_migrations')::text AS line";

/// A query for each table's rows; when they were written is no part of them.
const ROWS: &str = "SELECT format('SELECT concat_ws('' '', ''row'', %L, to_jsonb(t) - ''{installed_on,execution_time}''::text[]) \
                    AS line FROM %I.%I t', c.relname, n.nspname, c.relname) AS line \
                    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                    WHERE c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' \
                    AND c.relname NOT LIKE 'schema\\_migrations%' ORDER BY 1";

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot(BTreeMap<String, usize>);

impl Snapshot {
    pub(crate) async fn of(database: &PgConnectOptions) -> Result<Self> {
        let mut connection = database.connect().await?;
        let mut all = lines(&mut connection, CATALOG).await?;
        let tables = lines(&mut connection, ROWS).await?;
        if !tables.is_empty() {
            all.extend(lines(&mut connection, &tables.join(" UNION ALL ")).await?);
        }
        if lines(&mut connection, HAS_HISTORY).await?.len() == 1 {
            all.extend(lines(&mut connection, HISTORY).await?);
        }
        connection.close().await?;
        let mut snapshot = Self::default();
        all.into_iter().for_each(|line| *snapshot.0.entry(line).or_default() += 1);
        Ok(snapshot)
    }

    /// What is not as in the other one, a line each.
    pub(crate) fn differs_from(&self, expected: &Self) -> Vec<String> {
        let lines =
            self.0.keys().chain(expected.0.keys().filter(|line| !self.0.contains_key(*line)));
        let differs = |line: &String| {
            let (is, should) = (self.count(line), expected.count(line));
            (is != should).then(|| format!("{is} instead of {should}: {}", line.trim_end()))
        };
        lines.filter_map(differs).collect()
    }

    /// All but what the library keeps for itself.
    pub(crate) fn without_history(&self) -> Self {
        let theirs = self.0.iter().filter(|(line, _)| {
            !line.starts_with("history ") && !line.contains("schema_migrations")
        });
        Self(theirs.map(|(line, count)| (line.clone(), *count)).collect())
    }

    /// Does the history say that all of a migration was done or taken back?
    pub(crate) fn has_applied(&self, id: &str) -> bool {
        self.0.keys().any(|line| line.starts_with(&format!("history {id} ")))
    }

    fn count(&self, line: &str) -> usize {
        self.0.get(line).copied().unwrap_or_default()
    }
}

/// What a query has in its column `line`; nothing where that is null.
pub(crate) async fn lines(connection: &mut PgConnection, sql: &str) -> Result<Vec<String>> {
    let rows: Vec<PgRow> =
        sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(connection).await?;
    let line = |row: &PgRow| row.try_get::<Option<String>, _>("line").map_err(Into::into);
    rows.iter().filter_map(|row| line(row).transpose()).collect()
}
