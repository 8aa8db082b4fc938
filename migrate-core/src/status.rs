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
    /// Is what the database has of it Rust code?
    pub code: bool,
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
    ids.into_iter()
        .map(|id| line(id, declared, applied, open(id, applied, target, &plan)))
        .collect()
}

fn line(id: MigrationId, declared: &Set, applied: &History, open: Standing) -> Line {
    let (migration, row) = (declared.get(id), applied.get(id));
    let name = migration.map(|m| m.name()).or(row.map(|row| row.name.as_str()));
    Line {
        id,
        name: name.unwrap_or_default().to_owned(),
        standing: standing(migration.map(|m| m.checksum()), row, open),
        kind: row.map(|row| row.kind),
        at: row.map(|row| row.at.clone()),
        code: row.is_some_and(Applied::is_code),
        declared: migration.is_some(),
    }
}

/// Where it stands as long as no row speaks of it. Where there is no plan, a phase that nobody asked for waits
/// all the same.
fn open(
    id: MigrationId,
    applied: &History,
    target: &Target,
    plan: &Result<Plan, Divergences>,
) -> Standing {
    let unasked = !applied.is_fresh() && !target.phases.contains(id.phase);
    let reason = match plan {
        Ok(plan) => plan.deferred.iter().find(|d| d.id == id).map(|deferred| deferred.reason),
        Err(_) => unasked.then_some(Reason::PhaseNotAsked),
    };
    reason.map_or(Standing::Pending, Standing::Deferred)
}

fn standing(declared: Option<crate::Checksum>, row: Option<&Applied>, open: Standing) -> Standing {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{id, migration};
    use crate::{Checksum, Record, State};

    fn applied(at: &str, checksum: Checksum) -> Record {
        Record {
            seq: 1,
            id: id(at),
            name: "m".into(),
            kind: Kind::Transaction,
            direction: Direction::Up,
            state: State::Done,
            unit: None,
            checksum,
            has_up: true,
            has_down: true,
            compatible: false,
            at: String::new(),
        }
    }

    #[test]
    fn a_contract_waits_even_where_there_is_no_plan() {
        let set = Set::new([migration("1"), migration("1 contract"), migration("2")]).unwrap();
        let history = History::new([applied("1", Checksum::of_sql("something else"))]);
        let lines = status(&set, &history, &Target::default());
        let standings: Vec<_> = lines.iter().map(|line| line.standing).collect();
        let waits = Standing::Deferred(Reason::PhaseNotAsked);
        assert_eq!(standings, [Standing::Edited, waits, Standing::Pending]);
    }
}
