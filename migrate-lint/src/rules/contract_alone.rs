//! Contracts of a version that expands nothing.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;

pub(super) static RULE: Rule = Rule {
    name: "contract_alone",
    level: Level::Off,
    finds: "a contract of a version that has no other file",
    why: "a contract takes away what another part of its version has replaced; where there is none, somebody may have forgotten it",
    instead: "Write the file that makes what replaces it, with the same version.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.contract.sql", "ALTER TABLE users DROP COLUMN email;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_email.expand.sql", "ALTER TABLE users ADD COLUMN mail text;"),
        ("2_email.contract.sql", "ALTER TABLE users DROP COLUMN email;"),
    ],
    check: Check::Surroundings(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if !at.is_contract() || at.has_expand || !at.is_first {
        return Vec::new();
    }
    let message = "no other file of this version makes what replaces it";
    let instead = "Write that file, with the same version and without `.contract`; or allow it, where nothing has to replace it.";
    vec![Hit::new("", message, instead)]
}
