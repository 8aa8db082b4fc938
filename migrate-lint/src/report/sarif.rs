//! For a code host that collects analyses: SARIF 2.1.0.

use super::json::string;
use crate::finding::{Finding, Level};
use crate::rules::{self, Rule};

/// All findings as a SARIF log.
pub fn sarif(findings: &[Finding]) -> String {
    let rules: Vec<String> = rules::all().iter().map(|rule| descriptor(rule)).collect();
    let results: Vec<String> = findings.iter().map(result).collect();
    format!(
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":\
         {{\"driver\":{{\"name\":\"migrate\",\"rules\":[{}]}}}},\"results\":[{}]}}]}}\n",
        rules.join(","),
        results.join(",")
    )
}

fn descriptor(rule: &Rule) -> String {
    format!(
        "{{\"id\":{},\"shortDescription\":{{\"text\":{}}},\"fullDescription\":{{\"text\":{}}},\"help\":{{\"text\":{}}}}}",
        string(rule.name),
        string(rule.finds),
        string(rule.why),
        string(rule.instead),
    )
}

fn result(finding: &Finding) -> String {
    let level = if finding.level == Level::Error { "error" } else { "warning" };
    let text = format!("{}. {}", finding.message, finding.instead);
    format!(
        "{{\"ruleId\":{},\"level\":{},\"message\":{{\"text\":{}}},\"locations\":[{{\"physicalLocation\":\
         {{\"artifactLocation\":{{\"uri\":{}}},\"region\":{{\"startLine\":{},\"startColumn\":{}}}}}}}]}}",
        string(finding.rule),
        string(level),
        string(&text),
        string(&finding.file),
        finding.place.line,
        finding.place.column,
    )
}
