//! Statements that the schema refuses for certain.

use crate::name::Name;
use crate::statement::ObjectKind;

use super::Birth;

/// Why a statement fails, whatever the rows are.
#[derive(Clone, Debug, PartialEq)]
pub enum Clash {
    /// There is no such thing.
    Missing {
        /// What is missing.
        thing: Thing,
        /// Something of a similar name.
        similar: Option<String>,
    },
    /// There is such a thing already.
    Exists {
        /// What is there.
        thing: Thing,
        /// Who made it.
        born: Birth,
    },
    /// Other things need what is dropped.
    Needed {
        /// What is dropped.
        thing: Thing,
        /// Who needs it.
        by: Vec<String>,
    },
    /// It is something else than the statement says.
    Other {
        /// What it is called for.
        wanted: ObjectKind,
        /// What it is.
        found: ObjectKind,
        /// Its name.
        name: Name,
    },
}

/// Something that is or is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thing {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name, as the statement says it.
    pub name: Name,
    /// The table, for a column, constraint, trigger, policy or rule.
    pub on: Option<Name>,
}

impl Thing {
    pub(super) fn new(kind: ObjectKind, name: &Name) -> Self {
        Self { kind, name: name.clone(), on: None }
    }

    pub(super) fn on(kind: ObjectKind, name: &str, table: &Name) -> Self {
        Self { kind, name: Name::bare(name), on: Some(table.clone()) }
    }
}

impl std::fmt::Display for Thing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} `{}`", self.kind, self.name)?;
        match &self.on {
            Some(table) => write!(f, " of `{table}`"),
            None => Ok(()),
        }
    }
}
