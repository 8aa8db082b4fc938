//! What statements leave in the catalog, by which it can be told whether they were done.
//!
//! Owns the table of those that are known: each reads its names out of a statement and gives the query that looks for
//! them, in `sql/traces`. Asks nothing itself, and decides nothing.
//!
//! Such a query gives a row with a `verdict`, what was `found` in words, the statement that would `repair` it, and,
//! where somebody is at it, the number of that session as `builder`; or no row, when nothing of it is there.

use migrate_core::sql::classify::QualifiedName;

use crate::sql::{fill, ident, literal};
use crate::wire::{number, text};

mod detach;
mod enum_value;
mod index;
mod reindex;
mod repeatable;
mod validation;
mod whole;

/// The kinds that are known; the first that knows a statement speaks for it.
const KINDS: [fn(&str) -> Option<Traces>; 8] = [
    repeatable::traces,
    index::built,
    index::dropped,
    reindex::traces,
    detach::traces,
    enum_value::traces,
    validation::traces,
    whole::traces,
];

/// How to find out what became of a statement.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Traces {
    /// Asks the catalog. `None`: it may be done twice, and nothing has to be known.
    pub(super) look: Option<String>,
    /// What an attempt leaves behind that failed is in the way of the next one.
    pub(super) litters: bool,
    /// The server leaves it out when it finds the name, whatever has it.
    pub(super) yields: bool,
}

impl Traces {
    fn by(look: &str, values: &[(&str, String)]) -> Self {
        let values: Vec<_> = values.iter().map(|(hole, value)| (*hole, value.as_str())).collect();
        Self { look: Some(fill(look, &values)), litters: false, yields: false }
    }
}

/// What is known of a statement; `None` when nothing in the catalog would prove that it was done.
pub(super) fn traces(statement: &str) -> Option<Traces> {
    KINDS.iter().find_map(|kind| kind(statement))
}

/// What was found in the catalog.
pub(super) struct Found {
    pub(super) verdict: Verdict,
    /// In words.
    pub(super) found: String,
    /// The statement that would repair it.
    pub(super) repair: String,
    /// The session that is at it.
    pub(super) builder: Option<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The statement took effect.
    Done,
    /// Something useless is there, and goes by `repair`.
    Leftover,
    /// Half of it is there; `repair` does the other half.
    Half,
    /// Somebody is at it.
    Busy,
    /// Something useless has the name, and is not ours.
    Foreign,
}

impl Found {
    /// `None`: nothing of it is there.
    pub(super) fn read(row: &sqlx::postgres::PgRow) -> Option<Self> {
        let verdict = match text(row, "verdict")? {
            "done" => Verdict::Done,
            "leftover" => Verdict::Leftover,
            "half" => Verdict::Half,
            "busy" => Verdict::Busy,
            _ => Verdict::Foreign,
        };
        let get = |column| text(row, column).unwrap_or_default().to_owned();
        Some(Self {
            verdict,
            found: get("found"),
            repair: get("repair"),
            builder: number(row, "builder"),
        })
    }
}

/// A name as `to_regclass` reads it, in a literal.
fn shown(name: &QualifiedName) -> String {
    literal(&match &name.schema {
        Some(schema) => format!("{}.{}", ident(schema), ident(&name.name)),
        None => ident(&name.name),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_has_traces() {
        for (statement, known) in [
            ("create index concurrently i on t (a)", true),
            ("create index concurrently on t (a)", false),
            ("create index i on t (a)", false),
            ("drop index concurrently s.i", true),
            ("reindex (verbose) table concurrently t", true),
            ("alter table t detach partition p concurrently", true),
            ("alter table t detach partition p", false),
            ("alter type e add value 'a'", true),
            ("alter table t validate constraint c", true),
            ("create database d", true),
            ("drop tablespace s", true),
            ("vacuum t", true),
            ("alter system set work_mem = '8mb'", true),
            ("insert into t values (1)", false),
            ("call p()", false),
            ("do $$ begin commit; end $$", false),
            ("begin; create table t (); commit", false),
        ] {
            assert_eq!(traces(statement).is_some(), known, "{statement}");
        }
    }

    #[test]
    fn a_name_is_asked_for_as_it_is() {
        let statement =
            "create unique index concurrently if not exists \"I'\" on \"S\".\"t\"\"\" (a)";
        let traces = traces(statement).unwrap();
        assert!(traces.litters && traces.yields);
        let look = traces.look.unwrap();
        assert!(look.contains("E'I'''") && look.contains("E'\"S\".\"t\"\"\"'"), "{look}");
    }
}
