//! What the linter does not understand, so that nobody takes its silence for consent.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "not_understood",
    level: Level::Warn,
    finds: "a statement that is SQL, and the linter cannot tell what it changes",
    why: "nothing is said of its locks, and everything that it may have changed is in doubt in the migrations behind it, so that hazards there may go unseen",
    instead: "Name what is changed, one statement for each.",
    bad: &[
        (
            "1_users.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY); ALTER TABLE ALL IN TABLESPACE pg_default SET TABLESPACE pg_default;",
        ),
    ],
    good: &[
        (
            "1_users.sql",
            "CREATE TABLE users (id bigint PRIMARY KEY); ALTER TABLE users SET TABLESPACE pg_default;",
        ),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let (message, instead) = match at.action() {
        Action::Unknown => (
            "the linter cannot tell what it changes; from here on everything is in doubt",
            "Name what is changed, one statement for each.",
        ),
        Action::TooDeep => (
            "it is too deeply nested for the linter; from here on everything is in doubt",
            "Make several statements or views of it.",
        ),
        _ => return Vec::new(),
    };
    vec![Hit::new("", message, instead)]
}

#[cfg(test)]
mod tests {
    use migrate_core::source::{File, WayBack, read};

    use crate::{Facts, judge};

    #[test]
    fn what_is_too_deep_is_told_and_is_no_error() {
        let deep = format!("SELECT {}1{};", "(".repeat(1_000), ")".repeat(1_000));
        let file = File { path: "1_a.sql", bytes: deep.as_bytes() };
        let contents = read("migrations", &[file], WayBack::Ignore);
        let found = judge(&contents.migrations, &Facts::default()).findings;
        let told: Vec<_> = found.iter().map(|one| (one.rule, one.level.as_str())).collect();
        assert_eq!(told, [("not_understood", "warning")]);
        assert!(found[0].message.contains("too deeply"), "{}", found[0].message);
    }
}
