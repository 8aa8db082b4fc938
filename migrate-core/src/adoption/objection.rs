//! What stands in the way of taking over sqlx's history, in words.

use std::fmt;

use crate::Version;

/// One thing that stands in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objection {
    /// About which version.
    pub version: Version,
    /// What sqlx calls it.
    pub name: String,
    /// What.
    pub kind: ObjectionKind,
}

/// What can stand in the way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ObjectionKind {
    /// The file is not the one that sqlx ran.
    Changed,
    /// No file has this version.
    Missing,
    /// sqlx's row says that it did not succeed.
    Failed,
    /// Our history says that it was taken back after sqlx had applied it.
    RevertedHere {
        /// When.
        at: String,
    },
    /// Our history has it, and sqlx's table does not any more.
    RevertedThere,
    /// Our history says that it was cut short.
    CutShort,
}

impl ObjectionKind {
    /// What to do about it; the same for all of a kind.
    pub fn help(&self) -> &'static str {
        match self {
            ObjectionKind::Changed => {
                "Restore the file as sqlx ran it, for example from version control; or, where the \
                 database is right as it is, record the present text: `--accept-changed`."
            }
            ObjectionKind::Missing => {
                "Restore the file; or leave the version to sqlx's table alone, if it is never to be \
                 run or taken back again: `--accept-missing`."
            }
            ObjectionKind::Failed => {
                "sqlx does not start on it either: bring the schema to where it should be, then \
                 correct or delete that row of sqlx's table."
            }
            ObjectionKind::RevertedHere { .. } => {
                "If it is gone, delete that row of sqlx's table; if it is there after all, \
                 `mark-applied` says so to our history."
            }
            ObjectionKind::RevertedThere => {
                "If sqlx took it back, record that: `--accept-reverted`. If it is still applied, put \
                 the row back; where the row was deleted by hand for an older program, \
                 `--stop-mirror` and then `--mirror` write it again."
            }
            ObjectionKind::CutShort => {
                "Finish it with `run`, or say with `resolve` what became of it."
            }
        }
    }
}

impl fmt::Display for ObjectionKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ObjectionKind::Changed => f.write_str("the file is not what sqlx ran"),
            ObjectionKind::Missing => f.write_str("sqlx applied it, and no file has this version"),
            ObjectionKind::Failed => f.write_str("sqlx's row says that it did not succeed"),
            ObjectionKind::RevertedHere { at } => {
                write!(f, "was taken back here at {at}, and sqlx's table still has it")
            }
            ObjectionKind::RevertedThere => {
                f.write_str("is applied here, and sqlx's table does not have it any more")
            }
            ObjectionKind::CutShort => f.write_str("was cut short here"),
        }
    }
}

/// Everything that stands in the way; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Objections(Vec<Objection>);

impl Objections {
    pub(super) fn check(mut found: Vec<Objection>) -> Result<(), Self> {
        found.sort_by(|a, b| (&a.kind, a.version).cmp(&(&b.kind, b.version)));
        if found.is_empty() { Ok(()) } else { Err(Self(found)) }
    }

    /// Each of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Objection> {
        self.0.iter()
    }
}

impl fmt::Display for Objections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, Objection { version, name, kind }) in self.0.iter().enumerate() {
            write!(f, "\n  {version} {name}: {kind}")?;
            let next = self.0.get(i + 1).map(|next| next.kind.help());
            if next != Some(kind.help()) {
                write!(f, "\n    help: {}", kind.help())?;
            }
        }
        Ok(())
    }
}

impl std::error::Error for Objections {}
