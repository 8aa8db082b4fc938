//! What a database is busy with on account of a migration, for whoever looks on.
//!
//! Owns the values and what is read for them: who migrates, how far it is, who is in its way and who waits behind it.
//! Read-only, and on any connection; knows nothing of the run that it looks at but its process.

use std::time::Duration;

use migrate_core::LockMode;
use migrate_core::sql::mask::masked;
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::blocker::{Blocker, BlockerKind};
use crate::error::Error;
use crate::progress::Progress;
use crate::sql::{self, Names};
use crate::wire::{number, rows, send, text, truth};

/// What happens at this moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Activity {
    /// The migrator that has the lock of this set, if there is one.
    pub migrator: Option<AtWork>,
}

/// A migrator at work.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct AtWork {
    /// Its process on the server.
    pub pid: i32,
    /// Its `application_name`: the set, and the host and process of the program.
    pub application: String,
    /// Its role.
    pub role: String,
    /// How long it is connected; without the rights of `pg_read_all_stats` another role's cannot be seen.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "connected_ms", serialize_with = "crate::data::milliseconds_if_known")
    )]
    pub connected: Option<Duration>,
    /// What it does: `apply 7 expand create_users`; none between two migrations, or where it cannot be seen.
    pub doing: Option<String>,
    /// Since it sent that.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "elapsed_ms", serialize_with = "crate::data::milliseconds_if_known")
    )]
    pub elapsed: Option<Duration>,
    /// How far it is, where the server tells.
    pub progress: Option<Progress>,
    /// Whom it waits for.
    pub blockers: Vec<Blocker>,
    /// Who waits for it, first those that wait for it directly, each followed by those that wait for them.
    pub waiting: Vec<Waiting>,
}

/// A session that waits for another's lock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[non_exhaustive]
pub struct Waiting {
    /// Its process.
    pub pid: i32,
    /// How many stand between: 0 waits for the migrator itself.
    pub depth: u32,
    /// Its role.
    pub role: String,
    /// Its `application_name`.
    pub application: String,
    /// Since when.
    #[cfg_attr(
        feature = "serde",
        serde(rename = "waited_ms", serialize_with = "crate::data::milliseconds_if_known")
    )]
    pub waited: Option<Duration>,
    /// What it wants to do, each value as `?`; empty where that cannot be seen.
    pub statement: String,
}

impl Activity {
    pub(crate) async fn look(eye: &mut PgConnection, names: &Names) -> Result<Self, Error> {
        let look = look(eye, names).await;
        look.map_err(|error| Error::driver("look at what the server does", error))
    }
}

async fn look(eye: &mut PgConnection, names: &Names) -> Result<Activity, sqlx::Error> {
    let Some(row) = send(eye, names.at_work()).await? else { return Ok(Activity::default()) };
    let Some(pid) = pid(&row, "pid") else { return Ok(Activity::default()) };
    let told = |column| text(&row, column).unwrap_or_default().to_owned();
    let migrator = AtWork {
        pid,
        application: told("application"),
        role: told("role"),
        connected: millis(&row, "session_ms"),
        doing: text(&row, "statement").and_then(doing).map(ToOwned::to_owned),
        elapsed: millis(&row, "elapsed_ms"),
        progress: progress(eye, pid).await?,
        blockers: in_the_way(eye, pid).await?,
        waiting: waiting(eye, pid).await?,
    };
    Ok(Activity { migrator: Some(migrator) })
}

/// The comment that a migrator puts ahead of what it sends.
fn doing(statement: &str) -> Option<&str> {
    let (doing, _) = statement.split_once("/* migrate: ")?.1.split_once(" */")?;
    Some(doing)
}

/// How far a session is.
pub(crate) async fn progress(
    eye: &mut PgConnection,
    pid: i32,
) -> Result<Option<Progress>, sqlx::Error> {
    let version = eye.server_version_num().unwrap_or_default();
    let row = send(eye, sql::progress(version, pid)).await?;
    Ok(row.as_ref().map(Progress::of))
}

/// Whom a session waits for.
pub(crate) async fn in_the_way(
    eye: &mut PgConnection,
    pid: i32,
) -> Result<Vec<Blocker>, sqlx::Error> {
    let rows = rows(eye, sql::in_the_way(pid)).await?;
    Ok(rows.iter().map(blocker).collect())
}

/// Who waits for a session, and for those that do.
pub(crate) async fn waiting(eye: &mut PgConnection, pid: i32) -> Result<Vec<Waiting>, sqlx::Error> {
    let rows = rows(eye, sql::queue().to_owned()).await?;
    let queue: Vec<_> = rows.iter().filter_map(queued).collect();
    Ok(behind(pid, &queue))
}

/// Who waits, and for whom.
type Queued = (Waiting, Vec<i32>);

/// The tree behind a session, each once: where it waits longest.
fn behind(pid: i32, queue: &[Queued]) -> Vec<Waiting> {
    let mut tree = Vec::new();
    let mut met = vec![pid];
    grow(pid, 0, queue, &mut met, &mut tree);
    tree
}

/// Whoever waits for the root directly stands below it, also where it waits for others too.
fn grow(root: i32, depth: u32, queue: &[Queued], met: &mut Vec<i32>, tree: &mut Vec<Waiting>) {
    let next: Vec<_> = queue
        .iter()
        .filter(|(one, behind)| behind.contains(&root) && !met.contains(&one.pid))
        .collect();
    met.extend(next.iter().map(|(one, _)| one.pid));
    for (one, _) in next {
        tree.push(Waiting { depth, ..one.clone() });
        grow(one.pid, depth + 1, queue, met, tree);
    }
}

fn queued(row: &PgRow) -> Option<Queued> {
    let told = |column| text(row, column).unwrap_or_default().to_owned();
    let behind = text(row, "behind")?.split(',').filter_map(|pid| pid.parse().ok()).collect();
    let waiting = Waiting {
        pid: pid(row, "pid")?,
        depth: 0,
        role: told("role"),
        application: told("application"),
        waited: millis(row, "waited_ms"),
        statement: shown(row),
    };
    Some((waiting, behind))
}

/// Somebody in the way, as a row has them.
pub(crate) fn blocker(row: &PgRow) -> Blocker {
    let told = |column| text(row, column).unwrap_or_default().to_owned();
    Blocker {
        pid: pid(row, "pid"),
        kind: BlockerKind::of(text(row, "kind").unwrap_or_default()),
        relation: told("relation"),
        mode: text(row, "held").and_then(LockMode::of_shown).unwrap_or(LockMode::AccessShare),
        queued: !truth(row, "granted"),
        age: millis(row, "age_ms").unwrap_or_default(),
        role: told("role"),
        application: told("application"),
        statement: shown(row),
    }
}

/// As much of a statement as fits a line beside who it is.
const LONGEST_STATEMENT: usize = 100;

fn shown(row: &PgRow) -> String {
    masked(text(row, "statement").unwrap_or_default(), LONGEST_STATEMENT)
}

fn pid(row: &PgRow, column: &str) -> Option<i32> {
    number(row, column).and_then(|pid| i32::try_from(pid).ok())
}

/// A clock that was set back makes no negative time.
fn millis(row: &PgRow, column: &str) -> Option<Duration> {
    let millis = number(row, column)?;
    Some(Duration::from_millis(u64::try_from(millis).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queued(pid: i32, behind: &[i32]) -> Queued {
        let waiting = Waiting { pid, depth: 9, ..Waiting::default() };
        (waiting, behind.to_vec())
    }

    fn tree(queue: &[Queued]) -> Vec<(i32, u32)> {
        behind(1, queue).iter().map(|one| (one.pid, one.depth)).collect()
    }

    #[test]
    fn those_behind_stand_below_whom_they_wait_for() {
        assert_eq!(tree(&[]), []);
        let queue = [queued(2, &[1]), queued(3, &[2, 9]), queued(4, &[1, 2]), queued(5, &[8])];
        assert_eq!(tree(&queue), [(2, 0), (3, 1), (4, 0)]);
    }

    #[test]
    fn a_deadlock_has_an_end() {
        assert_eq!(tree(&[queued(2, &[1, 3]), queued(3, &[2]), queued(1, &[3])]), [(2, 0), (3, 1)]);
    }

    #[test]
    fn what_it_does_stands_ahead_of_what_it_sends() {
        let sent = "/* migrate: apply 7 expand create_users */ BEGIN; SELECT '/* x */'";
        assert_eq!(doing(sent), Some("apply 7 expand create_users"));
        assert_eq!(doing("SELECT 1"), None);
    }
}
