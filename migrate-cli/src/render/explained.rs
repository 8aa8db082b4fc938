//! What a rule of the linter is about, and which rules there are.

use console::measure_text_width;
use migrate_core::source::SETTINGS_FILE;
use migrate_lint::Level;
use migrate_lint::rules::{Example, Rule};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use super::look::padded;
use super::{Ink, Look, Show};

/// One rule.
pub(crate) struct Explained {
    pub(crate) rule: &'static Rule,
}

impl Serialize for Explained {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Rule { bad, good, .. } = self.rule;
        let mut data = data(self.rule);
        if let Some(fields) = data.as_object_mut() {
            fields.insert("bad".to_owned(), files(bad));
            fields.insert("good".to_owned(), files(good));
        }
        data.serialize(to)
    }
}

impl Show for Explained {
    fn text(&self, look: Look) -> String {
        let Rule { name, level, finds, why, instead, bad, good, .. } = *self.rule;
        let title = format!("{} ({level})", look.paint(Ink::Strong, name));
        let mut parts = vec![
            format!("{title}\n{}", look.wrap(finds, "")),
            look.wrap(&format!("why      {why}"), "         ")
                + "\n"
                + &look.wrap(&format!("instead  {instead}"), "         "),
            example(look, Ink::Bad, "bad", bad),
            example(look, Ink::Good, "good", good),
        ];
        if self.rule.can_be_allowed() {
            parts.push(format!(
                "to allow it, above the statement or for a whole file in its first lines\n  \
                 -- migrate: allow({name}) because <reason>"
            ));
        }
        parts.push(format!(
            "to set its level for the folder, in its {SETTINGS_FILE}\n  [lint]\n  {name} = \"{}\"",
            other(level)
        ));
        parts.join("\n\n")
    }
}

/// A level that it does not have.
fn other(level: Level) -> &'static str {
    match level {
        Level::Error => "warn",
        Level::Warn | Level::Note => "off",
        Level::Off => "warn",
    }
}

fn example(look: Look, ink: Ink, word: &str, files: Example) -> String {
    let files = files.iter().map(|(name, text)| {
        let text = text.lines().map(|line| format!("\n  {line}")).collect::<String>();
        format!("\n  {}{text}", look.paint(Ink::Faint, &format!("-- {name}")))
    });
    look.paint(ink, word) + &files.collect::<String>()
}

/// All rules.
pub(crate) struct Rules<'r> {
    pub(crate) rules: &'r [&'static Rule],
    pub(crate) program: &'r str,
}

impl Serialize for Rules<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let rules: Vec<Value> = self.rules.iter().map(|rule| data(rule)).collect();
        json!({ "rules": rules }).serialize(to)
    }
}

impl Show for Rules<'_> {
    fn text(&self, look: Look) -> String {
        let width = self.rules.iter().map(|rule| measure_text_width(rule.name)).max();
        let width = width.unwrap_or_default();
        let row = |rule: &&Rule| {
            let level = padded(rule.level.as_str(), "warning".len());
            let indent = " ".repeat(width + "warning".len() + 4);
            let row = format!("{}  {level}  {}", padded(rule.name, width), rule.finds);
            let row = look.wrap(&row, &indent);
            let (name, rest) = row.split_at_checked(width + 2).unwrap_or((&row, ""));
            match rest.strip_prefix(level.trim_end()) {
                Some(rest) => {
                    format!("{name}{}{rest}", look.paint(ink(rule.level), level.trim_end()))
                }
                None => row,
            }
        };
        let rows: Vec<String> = self.rules.iter().map(row).collect();
        let ask = format!("`{} explain <rule>` says why, and what to write instead.", self.program);
        format!("{}\n\n{}", rows.join("\n"), look.wrap(&ask, ""))
    }
}

fn ink(level: Level) -> Ink {
    match level {
        Level::Error => Ink::Bad,
        Level::Warn => Ink::Warn,
        Level::Note | Level::Off => Ink::Faint,
    }
}

fn data(rule: &Rule) -> Value {
    json!({
        "name": rule.name,
        "level": rule.level.as_str(),
        "finds": rule.finds,
        "why": rule.why,
        "instead": rule.instead,
        "can_be_allowed": rule.can_be_allowed(),
    })
}

fn files(example: Example) -> Value {
    let files = example.iter().map(|(name, text)| json!({ "file": name, "text": text }));
    files.collect::<Vec<_>>().into()
}
