//! The number that gives a migration its place, and the pair that is its identity.
//!
//! Owns how versions and identities are written and read. Knows nothing of files or databases.

use std::fmt;
use std::str::FromStr;

use crate::Phase;

/// The number of a migration: a timestamp by convention, ordered as a number.
///
/// ```
/// use migrate_core::Version;
/// assert!(Version::new(9) < Version::new(20_261_121_093_000));
/// assert_eq!("0042".parse(), Ok(Version::new(42)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(transparent))]
pub struct Version(i64);

impl Version {
    /// A version; PostgreSQL keeps it as `bigint`.
    pub const fn new(number: i64) -> Self {
        Self(number)
    }

    /// The number itself.
    pub const fn get(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text is not a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAVersion(String);

impl fmt::Display for NotAVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a version: a whole number up to {} is", self.0, i64::MAX)
    }
}

impl std::error::Error for NotAVersion {}

impl FromStr for Version {
    type Err = NotAVersion;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|_| digits);
        number.map(Self).ok_or_else(|| NotAVersion(text.to_owned()))
    }
}

/// What identifies a migration: its version and its phase.
///
/// Ordered by version, then by phase; that is the order of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MigrationId {
    /// Its place in the order.
    pub version: Version,
    /// Its place among the parts of one change.
    pub phase: Phase,
}

impl MigrationId {
    /// Puts the two together.
    pub const fn new(version: Version, phase: Phase) -> Self {
        Self { version, phase }
    }
}

/// As people and directives write it: `20261121093000 contract`.
impl fmt::Display for MigrationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.phase)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_are_versions() {
        for bad in ["", "-1", "+1", " 1", "1a", "9223372036854775808", "٣"] {
            assert!(bad.parse::<Version>().is_err(), "{bad:?}");
        }
        assert_eq!("9223372036854775807".parse(), Ok(Version::new(i64::MAX)));
    }

    #[test]
    fn identities_are_ordered_by_version_then_phase() {
        let id = |v, p| MigrationId::new(Version::new(v), p);
        assert!(id(1, Phase::Contract) < id(2, Phase::Expand));
        assert!(id(2, Phase::Expand) < id(2, Phase::Migrate));
        assert!(id(2, Phase::Migrate) < id(2, Phase::Contract));
    }
}
