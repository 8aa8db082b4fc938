//! Permissions that cannot be understood.

use super::{Check, Rule};
use crate::finding::Level;

pub(super) static RULE: Rule = Rule {
    name: "bad_allow",
    level: Level::Error,
    finds: "an `allow` without a reason, or of something that is no rule",
    why: "whoever reads it later cannot tell whether it still holds",
    instead: "Write `-- migrate: allow(<rule>) because <reason>`.",
    bad: &[
        ("1_a.sql", "CREATE TABLE a (id bigint PRIMARY KEY);"),
        ("2_b.sql", "-- migrate: allow(drop_tabel) because nobody reads it\nDROP TABLE IF EXISTS b;"),
    ],
    good: &[
        ("1_a.sql", "CREATE TABLE a (id bigint PRIMARY KEY);"),
        ("2_b.sql", "-- migrate: allow(drop_table) because nobody reads it\nDROP TABLE a;"),
    ],
    check: Check::Reading,
};
