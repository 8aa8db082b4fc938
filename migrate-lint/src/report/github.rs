//! For GitHub's runner: workflow commands that become annotations of a pull request.

use super::Item;
use crate::finding::Level;

/// A line for each.
pub fn github(items: &[Item<'_>]) -> String {
    items.iter().map(line).collect()
}

fn line(item: &Item<'_>) -> String {
    let command = match item.level {
        Level::Error => "error",
        Level::Warn => "warning",
        Level::Note | Level::Off => "notice",
    };
    let place = item.place.map(|place| format!(",line={},col={}", place.line, place.column));
    let text: Vec<&str> =
        [Some(item.message), item.why, Some(item.instead)].into_iter().flatten().collect();
    format!(
        "::{command} file={}{},title={}::{}\n",
        property(item.file),
        place.unwrap_or_default(),
        property(item.rule.unwrap_or("folder")),
        data(&text.join("\n")),
    )
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
