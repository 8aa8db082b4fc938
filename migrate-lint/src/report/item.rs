//! Something that is told, whoever has found it: a rule, or whoever read the folder.

use migrate_core::{MigrationId, Place, Problem, Severity};

use crate::finding::{Finding, Level};

/// Something that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'r> {
    /// The rule that found it; `None` of a file that cannot be read as a migration.
    pub rule: Option<&'r str>,
    /// What it does to a build.
    pub level: Level,
    /// The migration, where it is known.
    pub migration: Option<MigrationId>,
    /// The file, or the folder where no file is to blame.
    pub file: &'r str,
    /// Where in the file.
    pub place: Option<&'r Place>,
    /// What is wrong, as a fragment.
    pub message: &'r str,
    /// Which lock, for how long, who suffers; or why it fails.
    pub why: Option<&'r str>,
    /// What to do about it; SQL stands on lines of its own.
    pub instead: &'r str,
    /// May it be allowed by a directive?
    pub can_be_allowed: bool,
    /// Is there a safe form that may be put in its place?
    pub has_fix: bool,
}

/// What is wrong with a folder and with the SQL in it, in this order.
pub fn items<'r>(problems: &'r [Problem], findings: &'r [Finding]) -> Vec<Item<'r>> {
    problems.iter().map(Item::from).chain(findings.iter().map(Item::from)).collect()
}

impl<'r> From<&'r Finding> for Item<'r> {
    fn from(finding: &'r Finding) -> Self {
        Self {
            rule: Some(finding.rule),
            level: finding.level,
            migration: Some(finding.migration),
            file: &finding.file,
            place: Some(&finding.place),
            message: &finding.message,
            why: Some(&finding.why),
            instead: &finding.instead,
            can_be_allowed: finding.can_be_allowed,
            has_fix: finding.fix.is_some(),
        }
    }
}

impl<'r> From<&'r Problem> for Item<'r> {
    fn from(problem: &'r Problem) -> Self {
        let level = match problem.severity {
            Severity::Error => Level::Error,
            Severity::Warning => Level::Warn,
        };
        Self {
            rule: None,
            level,
            migration: None,
            file: &problem.file,
            place: problem.place.as_ref(),
            message: &problem.message,
            why: None,
            instead: &problem.help,
            can_be_allowed: false,
            has_fix: false,
        }
    }
}
