//! What has to be true before a contract may run, as a value.
//!
//! Whoever looked says what each source of evidence knows; a gate is open when every one of them is, or somebody has
//! waived it by its name. Owns that rule, and the hash that an approval is bound to. Looks at nothing itself: which
//! sources there are, and what they look at, is the runner's to know.

use std::borrow::Cow;

use crate::{Checksum, MigrationId};

/// What one source knows of a contract.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase", tag = "verdict"))]
pub enum Evidence {
    /// Nothing is in the way.
    Open {
        /// What was found.
        why: String,
    },
    /// Something needs what the contract removes.
    Closed {
        /// What.
        why: String,
        /// What would open it.
        opens: String,
    },
    /// Nobody can tell, which is as good as no.
    Unknown {
        /// Why not.
        why: String,
        /// What would let somebody tell.
        opens: String,
    },
}

impl Evidence {
    /// Nothing is in the way.
    pub fn open(why: impl Into<String>) -> Self {
        Evidence::Open { why: why.into() }
    }

    /// Something needs what the contract removes.
    pub fn closed(why: impl Into<String>, opens: impl Into<String>) -> Self {
        Evidence::Closed { why: why.into(), opens: opens.into() }
    }

    /// Nobody can tell.
    pub fn unknown(why: impl Into<String>, opens: impl Into<String>) -> Self {
        Evidence::Unknown { why: why.into(), opens: opens.into() }
    }

    /// Does it let the contract pass?
    pub fn is_open(&self) -> bool {
        matches!(self, Evidence::Open { .. })
    }

    /// What was found, or why nothing is known.
    pub fn why(&self) -> &str {
        match self {
            Evidence::Open { why }
            | Evidence::Closed { why, .. }
            | Evidence::Unknown { why, .. } => why,
        }
    }

    /// What would open it, where it is not.
    pub fn opens(&self) -> Option<&str> {
        match self {
            Evidence::Open { .. } => None,
            Evidence::Closed { opens, .. } | Evidence::Unknown { opens, .. } => Some(opens),
        }
    }

    fn word(&self) -> &'static str {
        match self {
            Evidence::Open { .. } => "open",
            Evidence::Closed { .. } => "closed",
            Evidence::Unknown { .. } => "unknown",
        }
    }
}

/// One line of the checklist.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Check {
    /// Who says it, by the name under which it can be waived.
    pub source: Cow<'static, str>,
    /// What it says.
    #[cfg_attr(feature = "serde", serde(flatten))]
    pub evidence: Evidence,
    /// What it is based on, as far as it matters and does not change by itself: an approval covers these.
    pub facts: Vec<String>,
    /// Why it does not count, where somebody has said so.
    pub waived: Option<String>,
}

impl Check {
    /// Does it let the contract pass, by itself or waived?
    pub fn passes(&self) -> bool {
        self.evidence.is_open() || self.waived.is_some()
    }

    /// Was it waived, and had to be?
    pub fn is_waived(&self) -> bool {
        !self.evidence.is_open() && self.waived.is_some()
    }
}

/// The check that is about the others: it is no part of what it approves, and cannot be waived.
pub const APPROVAL: &str = "approval";

/// What somebody has approved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// The hash of the evidence that they saw, in hexadecimal.
    pub evidence: String,
    /// The evidence itself, a line each.
    pub lines: Vec<String>,
    /// Who, when and why.
    pub by: String,
}

/// What has to be true before one contract may run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Gate {
    /// Of which contract.
    pub id: MigrationId,
    /// Its name.
    pub name: String,
    /// What each source says.
    pub checks: Vec<Check>,
    /// What somebody said who has approved this evidence.
    pub approved: Option<String>,
}

impl Gate {
    /// May the contract run?
    pub fn is_open(&self) -> bool {
        self.checks.iter().all(Check::passes)
    }

    /// What keeps it closed.
    pub fn closed(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| !check.passes())
    }

    /// A hash over what was found: the names, the verdicts and the facts, or why they do not count. It stays the same
    /// while nothing happens that matters, however much time passes.
    pub fn evidence(&self) -> Checksum {
        self.lines().iter().fold(Checksum::of_sql("gate"), |hash, line| hash.and(line))
    }

    /// With one check more: somebody has approved just this evidence.
    #[must_use]
    pub fn needing(mut self, approval: Option<&Approval>) -> Self {
        let hash = self.evidence().to_string();
        let is_ready = self.is_open();
        let opens = match is_ready {
            true => {
                "Look at what stands above, then approve it (`contract VERSION --approve REASON`)."
                    .to_owned()
            }
            false => "Open the others first; then somebody can approve what is found.".to_owned(),
        };
        let evidence = match approval {
            Some(approval) if approval.evidence == hash => {
                self.approved = Some(approval.by.clone());
                Evidence::open(approval.by.clone())
            }
            Some(approval) => {
                let news = self.news_since(approval);
                Evidence::closed(
                    format!("{}, but the evidence is another now: {news}", approval.by),
                    opens,
                )
            }
            None => Evidence::closed("nobody has approved what was found", opens),
        };
        let source = Cow::Borrowed(APPROVAL);
        self.checks.push(Check { source, evidence, facts: Vec::new(), waived: None });
        self
    }

    fn news_since(&self, approval: &Approval) -> String {
        let lines = self.lines();
        let news = lines.iter().filter(|line| !approval.lines.contains(line));
        news.cloned().collect::<Vec<_>>().join("; ")
    }

    /// The same as text, a line each: what an approval has covered can be held against what is found later.
    pub fn lines(&self) -> Vec<String> {
        let line = |check: &Check| {
            let said = match &check.waived {
                Some(reason) => format!("waived: {reason}"),
                None => format!("{} {}", check.evidence.word(), check.facts.join("; ")),
            };
            format!("{}: {said}", check.source).replace(char::is_control, " ")
        };
        let checks = self.checks.iter().filter(|check| check.source != APPROVAL);
        std::iter::once(self.id.to_string()).chain(checks.map(line)).collect()
    }

    /// What the history is to say beside the contract: what was waived and why, and who approved.
    pub fn reason(&self) -> Option<String> {
        let waived = self.checks.iter().filter(|check| check.is_waived());
        let waived = waived.filter_map(|check| Some((&check.source, check.waived.as_ref()?)));
        let waived = waived.map(|(source, reason)| format!("{source} waived: {reason}"));
        let said: Vec<_> = waived.chain(self.approved.clone()).collect();
        (!said.is_empty()).then(|| said.join("; "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::id;

    fn check(evidence: Evidence, waived: Option<&str>) -> Check {
        let facts = vec!["app 1".to_owned()];
        Check { source: "fleet".into(), evidence, facts, waived: waived.map(ToOwned::to_owned) }
    }

    fn gate(checks: Vec<Check>) -> Gate {
        Gate { id: id("2 contract"), name: "drop it".to_owned(), checks, approved: None }
    }

    fn closed() -> Evidence {
        Evidence::closed("one is old", "stop it")
    }

    #[test]
    fn what_is_closed_or_unknown_blocks_unless_waived() {
        let open = || check(Evidence::open("all are new"), None);
        assert!(gate(vec![open()]).is_open());
        for evidence in [closed(), Evidence::unknown("nobody said", "ask")] {
            assert!(!gate(vec![open(), check(evidence.clone(), None)]).is_open());
            let waived = gate(vec![open(), check(evidence, Some("it is a test"))]);
            assert!(waived.is_open());
            assert_eq!(waived.reason().as_deref(), Some("fleet waived: it is a test"));
        }
    }

    #[test]
    fn a_waiver_that_was_not_needed_is_not_told() {
        let gate = gate(vec![check(Evidence::open("fine"), Some("in case"))]);
        assert_eq!(gate.reason(), None);
        let approved = Gate { approved: Some("approved by ada".to_owned()), ..gate };
        assert_eq!(approved.reason().as_deref(), Some("approved by ada"));
    }

    #[test]
    fn an_approval_is_for_one_evidence() {
        let found = gate(vec![check(Evidence::open("all are new"), None)]);
        let approval = Approval {
            evidence: found.evidence().to_string(),
            lines: found.lines(),
            by: "approved by ada".to_owned(),
        };
        let approved = found.clone().needing(Some(&approval));
        assert!(approved.is_open());
        assert_eq!(approved.reason().as_deref(), Some("approved by ada"));
        assert_eq!(approved.evidence(), found.evidence(), "it is no part of what it approves");
        assert!(!found.needing(None).is_open());
        let facts = vec!["app 2".to_owned()];
        let news = gate(vec![Check { facts, ..check(Evidence::open(""), None) }]);
        let news = news.needing(Some(&approval));
        assert!(!news.is_open());
        let told = news.checks[1].evidence.why();
        assert!(told.ends_with("the evidence is another now: fleet: open app 2"), "{told}");
    }

    #[test]
    fn the_hash_is_over_what_matters() {
        let of = |check: Check| gate(vec![check]).evidence();
        let first = of(check(Evidence::open("seen 3 s ago"), None));
        assert_eq!(first, of(check(Evidence::open("seen 9 s ago"), None)), "words may change");
        let other = Check { facts: vec!["app 2".to_owned()], ..check(Evidence::open(""), None) };
        let others = [check(closed(), None), check(closed(), Some("x")), other];
        let hashes: Vec<_> = others.into_iter().map(of).collect();
        assert!(hashes.iter().all(|hash| *hash != first));
        assert!(hashes[0] != hashes[1] && hashes[1] != hashes[2]);
        let waived = of(check(Evidence::open(""), Some("x")));
        assert_eq!(waived, hashes[1], "what does not count may change");
    }
}
