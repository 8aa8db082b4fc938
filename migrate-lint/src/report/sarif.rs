//! For a code host that collects analyses: SARIF 2.1.0.

use super::Item;
use super::json::string;
use crate::finding::Level;
use crate::rules::{self, Rule};

/// The identity of what no rule has found.
const FOLDER: &str = "folder";

/// A SARIF log.
pub fn sarif(items: &[Item<'_>]) -> String {
    let rules = rules::all().iter().map(|rule| descriptor(rule));
    let rules: Vec<String> = rules.chain([folder()]).collect();
    let results: Vec<String> = items.iter().map(result).collect();
    format!(
        "{{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{{\"tool\":\
         {{\"driver\":{{\"name\":\"migrate\",\"rules\":[{}]}}}},\"columnKind\":\"unicodeCodePoints\",\"results\":[{}]}}]}}\n",
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

fn folder() -> String {
    let finds = "a file of the folder that cannot be read as a migration";
    format!("{{\"id\":{},\"shortDescription\":{{\"text\":{}}}}}", string(FOLDER), string(finds))
}

fn result(item: &Item<'_>) -> String {
    let level = match item.level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Note | Level::Off => "note",
    };
    let text = format!("{}. {}", item.message, item.instead);
    let region = item.place.map(|place| {
        format!(",\"region\":{{\"startLine\":{},\"startColumn\":{}}}", place.line, place.column)
    });
    format!(
        "{{\"ruleId\":{},\"level\":{},\"message\":{{\"text\":{}}},\"locations\":[{{\"physicalLocation\":\
         {{\"artifactLocation\":{{\"uri\":{}}}{}}}}}]}}",
        string(item.rule.unwrap_or(FOLDER)),
        string(level),
        string(&text),
        string(&uri(item.file)),
        region.unwrap_or_default(),
    )
}

/// A path as a reference of a URI: what is special there is written as its percent code.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let path = path.replace('\\', "/");
    path.bytes().fold(String::with_capacity(path.len()), |uri, byte| match is_plain(byte) {
        true => uri + &char::from(byte).to_string(),
        false => format!("{uri}%{byte:02X}"),
    })
}
