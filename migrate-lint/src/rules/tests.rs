//! What holds for every rule.

use migrate_core::source::{File, WayBack, read};

use super::{Example, all};
use crate::{Facts, Finding, judge};

fn findings(example: Example) -> Vec<Finding> {
    let files: Vec<File<'_>> =
        example.iter().map(|(path, text)| File { path, bytes: text.as_bytes() }).collect();
    let contents = read("migrations", &files, WayBack::Ignore);
    assert!(!contents.has_errors(), "{:?}", contents.problems);
    judge(&contents.migrations, &Facts::default()).findings
}

#[test]
fn the_bad_example_of_a_rule_is_found_by_it_alone_and_the_good_one_by_none() {
    for rule in all() {
        let found: Vec<_> = findings(rule.bad).into_iter().map(|finding| finding.rule).collect();
        assert_eq!(found, [rule.name], "bad example of {}", rule.name);
        let found: Vec<_> = findings(rule.good).iter().map(ToString::to_string).collect();
        assert_eq!(found, [""; 0], "good example of {}", rule.name);
    }
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
