//! What a person says of a finding, as it is committed.
//!
//! Owns which findings need a verdict: those that are drawn, and all that say that a statement fails which is SQL.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Result;
use crate::case::{Case, Key};

/// What a finding is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Worth {
    /// Whoever reviews the migration would say so too.
    Right,
    /// It is so, and nobody would do anything about it.
    Noise,
    /// It is not so.
    Wrong,
}

impl Worth {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Worth::Right => "right",
            Worth::Noise => "noise",
            Worth::Wrong => "wrong",
        }
    }
}

/// A verdict with its reason.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Verdict {
    folder: String,
    file: String,
    line: u32,
    rule: String,
    pub(crate) verdict: Worth,
    pub(crate) because: String,
    /// What a server did, word for word as `server` says it.
    pub(crate) seen: Option<String>,
}

impl Verdict {
    fn key(&self) -> Key {
        let Verdict { folder, file, rule, .. } = self.clone();
        Key { folder, file, line: self.line, rule }
    }
}

/// All of them.
pub(crate) struct Verdicts(HashMap<Key, Verdict>);

#[derive(Deserialize)]
struct Text {
    finding: Vec<Verdict>,
}

pub(crate) fn read() -> Result<Verdicts> {
    parse(&std::fs::read_to_string(path())?)
}

fn path() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("verdicts.toml")
}

fn parse(text: &str) -> Result<Verdicts> {
    let Text { finding } = toml::from_str(text)?;
    let mut all = HashMap::new();
    for verdict in finding {
        if let Some(twice) = all.insert(verdict.key(), verdict) {
            return Err(format!("two verdicts of {:?}", twice.key()).into());
        }
    }
    Ok(Verdicts(all))
}

impl Verdicts {
    pub(crate) fn of(&self, case: &Case<'_>) -> Option<&Verdict> {
        self.0.get(&case.key())
    }

    pub(crate) fn was_seen(&self, case: &Case<'_>) -> bool {
        self.of(case).is_some_and(|verdict| verdict.seen.is_some())
    }

    /// Why the verdicts are not those of the findings.
    pub(crate) fn wrong(&self, cases: &[Case<'_>], drawn: &[&Case<'_>]) -> Vec<String> {
        let certain = cases.iter().filter(|case| case.is_certain());
        let judged: Vec<Key> = drawn.iter().copied().chain(certain).map(Case::key).collect();
        self.unlike(&judged)
    }

    fn unlike(&self, judged: &[Key]) -> Vec<String> {
        let missing = judged.iter().filter(|key| !self.0.contains_key(key));
        let missing = missing.map(|key| format!("no verdict: {key:?}"));
        let stale = self.0.keys().filter(|key| !judged.contains(key));
        let mut wrong: Vec<String> =
            missing.chain(stale.map(|key| format!("nothing to judge any more: {key:?}"))).collect();
        wrong.sort();
        wrong.dedup();
        wrong
    }

    /// What a server did, if it is not what the verdict says.
    pub(crate) fn seen_otherwise(&self, case: &Case<'_>, seen: &str) -> Option<String> {
        let written = self.of(case)?.seen.as_deref()?;
        let differs = written != seen;
        differs.then(|| format!("{}    written: {written}\n    seen:    {seen}", case.shown()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "[[finding]]\nfolder = \"f\"\nfile = \"1_a.sql\"\nline = 2\nrule = \"r\"\n\
                       verdict = \"right\"\nbecause = \"of it\"\n";

    fn key(line: u32) -> Key {
        Key { folder: "f".into(), file: "1_a.sql".into(), line, rule: "r".into() }
    }

    #[test]
    fn a_finding_without_a_verdict_and_a_verdict_without_a_finding_are_told() {
        let verdicts = parse(ONE).unwrap();
        assert_eq!(verdicts.unlike(&[key(2)]), [""; 0]);
        let wrong = verdicts.unlike(&[key(3)]);
        assert!(wrong[0].starts_with("no verdict: ") && wrong[0].contains("line: 3"), "{wrong:?}");
        assert!(wrong[1].starts_with("nothing to judge any more: "), "{wrong:?}");
    }

    #[test]
    fn one_finding_has_one_verdict() {
        assert!(parse(&format!("{ONE}{ONE}")).is_err());
        assert!(parse(&ONE.replace("right", "maybe")).is_err());
    }
}
