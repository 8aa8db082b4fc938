//! Permissions that nothing needs.

use super::{Check, Rule};
use crate::finding::Level;

pub(super) static RULE: Rule = Rule {
    name: "unused_allow",
    level: Level::Warn,
    finds: "an `allow` of a rule that finds nothing there",
    why: "it would silence the rule when the next change needs it",
    instead: "Remove the line.",
    bad: &[("1_a.sql", "-- migrate: allow(drop_table) because nobody reads it\nCREATE TABLE a (id bigint PRIMARY KEY);")],
    good: &[("1_a.sql", "CREATE TABLE a (id bigint PRIMARY KEY);")],
    check: Check::Reading,
};
