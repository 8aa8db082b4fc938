//! What is no SQL.

use super::{Check, Rule};
use crate::finding::Level;

pub(super) static RULE: Rule = Rule {
    name: "syntax_error",
    level: Level::Error,
    finds: "a statement that is no SQL",
    why: "the server refuses it, and with it the migration",
    instead: "Correct the statement.",
    bad: &[("1_users.sql", "CREATE TABEL users (id bigint PRIMARY KEY);")],
    good: &[("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY);")],
    check: Check::Reading,
};
