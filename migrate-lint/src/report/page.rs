//! For the manual: all rules as a page of Markdown.

use std::fmt::Write as _;

use crate::finding::Level;
use crate::rules::{self, Covered, Example, Part, Rule, UNION};

const HEAD: &str = "# Rules

<!-- Written by `cargo xtask rules`: do not edit. -->

What the compiler and `migrate lint` look for in the SQL of migrations; how they do, and how to talk to them, is told in
[What the compiler says of the SQL](review.md). `cargo xtask migrate explain create_index` shows one rule in the terminal.

Each example is a folder of migrations. Those that are found and those that are not are both judged by a test, and both
run on real servers by another.
";

const LEVELS: [(Level, &str, &str); 3] = [
    (
        Level::Error,
        "Errors",
        "They stop the build: the migration fails, or a live system feels it.",
    ),
    (Level::Warn, "Warnings", "They are told, and the build goes on."),
    (
        Level::Off,
        "Off",
        "Advice, for those who ask: `<rule> = \"warn\"` below `[lint]` in `migrate.toml`.",
    ),
];

const OTHERS: &str = "
## What other linters look for, and where it is here

All that can go wrong with a migration, as far as anybody who checks migrations has written it down; the rules that find
it, or why none has to.
";

/// The page.
pub fn page() -> String {
    let mut page = HEAD.to_owned();
    for (level, title, meaning) in LEVELS {
        let _ = write!(page, "\n## {title}\n\n{meaning}\n\n| rule | finds |\n|---|---|\n");
        for rule in sorted(level) {
            let _ = writeln!(page, "| [`{0}`](#{0}) | {1} |", rule.name, cell(rule.finds));
        }
    }
    page.push_str("\n## Each rule\n");
    let mut all = rules::all().to_vec();
    all.sort_by_key(|rule| rule.name);
    all.iter().for_each(|rule| page.push_str(&section(rule)));
    page.push_str(OTHERS);
    Part::ALL.iter().for_each(|part| page.push_str(&hazards(*part)));
    page
}

fn sorted(level: Level) -> Vec<&'static Rule> {
    let mut rules: Vec<_> =
        rules::all().iter().copied().filter(|rule| rule.level == level).collect();
    rules.sort_by_key(|rule| rule.name);
    rules
}

fn section(rule: &Rule) -> String {
    let Rule { name, level, finds, why, instead, bad, good, .. } = rule;
    let (bad, good) = (example(bad), example(good));
    format!(
        "\n### {name}\n\n*{level}* · Finds {finds}: {why}.\n\n{instead}\n\nFound:\n\n{bad}\nNot found:\n\n{good}"
    )
}

/// The files of a folder in one block, each below its name.
fn example(files: Example) -> String {
    let texts = files.iter().map(|(name, text)| format!("-- {name}\n{}\n", text.trim_end()));
    format!("```sql\n{}```\n", texts.collect::<Vec<_>>().join("\n"))
}

/// What can go wrong in one way.
fn hazards(part: Part) -> String {
    let covered = UNION.iter().filter(|covered| covered.part == part);
    let rows: String = covered.map(row).collect();
    format!(
        "\n### {}\n\n| what goes wrong | rules | what they leave out, and why |\n|---|---|---|\n{rows}",
        part.as_str()
    )
}

fn row(covered: &Covered) -> String {
    let Covered { hazard, rules, otherwise, .. } = covered;
    let links: Vec<String> = rules.iter().map(|rule| format!("[`{rule}`](#{rule})")).collect();
    format!("| {} | {} | {} |\n", cell(hazard), links.join(", "), cell(otherwise))
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_page_in_the_manual_is_fresh() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/rules.md");
        let found = std::fs::read_to_string(file).unwrap_or_default();
        assert!(found == super::page(), "docs/rules.md is old: `cargo xtask rules` writes it");
    }
}
