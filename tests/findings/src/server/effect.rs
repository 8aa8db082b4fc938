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
    let before = standings(connection).await?;
    let statement = spot.statements.get(spot.index).copied().unwrap_or_default();
    if let Err(error) = send(connection, statement).await {
        return Ok(format!("it fails with {}", state(&*error)));
    }
    let after = standings(connection).await?;
    if !in_transaction {
        send(connection, "BEGIN").await?;
    }
    let mut said = told(old, &before, &after);
    said.extend(rows::broken(connection, old).await?);
    Ok(if said.is_empty() { "nothing".to_owned() } else { said.join("; ") })
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
) -> Vec<String> {
    let mut said = Vec::new();
    for Table { oid, name, .. } in old {
        let was = before.get(oid).cloned().unwrap_or_default();
        let Some(is) = after.get(oid) else {
            said.push(format!("{name} is gone"));
            continue;
        };
        let mode = |lock: usize| MODES.get(lock).copied().unwrap_or_default();
        if was.lock >= WEAK {
            said.push(format!("{} on {name} is held already", mode(was.lock)));
        }
        if is.lock >= WEAK && is.lock > was.lock {
            said.push(format!("{} on {name}", mode(is.lock)));
        }
        if is.read > was.read {
            said.push(format!("all rows of {name} read"));
        }
        if is.file != was.file {
            said.push(format!("{name} in a new file"));
        }
    }
    said
}
