//! The three parts of a change that never takes a running application by surprise.
//!
//! Owns the phases and sets of them. Knows nothing of when they run: that is the plan's.

use std::fmt;
use std::str::FromStr;

/// Which part of a change a migration is. One that has no parts is an [`Expand`](Phase::Expand).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Phase {
    /// Adds what the code that runs now does not notice.
    Expand,
    /// Moves data, builds indexes, validates constraints.
    Migrate,
    /// Removes what the code before needed.
    Contract,
}

impl Phase {
    /// All of them, in their order.
    pub const ALL: [Phase; 3] = [Phase::Expand, Phase::Migrate, Phase::Contract];

    /// The word in file names, directives and the history.
    pub const fn as_str(self) -> &'static str {
        match self {
            Phase::Expand => "expand",
            Phase::Migrate => "migrate",
            Phase::Contract => "contract",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A text is not one of `expand`, `migrate` and `contract`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAPhase(String);

impl fmt::Display for NotAPhase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a phase: expand, migrate and contract are", self.0)
    }
}

impl std::error::Error for NotAPhase {}

impl FromStr for Phase {
    type Err = NotAPhase;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let found = Phase::ALL.into_iter().find(|phase| phase.as_str() == text);
        found.ok_or_else(|| NotAPhase(text.to_owned()))
    }
}

/// A choice of phases.
///
/// ```
/// use migrate_core::{Phase, Phases};
/// assert!(!Phases::START_UP.contains(Phase::Contract));
/// assert!(Phases::START_UP.with(Phase::Contract).contains(Phase::Contract));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Phases(u8);

impl Phases {
    /// None of them.
    pub const NONE: Phases = Phases(0);
    /// Expand and migrate: what an application may do when it starts.
    pub const START_UP: Phases = Phases::NONE.with(Phase::Expand).with(Phase::Migrate);
    /// All three.
    pub const ALL: Phases = Phases::START_UP.with(Phase::Contract);

    /// This choice and one more.
    #[must_use]
    pub const fn with(self, phase: Phase) -> Self {
        Phases(self.0 | 1 << phase as u8)
    }

    /// Is it among them?
    pub const fn contains(self, phase: Phase) -> bool {
        self.0 & (1 << phase as u8) != 0
    }
}

impl Default for Phases {
    fn default() -> Self {
        Phases::START_UP
    }
}

impl FromIterator<Phase> for Phases {
    fn from_iter<I: IntoIterator<Item = Phase>>(phases: I) -> Self {
        phases.into_iter().fold(Phases::NONE, Phases::with)
    }
}
