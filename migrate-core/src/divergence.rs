//! In what a database and the declared migrations disagree.
//!
//! Owns the list of disagreements, how each is found, and the words for it; some are tolerated and become
//! notices. Everything is told at once.

use std::fmt;

use crate::history::{Applied, Direction};
use crate::{
    Checksum, History, Migration, MigrationId, Phase, Policy, Set, Status, Target, Unit,
    UnknownCode, units,
};

/// One disagreement that makes a plan impossible.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Divergence {
    /// About which migration.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// What.
    pub kind: DivergenceKind,
}

/// In what way a database and the declared migrations disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum DivergenceKind {
    /// It was changed after it had been applied.
    Edited,
    /// Statements of it that had begun were changed before all of it was done.
    EditedHalfway {
        /// The first statement that differs, from 1.
        statement: u32,
    },
    /// It was applied, and is neither declared nor newer than what is.
    Missing,
    /// It was applied by newer code, and the run was told not to start then.
    UnknownNewer,
    /// It was applied by newer code, and removed what this code may need.
    UnknownContract,
    /// It is older than the newest applied one.
    Late {
        /// The newest applied one.
        newest: MigrationId,
    },
    /// Taking it back stopped halfway.
    HalfReverted,
    /// Its author says that there is no way back.
    Irreversible {
        /// And why.
        reason: String,
    },
    /// Nobody wrote a way back.
    NoWayBack,
}

impl Divergence {
    fn new(id: MigrationId, name: &str, kind: DivergenceKind) -> Self {
        Self { id, name: name.to_owned(), kind }
    }

    pub(crate) fn irreversible(id: MigrationId, name: &str, reason: &str) -> Self {
        Self::new(id, name, DivergenceKind::Irreversible { reason: reason.to_owned() })
    }

    pub(crate) fn no_way_back(id: MigrationId, name: &str) -> Self {
        Self::new(id, name, DivergenceKind::NoWayBack)
    }

    fn is_about_the_way_back(&self) -> bool {
        matches!(self.kind, DivergenceKind::Irreversible { .. } | DivergenceKind::NoWayBack)
    }

    /// What to do about it.
    pub fn help(&self) -> String {
        let version = self.id.version;
        match &self.kind {
            DivergenceKind::Edited => {
                "Restore the text that ran and put the change into a new migration; \
                 where the database is right as it is, `repair` records the new text."
                    .to_owned()
            }
            DivergenceKind::EditedHalfway { statement } => format!(
                "Restore statement {statement} and those before it; the ones after may be changed. One that was cut \
                 short may be changed, too, when `resolve` has said that it is to be done again."
            ),
            DivergenceKind::Missing => {
                "Restore its file, for example from version control; or take it back with \
                 `revert` if the history holds its way back."
                    .to_owned()
            }
            DivergenceKind::UnknownNewer => {
                "Deploy the newer code, or allow newer migrations.".to_owned()
            }
            DivergenceKind::UnknownContract => {
                "Deploy the code that brought it; this code may need what it \
                 removed. Where it does not, the contract can say so before it runs: \
                 `-- migrate: compatible because …`."
                    .to_owned()
            }
            DivergenceKind::Late { newest } => format!(
                "Give it a version above {}, or allow late migrations for this run.",
                newest.version
            ),
            DivergenceKind::HalfReverted => {
                format!("Finish with a revert to the version before {version}.")
            }
            DivergenceKind::Irreversible { .. } => {
                "Write a new migration that goes forward to what you need.".to_owned()
            }
            DivergenceKind::NoWayBack => format!(
                "Write its way back (`{version}_{}.down.sql`), or a new migration that goes forward.",
                self.name
            ),
        }
    }
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: ", self.id, self.name)?;
        match &self.kind {
            DivergenceKind::Edited => f.write_str("was changed after it had been applied"),
            DivergenceKind::EditedHalfway { statement } => {
                write!(
                    f,
                    "statement {statement} was changed after it had begun, before all was done"
                )
            }
            DivergenceKind::Missing => f.write_str("was applied and is not declared"),
            DivergenceKind::UnknownNewer => f.write_str("was applied by newer code"),
            DivergenceKind::UnknownContract => f.write_str(
                "was applied by newer code, and a contract removes what older code needs",
            ),
            DivergenceKind::Late { newest } => {
                write!(f, "is older than {newest}, which was applied already")
            }
            DivergenceKind::HalfReverted => f.write_str("was taken back halfway"),
            DivergenceKind::Irreversible { reason } => {
                write!(f, "cannot be taken back, because {reason}")
            }
            DivergenceKind::NoWayBack => f.write_str("has no way back"),
        }
    }
}

/// Something that a plan tolerates and tells.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Notice {
    /// About which migration.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// What.
    pub kind: NoticeKind,
}

/// What a plan tolerates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "kebab-case"))]
#[non_exhaustive]
pub enum NoticeKind {
    /// The database has it, and newer code than this brought it.
    UnknownNewer,
    /// It is older than the newest applied one, and runs all the same.
    Late,
    /// It is Rust code of the application, which this folder does not hold.
    CodeElsewhere,
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NoticeKind::UnknownNewer => "was applied by newer code than this",
            NoticeKind::Late => "is older than the newest applied migration, and runs all the same",
            NoticeKind::CodeElsewhere => {
                "is Rust code of the application and not part of this folder"
            }
        })
    }
}

/// Everything that makes a plan impossible; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divergences(Vec<Divergence>);

impl Divergences {
    pub(crate) fn check(found: Vec<Divergence>) -> Result<(), Self> {
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Divergence> {
        self.0.iter()
    }
}

impl fmt::Display for Divergences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0.iter().all(Divergence::is_about_the_way_back) {
            true => "not all of it can be taken back",
            false => "the database and the declared migrations disagree",
        })?;
        for divergence in &self.0 {
            write!(f, "\n  {divergence}\n    help: {}", divergence.help())?;
        }
        Ok(())
    }
}

impl std::error::Error for Divergences {}

/// Holds what is declared against what was applied; what is tolerated comes back as notices.
pub(crate) fn compare(
    declared: &Set,
    applied: &History,
    target: &Target,
) -> Result<Vec<Notice>, Divergences> {
    let mut judge =
        Judge { declared, target, newest: newest_expand(applied), found: vec![], notices: vec![] };
    for (id, applied) in applied.iter() {
        match declared.get(id) {
            Some(migration) => judge.known(&**migration, applied),
            None => judge.unknown(id, applied),
        }
    }
    for migration in declared {
        judge.late(&**migration, applied);
    }
    Divergences::check(judge.found)?;
    Ok(judge.notices)
}

fn newest_expand(applied: &History) -> Option<MigrationId> {
    let mut done = applied.done().rev().map(|(id, _)| id);
    done.find(|id| id.phase == Phase::Expand)
}

struct Judge<'j> {
    declared: &'j Set,
    target: &'j Target,
    newest: Option<MigrationId>,
    found: Vec<Divergence>,
    notices: Vec<Notice>,
}

impl Judge<'_> {
    fn known(&mut self, migration: &dyn Migration, applied: &Applied) {
        let kind = match &applied.status {
            Status::Done if applied.checksum != migration.checksum() => {
                Some(DivergenceKind::Edited)
            }
            Status::Partial { direction: Direction::Down, .. } => {
                Some(DivergenceKind::HalfReverted)
            }
            Status::Partial { done, started, .. } => {
                let begun: Vec<_> = done.iter().chain(started).copied().collect();
                edited_halfway(migration, &begun)
            }
            Status::Done | Status::Failed | Status::Reverted => None,
        };
        self.report(migration.id(), migration.name(), kind);
    }

    fn unknown(&mut self, id: MigrationId, applied: &Applied) {
        if applied.is_gone() {
            return;
        }
        let elsewhere = self.target.unknown_code == UnknownCode::Elsewhere;
        if applied.is_code() && elsewhere {
            self.notices.push(Notice {
                id,
                name: applied.name.clone(),
                kind: NoticeKind::CodeElsewhere,
            });
        } else if Some(id) <= self.declared.newest() {
            self.report(id, &applied.name, Some(DivergenceKind::Missing));
        } else if id.phase == Phase::Contract && !applied.compatible {
            self.report(id, &applied.name, Some(DivergenceKind::UnknownContract));
        } else {
            self.tolerate(
                id,
                &applied.name,
                self.target.unknown_newer,
                NoticeKind::UnknownNewer,
                DivergenceKind::UnknownNewer,
            );
        }
    }

    /// A deferred phase is never late, nor is what a run before has begun.
    fn late(&mut self, migration: &dyn Migration, applied: &History) {
        let Some(newest) = self.newest else { return };
        let id = migration.id();
        let begun = applied
            .get(id)
            .is_some_and(|a| matches!(a.status, Status::Done | Status::Partial { .. }));
        let wanted = self.target.up_to.is_none_or(|last| id.version <= last);
        if id.phase == Phase::Expand && id < newest && !begun && wanted {
            let late = DivergenceKind::Late { newest };
            self.tolerate(id, migration.name(), self.target.late, NoticeKind::Late, late);
        }
    }

    fn tolerate(
        &mut self,
        id: MigrationId,
        name: &str,
        policy: Policy,
        notice: NoticeKind,
        error: DivergenceKind,
    ) {
        match policy {
            Policy::Error => self.report(id, name, Some(error)),
            Policy::Warn => self.notices.push(Notice { id, name: name.to_owned(), kind: notice }),
        }
    }

    fn report(&mut self, id: MigrationId, name: &str, kind: Option<DivergenceKind>) {
        self.found.extend(kind.map(|kind| Divergence::new(id, name, kind)));
    }
}

/// Statements that ran must not change, nor the one that was cut short: what it left is looked up by its text. The
/// rest of an interrupted file may.
fn edited_halfway(migration: &dyn Migration, begun: &[Checksum]) -> Option<DivergenceKind> {
    let declared: Vec<_> = units(migration.up()).iter().map(Unit::checksum).collect();
    let differs = (0..begun.len()).find(|index| declared.get(*index) != begun.get(*index))?;
    Some(DivergenceKind::EditedHalfway {
        statement: u32::try_from(differs + 1).unwrap_or(u32::MAX),
    })
}
