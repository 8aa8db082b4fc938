//! What is wrong with a statement, and what to write instead.
//!
//! Owns the shape of a finding. How it looks is the report's.

use std::fmt;
use std::str::FromStr;

use migrate_core::{LockTarget, MigrationId, Place};

use crate::fix::Fix;

/// What a finding does to a build.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The rule is not asked.
    Off,
    /// It is told, and nobody minds.
    Note,
    /// It is told.
    Warn,
    /// It fails.
    Error,
}

impl Level {
    /// The word for it, as rustc says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Level::Off => "off",
            Level::Note => "note",
            Level::Warn => "warning",
            Level::Error => "error",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text is not one of `off`, `note`, `warn` and `error`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotALevel(String);

impl fmt::Display for NotALevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a level: off, note, warn and error are", self.0)
    }
}

impl std::error::Error for NotALevel {}

impl FromStr for Level {
    type Err = NotALevel;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "off" | "allow" => Ok(Level::Off),
            "note" => Ok(Level::Note),
            "warn" | "warning" => Ok(Level::Warn),
            "error" | "deny" => Ok(Level::Error),
            other => Err(NotALevel(other.to_owned())),
        }
    }
}

/// Something that a rule has found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What it does to a build.
    pub level: Level,
    /// The migration.
    pub migration: MigrationId,
    /// Its file, as the user knows it.
    pub file: String,
    /// Where in the file, and that line.
    pub place: Place,
    /// What is wrong, as a fragment.
    pub message: String,
    /// Which lock, for how long, who suffers; or why it fails.
    pub why: String,
    /// What to write instead; SQL stands on lines of its own.
    pub instead: String,
    /// May it be allowed by a directive?
    pub can_be_allowed: bool,
    /// How it may go away without anybody's thought; [`fix`](crate::fix()) looks whether it does.
    pub fix: Option<Fix>,
    /// What its statement locks against others, of what was there before.
    pub locks: Vec<LockTarget>,
}
