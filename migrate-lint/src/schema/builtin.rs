//! What PostgreSQL and well-known extensions bring along, as far as it matters.

use super::{Found, Object, Schema, Space};
use crate::name::Name;

/// Does a function give the same for every row of a statement?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Volatility {
    /// It does.
    Calm,
    /// It does not.
    Volatile,
    /// Nothing tells.
    Unknown,
}

/// Functions that give something else each time and that people write in defaults.
const VOLATILE: [&str; 20] = [
    "clock_timestamp",
    "currval",
    "gen_random_bytes",
    "gen_random_uuid",
    "gen_salt",
    "lastval",
    "nextval",
    "random",
    "random_normal",
    "setval",
    "timeofday",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "uuidv4",
    "uuidv7",
    "uuid_generate_v6",
    "uuid_generate_v7",
    "gen_uuid_v7",
    "gen_ulid",
];

/// Extensions that bring functions, operators and types, but no tables, and none that makes some.
const HARMLESS: [&str; 26] = [
    "btree_gin",
    "btree_gist",
    "citext",
    "cube",
    "dict_int",
    "dict_xsyn",
    "earthdistance",
    "fuzzystrmatch",
    "hstore",
    "intagg",
    "intarray",
    "isn",
    "lo",
    "ltree",
    "moddatetime",
    "pageinspect",
    "pg_stat_statements",
    "pg_trgm",
    "pgcrypto",
    "pgrowlocks",
    "plpgsql",
    "seg",
    "tablefunc",
    "unaccent",
    "uuid-ossp",
    "vector",
];

impl Schema {
    /// What is known of a function that is called.
    pub fn volatility(&self, function: &Name) -> Volatility {
        if VOLATILE.contains(&&*function.name) {
            return Volatility::Volatile;
        }
        match self.find(Space::Routine, function) {
            Found::Known(entry) => match &entry.object {
                Object::Routine(routine) if routine.volatile => Volatility::Volatile,
                _ => Volatility::Calm,
            },
            Found::Unknown if is_of_postgresql(function) => Volatility::Calm,
            Found::Missing if !self.has_extension() => Volatility::Calm,
            Found::Unknown | Found::Missing => Volatility::Unknown,
        }
    }

    /// Is there one of which the statements do not tell what it brings?
    pub(super) fn has_extension(&self) -> bool {
        self.names.keys().any(|key| key.space == Space::Extension && &*key.name != "plpgsql")
    }
}

fn is_of_postgresql(function: &Name) -> bool {
    function.schema.as_deref() == Some("pg_catalog")
}

/// Does an extension bring no tables, and nothing that makes some?
pub(super) fn is_harmless(extension: &str) -> bool {
    HARMLESS.contains(&extension)
}

/// May a function that no statement makes change what exists?
pub(crate) fn may_change_a_schema(function: &Name) -> bool {
    let name = &*function.name;
    let words = [
        "create",
        "drop",
        "alter",
        "add",
        "partition",
        "hypertable",
        "distribute",
        "migrate",
        "install",
        "exec",
    ];
    match function.schema.as_deref() {
        Some("pg_catalog") => false,
        Some(_) => true,
        None => words.iter().any(|word| name.contains(word)),
    }
}
