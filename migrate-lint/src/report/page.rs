//! For the manual: all rules as a page of Markdown.

use std::fmt::Write as _;

use crate::finding::Level;
use crate::rules::{self, Example, Rule};

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
    page.push_str(&union());
    page
}

const UNION_HEAD: &str = "
## What can go wrong, and who finds it

Everything that linters of PostgreSQL migrations look for, and what none of them can see. Where no rule looks for it, or a rule
leaves something out, it says why.
";

/// Every hazard, and the rules for it or the reason why there is none.
fn union() -> String {
    let mut text = UNION_HEAD.to_owned();
    let mut part = None;
    for covered in rules::UNION {
        if part.replace(covered.part) != Some(covered.part) {
            let title = covered.part.as_str();
            let _ = write!(text, "\n### {title}\n\n| | rule | |\n|---|---|---|\n");
        }
        let links = covered.rules.iter().map(|name| format!("[`{name}`](#{name})"));
        let links = links.collect::<Vec<_>>().join(", ");
        let _ =
            writeln!(text, "| {} | {links} | {} |", cell(covered.hazard), cell(covered.otherwise));
    }
    text
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
