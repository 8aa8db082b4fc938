//! What holds for every rule.

use migrate_core::source::{File, WayBack, read};

use super::{Example, all, find};
use crate::{Facts, Finding, Level, judge};

/// What all rules find that a project has by default, and the one in question.
fn findings(example: Example, asked: &str) -> Vec<Finding> {
    let files: Vec<File<'_>> =
        example.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let contents = read("migrations", &files, WayBack::Ignore);
    assert!(!contents.has_errors(), "{:?}", contents.problems);
    let by_default = find(asked).map_or(Level::Warn, |rule| rule.level);
    let level = by_default.max(Level::Warn);
    let facts = Facts { levels: [(asked.to_owned(), level)].into(), ..Facts::default() };
    judge(&contents.migrations, &facts).findings
}

#[test]
fn the_bad_example_of_a_rule_is_found_by_it_alone_and_the_good_one_by_none() {
    let mut wrong = Vec::new();
    for rule in all() {
        let bad: Vec<_> = findings(rule.bad, rule.name).iter().map(|found| found.rule).collect();
        if bad != [rule.name] {
            wrong.push(format!("in the bad example of {}: {bad:?}", rule.name));
        }
        let good = findings(rule.good, rule.name);
        wrong.extend(
            good.iter().map(|found| format!("in the good example of {}: {found}", rule.name)),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn names_are_unique_and_words_are_fit_to_be_read() {
    let mut names: Vec<_> = all().iter().map(|rule| rule.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all().len());
    for rule in all() {
        assert!(rule.name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{}", rule.name);
        assert!(rule.instead.ends_with('.'), "{}", rule.instead);
        for fragment in [rule.finds, rule.why] {
            assert!(!fragment.ends_with('.'), "{fragment}");
        }
    }
}
