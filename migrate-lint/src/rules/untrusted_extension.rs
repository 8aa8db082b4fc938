//! Extensions that the migrations' own role may not create.

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::Quoted;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "untrusted_extension",
    level: Level::Off,
    finds: "CREATE EXTENSION of one that only a superuser may create",
    why: "the role that migrates is no superuser on a managed server or where the rights are as they should be: the migration fails there",
    instead: "Have it created with the database, by whoever makes that.",
    bad: &[
        ("1_stats.sql", "CREATE EXTENSION pg_stat_statements;"),
    ],
    good: &[
        ("1_crypto.sql", "CREATE EXTENSION pgcrypto;"),
    ],
    check: Check::Statement(check),
};

/// Those that whoever may create something in the database may create, since PostgreSQL 13.
const TRUSTED: [&str; 22] = [
    "btree_gin", "btree_gist", "citext", "cube", "dict_int", "fuzzystrmatch", "hstore", "intarray", "isn", "lo", "ltree",
    "pg_trgm", "pgcrypto", "plpgsql", "seg", "tablefunc", "tcn", "tsm_system_rows", "tsm_system_time", "unaccent", "uuid-ossp",
    "plperl",
];

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateExtension { name, .. } = at.action() else { return Vec::new() };
    if TRUSTED.contains(&&**name) {
        return Vec::new();
    }
    let message = format!("only a superuser may create the extension `{name}`");
    let instead = format!(
        "Have whoever makes the database run it there, and leave it out here; or make the migration do without where it is \
         there already:\n    CREATE EXTENSION IF NOT EXISTS {};",
        Quoted(name)
    );
    vec![Hit::new(name, message, instead).at(name)]
}
