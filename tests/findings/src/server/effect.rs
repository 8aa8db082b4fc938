//! What one statement does to the tables that were there before its migration: locks, rows read, files written anew, and
//! statements of running code that fail from then on.

use std::collections::BTreeMap;

use migrate_core::Step;
use sqlx::{PgConnection, Row};

use super::rows::{self, Table};
use super::{Spot, send, state};
use crate::Result;

/// The state of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Standing {
    lock: usize,
    file: Option<i64>,
    read: i64,
}

/// From the weakest; the first three say nothing.
const MODES: [&str; 8] = [
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
];
const WEAK: usize = 3;
/// What a write takes.
const WRITES: usize = 2;

const STANDINGS: &str = "
SELECT c.oid::int8 AS oid, pg_relation_filenode(c.oid)::int8 AS file, coalesce(s.seq_tup_read, 0) AS read,
    (SELECT array_agg(mode) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'
        AND relation = c.oid) AS modes
FROM pg_class c LEFT JOIN pg_stat_xact_all_tables s ON s.relid = c.oid
WHERE c.relkind IN ('r', 'p', 'v', 'm')";

pub(super) async fn of(
    connection: &mut PgConnection,
    old: &[Table],
    step: &Step,
    spot: &Spot<'_>,
) -> Result<String> {
    let in_transaction = !matches!(step, Step::Standalone(_));
    if in_transaction {
        send(connection, "BEGIN").await?;
    }
    for statement in spot.statements.iter().take(spot.index) {
        send(connection, statement).await?;
    }
    let broken = match in_transaction {
        true => rows::broken(connection, old).await?,
        false => Vec::new(),
    };
    let (before, routines) = (standings(connection).await?, routines(connection).await?);
    if let Err(error) = send(connection, spot.text()).await {
        return match in_transaction {
            true => Ok(format!("it fails with {}", state(&*error))),
            false => Err(error),
        };
    }
    let after = standings(connection).await?;
    if !in_transaction {
        send(connection, "BEGIN").await?;
    }
    let mut said = told(old, &before, &after, spot.text());
    let left = self::routines(connection).await?;
    let gone = routines.iter().filter(|name| !left.contains(name));
    said.extend(gone.map(|name| format!("{name} is gone")));
    let now = rows::broken(connection, old).await?;
    said.extend(now.into_iter().filter(|line| !broken.contains(line)));
    Ok(if said.is_empty() { "nothing".to_owned() } else { said.join("; ") })
}

const ROUTINES: &str = "
SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1";

async fn routines(connection: &mut PgConnection) -> Result<Vec<String>> {
    let rows = sqlx::query(ROUTINES).fetch_all(&mut *connection).await?;
    rows.into_iter().map(|row| Ok(row.try_get("name")?)).collect()
}

async fn standings(connection: &mut PgConnection) -> Result<BTreeMap<i64, Standing>> {
    let rows = sqlx::query(STANDINGS).fetch_all(&mut *connection).await?;
    let standing = |row: sqlx::postgres::PgRow| {
        let modes: Option<Vec<String>> = row.try_get("modes")?;
        let rank = |mode: &String| MODES.iter().position(|known| known == mode);
        let lock = modes.iter().flatten().filter_map(rank).max().unwrap_or_default();
        Ok((
            row.try_get("oid")?,
            Standing { lock, file: row.try_get("file")?, read: row.try_get("read")? },
        ))
    };
    rows.into_iter().map(standing).collect()
}

fn told(
    old: &[Table],
    before: &BTreeMap<i64, Standing>,
    after: &BTreeMap<i64, Standing>,
    statement: &str,
) -> Vec<String> {
    let mut said = Vec::new();
    for Table { oid, name, .. } in old {
        let was = before.get(oid).cloned().unwrap_or_default();
        let Some(is) = after.get(oid) else {
            // Others may be gone since an earlier statement.
            said.extend(before.contains_key(oid).then(|| format!("{name} is gone")));
            continue;
        };
        let mode = |lock: usize| MODES.get(lock).copied().unwrap_or_default();
        let is_named = name.rsplit('.').next().is_some_and(|name| statement.contains(name));
        if was.lock >= WEAK && is_named {
            said.push(format!("{} on {name} is held already", mode(was.lock)));
        }
        if is.lock >= WEAK && is.lock > was.lock {
            said.push(format!("{} on {name}", mode(is.lock)));
        }
        // How a query reads others is the planner's to choose.
        if is.read > was.read && is.lock >= WRITES {
            said.push(format!("all rows of {name} read"));
        }
        if is.file != was.file {
            said.push(format!("{name} in a new file"));
        }
    }
    said
}
