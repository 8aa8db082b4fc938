//! For a program: one object for each finding. The fields are a promise.

use std::fmt::Write as _;

use super::Item;

/// A JSON array.
pub fn json(items: &[Item<'_>]) -> String {
    let objects: Vec<String> = items.iter().map(object).collect();
    format!("[{}]\n", objects.join(","))
}

fn object(item: &Item<'_>) -> String {
    let Item { rule, level, migration, file, place, message, why, instead, .. } = item;
    let Item { can_be_allowed, has_fix, .. } = item;
    format!(
        "{{\"rule\":{},\"level\":{},\"version\":{},\"phase\":{},\"file\":{},\"line\":{},\"column\":{},\"snippet\":{},\
         \"message\":{},\"why\":{},\"instead\":{},\"can_be_allowed\":{can_be_allowed},\"has_fix\":{has_fix}}}",
        or_null(rule.map(string)),
        string(level.as_str()),
        or_null(migration.map(|id| id.version.to_string())),
        or_null(migration.map(|id| string(id.phase.as_str()))),
        string(file),
        or_null(place.map(|place| place.line.to_string())),
        or_null(place.map(|place| place.column.to_string())),
        or_null(place.map(|place| string(&place.snippet))),
        string(message),
        or_null(why.map(string)),
        string(instead),
    )
}

fn or_null(value: Option<String>) -> String {
    value.unwrap_or_else(|| "null".to_owned())
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
