//! Hazards that a person has found in the folders by hand, and what looks like one.
//!
//! Says of each which rule has to find it, or that none may, and why.

use std::ops::RangeInclusive;
use std::path::Path;

use serde::Deserialize;

use crate::Result;
use crate::judged::Judged;

/// A statement of somebody's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hazard {
    pub(crate) folder: String,
    pub(crate) file: String,
    /// Where the statement begins.
    pub(crate) line: u32,
    /// The rule that finds it; none where there is nothing to find.
    pub(crate) rule: Option<String>,
    pub(crate) because: String,
}

#[derive(Deserialize)]
struct Text {
    hazard: Vec<Hazard>,
}

pub(crate) fn read() -> Result<Vec<Hazard>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("known.toml");
    Ok(toml::from_str::<Text>(&std::fs::read_to_string(path)?)?.hazard)
}

impl Hazard {
    /// Why the findings are not what has to be found.
    pub(crate) fn wrong(&self, judged: &[Judged]) -> Option<String> {
        let Hazard { folder, file, line, rule, because } = self;
        let Some((judged, lines)) = self.place(judged) else {
            return Some(format!("{folder}, {file}:{line}: no statement begins there"));
        };
        let there = judged.findings.iter().filter(|finding| finding.file == *file);
        let found = there.filter(|finding| lines.contains(&finding.place.line));
        let found: Vec<&str> = found.map(|finding| finding.rule).collect();
        let is_right = match rule {
            Some(rule) => found.contains(&rule.as_str()),
            None => found.is_empty(),
        };
        let expected = rule.as_deref().unwrap_or("nothing");
        (!is_right).then(|| {
            format!("{folder}, {file}:{line}: {expected} has to be found, {found:?} is: {because}")
        })
    }

    /// The folder, and the lines of the statement.
    fn place<'j>(&self, judged: &'j [Judged]) -> Option<(&'j Judged, RangeInclusive<u32>)> {
        let judged = judged.iter().find(|judged| judged.name() == self.folder)?;
        let mut scripts = migrate_core::scripts(&judged.migrations);
        let script = scripts.find(|script| script.file == self.file)?;
        let statement = script.statements.iter().find(|statement| statement.line == self.line)?;
        let more = script.statement(statement).lines().count().saturating_sub(1);
        Some((judged, self.line..=self.line + u32::try_from(more).ok()?))
    }
}
