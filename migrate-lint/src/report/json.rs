//! For a program: one object for each finding. The fields are a promise.

use std::fmt::Write as _;

use crate::finding::Finding;

/// All findings as a JSON array.
pub fn json(findings: &[Finding]) -> String {
    let objects: Vec<String> = findings.iter().map(object).collect();
    format!("[{}]\n", objects.join(","))
}

fn object(finding: &Finding) -> String {
    let Finding { rule, level, migration, file, place, message, why, instead, .. } = finding;
    format!(
        "{{\"rule\":{},\"level\":{},\"version\":{},\"phase\":{},\"file\":{},\"line\":{},\"column\":{},\"snippet\":{},\
         \"message\":{},\"why\":{},\"instead\":{}}}",
        string(rule),
        string(level.as_str()),
        migration.version,
        string(migration.phase.as_str()),
        string(file),
        place.line,
        place.column,
        string(&place.snippet),
        string(message),
        string(why),
        string(instead),
    )
}

/// A JSON string.
pub(super) fn string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\t' => quoted.push_str("\\t"),
            c if c < ' ' => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
