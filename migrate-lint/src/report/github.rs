//! For GitHub's runner: workflow commands that become annotations of a pull request.

use crate::finding::{Finding, Level};

/// All findings, a line for each.
pub fn github(findings: &[Finding]) -> String {
    findings.iter().map(line).collect()
}

fn line(finding: &Finding) -> String {
    let command = if finding.level == Level::Error { "error" } else { "warning" };
    format!(
        "::{command} file={},line={},col={},title={}::{}\n",
        property(&finding.file),
        finding.place.line,
        finding.place.column,
        property(finding.rule),
        data(&format!("{}\n{}\n{}", finding.message, finding.why, finding.instead)),
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
