//! A finding that a person can agree with or not.

use migrate_lint::{Finding, Level};

use crate::judged::Judged;

/// A finding of a folder.
pub(crate) struct Case<'j> {
    pub(crate) judged: &'j Judged,
    pub(crate) finding: &'j Finding,
}

/// What tells a case from all others.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) folder: String,
    pub(crate) file: String,
    pub(crate) line: u32,
    pub(crate) rule: String,
}

/// All of them, in the order of folders and files. Of several on one line by one rule the first stands for all.
pub(crate) fn all(judged: &[Judged]) -> Vec<Case<'_>> {
    let of = |judged| move |finding| Case { judged, finding };
    let mut cases: Vec<Case<'_>> =
        judged.iter().flat_map(|judged| judged.findings.iter().map(of(judged))).collect();
    let mut seen = std::collections::HashSet::new();
    cases.retain(|case| seen.insert(case.key()));
    cases
}

impl Case<'_> {
    pub(crate) fn key(&self) -> Key {
        let Finding { file, place, rule, .. } = self.finding;
        Key {
            folder: self.judged.name(),
            file: file.clone(),
            line: place.line,
            rule: (*rule).to_owned(),
        }
    }

    /// Does the finding say that the statement fails wherever it runs?
    pub(crate) fn is_certain(&self) -> bool {
        CERTAIN.contains(&self.finding.rule)
    }

    /// Does the finding say that the statement is no SQL?
    pub(crate) fn is_no_sql(&self) -> bool {
        self.finding.rule == "syntax_error"
    }

    /// For whoever has to judge it.
    pub(crate) fn shown(&self) -> String {
        let Finding { rule, level, .. } = self.finding;
        let level = if *level == Level::Error { "error" } else { "warning" };
        format!("{}\n{level}[{rule}]: {}\n", self.judged.name(), self.finding)
    }
}

/// The rules that speak of failures, and not of hazards. Of what is no SQL, a server is asked.
const CERTAIN: [&str; 4] =
    ["duplicate_column", "missing_object", "existing_object", "needed_object"];
