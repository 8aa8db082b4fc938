//! Declared and applied, side by side, for people.
//!
//! Owns the list that `status` shows. Decides nothing: what will run is the plan's.

use std::collections::BTreeSet;

use crate::{
    Applied, Direction, Divergences, History, Kind, MigrationId, Plan, Reason, Set, Status, Target,
};

/// One line of a status.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Line {
    /// Which migration.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub standing: Standing,
    /// How it came into the history, when it did.
    pub kind: Option<Kind>,
    /// When the history last heard of it, in UTC, as RFC 3339.
    pub at: Option<String>,
    /// Is it declared by this program or folder?
    pub declared: bool,
}

/// Where a migration stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum Standing {
    /// It was applied.
    Applied,
    /// It was applied, and its declaration has changed since.
    Edited,
    /// Some of it was done.
    Interrupted,
    /// It was taken back.
    Reverted,
    /// It failed; nothing of it stayed.
    Failed,
    /// The next run applies it.
    Pending,
    /// It waits.
    Deferred(Reason),
}

/// Every migration that either side knows, in order.
pub fn status(declared: &Set, applied: &History, target: &Target) -> Vec<Line> {
    let plan = Plan::new(declared, applied, target);
    let ids: BTreeSet<_> =
        declared.iter().map(|m| m.id()).chain(applied.iter().map(|(id, _)| id)).collect();
    ids.into_iter().map(|id| line(id, declared, applied, &plan)).collect()
}

fn line(
    id: MigrationId,
    declared: &Set,
    applied: &History,
    plan: &Result<Plan, Divergences>,
) -> Line {
    let (migration, row) = (declared.get(id), applied.get(id));
    let name = migration.map(|m| m.name()).or(row.map(|row| row.name.as_str()));
    Line {
        id,
        name: name.unwrap_or_default().to_owned(),
        standing: standing(id, migration.map(|m| m.checksum()), row, plan),
        kind: row.map(|row| row.kind),
        at: row.map(|row| row.at.clone()),
        declared: migration.is_some(),
    }
}

fn standing(
    id: MigrationId,
    declared: Option<crate::Checksum>,
    row: Option<&Applied>,
    plan: &Result<Plan, Divergences>,
) -> Standing {
    let deferred = plan.as_ref().ok().and_then(|plan| plan.deferred.iter().find(|d| d.id == id));
    let open = match (deferred, declared) {
        (Some(deferred), _) => Standing::Deferred(deferred.reason),
        (None, _) => Standing::Pending,
    };
    match row.map(|row| (&row.status, row.checksum)) {
        Some((Status::Done, ran)) if declared.is_some_and(|declared| declared != ran) => {
            Standing::Edited
        }
        Some((Status::Done, _)) => Standing::Applied,
        Some((Status::Partial { direction: Direction::Up | Direction::Down, .. }, _)) => {
            Standing::Interrupted
        }
        Some((Status::Reverted, _)) => Standing::Reverted,
        Some((Status::Failed, _)) => Standing::Failed,
        None => open,
    }
}
