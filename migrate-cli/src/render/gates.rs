//! Checklists: what has to be true before contracts may run, what is, and what would open the rest.
//!
//! Owns how one reads. What was found, and whether it is enough, is the library's to say.

use console::measure_text_width;
use migrate_core::Version;
use migrate_core::gate::APPROVAL;
use migrate_postgres::{Check, Deferred, Evidence, Gate, Phase, Reason, Report};
use serde::{Serialize, Serializer};
use serde_json::json;

use super::look::padded;
use super::words::{clean, count, duration, migration, waits};
use super::{Ink, Look, Show};

/// What `contract --explain` found.
#[derive(Serialize)]
pub(crate) struct Gates<'g> {
    pub(crate) database: String,
    #[serde(serialize_with = "as_data")]
    pub(crate) gates: &'g [Gate],
    #[serde(skip)]
    pub(crate) program: &'g str,
    /// Somebody has just approved it.
    #[serde(skip)]
    pub(crate) approved: bool,
    /// The version that was named.
    #[serde(skip)]
    pub(crate) asked: Option<Version>,
}

/// What `contract` did, and the gates that it found closed.
#[derive(Serialize)]
pub(crate) struct Contracted<'g> {
    #[serde(flatten)]
    pub(crate) report: &'g Report,
    #[serde(flatten)]
    pub(crate) gates: Gates<'g>,
}

fn as_data<S: Serializer>(gates: &&[Gate], to: S) -> Result<S::Ok, S::Error> {
    let gates = gates.iter().map(|gate| {
        let mut data = serde_json::to_value(gate).unwrap_or_default();
        if let Some(fields) = data.as_object_mut() {
            fields.insert("open".to_owned(), json!(gate.is_open()));
            fields.insert("evidence".to_owned(), json!(gate.evidence().to_string()));
        }
        data
    });
    to.collect_seq(gates)
}

impl Show for Gates<'_> {
    fn text(&self, look: Look) -> String {
        let mut parts = vec![look.wrap(&self.database, "")];
        parts.extend(self.gates.iter().map(|gate| self.gate(look, gate)));
        if self.gates.is_empty() {
            parts.push(match self.asked {
                Some(version) => format!("{version} contract has run already"),
                None => "every contract has run".to_owned(),
            });
        }
        parts.join("\n\n")
    }
}

impl Show for Contracted<'_> {
    fn text(&self, look: Look) -> String {
        let Gates { gates, .. } = &self.gates;
        let mut parts: Vec<_> = gates.iter().map(|gate| self.gates.gate(look, gate)).collect();
        let closed = match gates.len() {
            0 => String::new(),
            many => format!("; {} closed", count(many, "gate")),
        };
        let waits = waits(look, &self.held_back()).join("\n");
        parts.extend((!waits.is_empty()).then_some(waits));
        parts.push(match self.report.applied.len() {
            0 => format!("nothing was run{closed}"),
            many => {
                let took = duration(self.report.took);
                format!("{} applied in {took}{closed}", count(many, "contract"))
            }
        });
        parts.join("\n\n")
    }
}

impl Contracted<'_> {
    /// Contracts that wait, and not for their own gate.
    fn held_back(&self) -> Vec<Deferred> {
        let is_held = |deferred: &&Deferred| {
            let for_itself = [Reason::GateClosed, Reason::PhaseNotAsked].contains(&deferred.reason);
            deferred.id.phase == Phase::Contract && !for_itself
        };
        self.report.deferred.iter().filter(is_held).cloned().collect()
    }
}

impl Gates<'_> {
    fn gate(&self, look: Look, gate: &Gate) -> String {
        let title = migration(gate.id, &gate.name);
        let (ink, word) = match gate.is_open() {
            true => (Ink::Good, "open"),
            false => (Ink::Warn, "closed"),
        };
        let mut lines = vec![format!("{title}: gate {}", look.paint(ink, word))];
        let wide = gate.checks.iter().map(|check| measure_text_width(&check.source)).max();
        let wide = wide.unwrap_or_default();
        lines.extend(gate.checks.iter().map(|check| row(look, check, wide)));
        lines.push(look.wrap(&self.next(gate), "      "));
        lines.join("\n")
    }

    fn next(&self, gate: &Gate) -> String {
        let (program, version) = (self.program, gate.id.version);
        let closed: Vec<&str> = gate.closed().map(|check| &*check.source).collect();
        match closed.as_slice() {
            [] if self.approved => {
                let evidence: String = gate.evidence().to_string().chars().take(12).collect();
                format!(
                    "next: {program} contract {version} runs it, as long as this evidence ({evidence}) holds"
                )
            }
            [] => format!("next: {program} contract {version} runs it"),
            [APPROVAL] => format!("next: {program} contract {version} --approve REASON"),
            _ => format!(
                "next: open what is not, then {program} contract {version}; with --waive SOURCE=REASON for what you \
                 know not to matter"
            ),
        }
    }
}

/// `closed   fleet  why`, and below it what would open it.
fn row(look: Look, check: &Check, wide: usize) -> String {
    let (ink, word) = match &check.evidence {
        _ if check.is_waived() => (Ink::Faint, "waived"),
        Evidence::Open { .. } => (Ink::Good, "open"),
        Evidence::Closed { .. } => (Ink::Bad, "closed"),
        Evidence::Unknown { .. } => (Ink::Warn, "unknown"),
    };
    let rest = " ".repeat(WORD + 2 + wide + 2);
    let head = format!("  {}  {}  ", padded(word, WORD), padded(&check.source, wide));
    let why = look.wrap(&format!("{head}{}", clean(check.evidence.why())), &rest);
    let why = why.replacen(word, &look.paint(ink, word), 1);
    let below = match (&check.waived, check.evidence.opens()) {
        (Some(reason), Some(_)) => format!("because: {}", clean(reason)),
        (_, Some(opens)) => format!("→ {}", clean(opens)),
        (_, None) => return why,
    };
    format!("{why}\n{}", look.wrap(&format!("  {rest}{below}"), "  "))
}

const WORD: usize = "unknown".len();
