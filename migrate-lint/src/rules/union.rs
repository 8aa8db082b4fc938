//! What can go wrong with a migration, as far as anybody who checks migrations has written it down: which rules find it,
//! or why none has to.
//!
//! The page of rules is made of it, so that nobody has to ask what was left out.

use Part::{Alone, Compatibility, Correctness, Locks, Style};

/// Something that can go wrong.
#[derive(Debug)]
pub struct Covered {
    /// What kind of thing.
    pub part: Part,
    /// What it is, as a fragment.
    pub hazard: &'static str,
    /// The rules that find it.
    pub rules: &'static [&'static str],
    /// What the rules leave out, and why; empty where they leave nothing out.
    pub otherwise: &'static str,
}

/// What kind of thing goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Somebody waits.
    Locks,
    /// Running code fails.
    Compatibility,
    /// The migration fails, or does not do what it says.
    Correctness,
    /// It could be better; rules of it are off unless somebody asks.
    Style,
    /// What only the whole folder and the runner's own facts show.
    Alone,
}

impl Part {
    /// Each of them, in the order of the page.
    pub const ALL: [Self; 5] = [Locks, Compatibility, Correctness, Style, Alone];

    /// Its heading.
    pub const fn as_str(self) -> &'static str {
        match self {
            Locks => "Locks, scans and rewrites",
            Compatibility => "What breaks running code",
            Correctness => "What fails, or does something else",
            Style => "Style and types",
            Alone => "What the folder and the runner show",
        }
    }
}

const fn by(part: Part, hazard: &'static str, rules: &'static [&'static str]) -> Covered {
    Covered { part, hazard, rules, otherwise: "" }
}

const fn but(
    part: Part,
    hazard: &'static str,
    rules: &'static [&'static str],
    otherwise: &'static str,
) -> Covered {
    Covered { part, hazard, rules, otherwise }
}

/// All of it.
pub static UNION: &[Covered] = &[
    by(Locks, "an index is built while writers wait", &["create_index"]),
    by(Locks, "an index is dropped, and queries queue behind that", &["drop_index"]),
    but(
        Locks,
        "CONCURRENTLY stands in a transaction",
        &[],
        "The reader of the folder refuses such a file, and says which line it lacks.",
    ),
    but(
        Locks,
        "an index that is built CONCURRENTLY stays behind broken, and IF NOT EXISTS takes it for the real one",
        &["unnamed_concurrent_index"],
        "The runner sets no timeout for the build, looks whether the index is valid, and drops and builds it again if not.",
    ),
    by(Locks, "an index is built anew while others wait", &["reindex"]),
    by(
        Locks,
        "a foreign key is checked for all rows at once, also one that comes with a column",
        &["add_foreign_key"],
    ),
    but(
        Locks,
        "a new table refers to one that is in use",
        &[],
        "The lock keeps writers out for as long as an empty table takes, and the runner limits the wait for every lock.",
    ),
    by(Locks, "several foreign keys come or go in one transaction", &["several_foreign_keys"]),
    by(
        Locks,
        "a CHECK is verified for all rows at once, also one that comes with a column",
        &["add_check"],
    ),
    by(
        Locks,
        "a constraint is added NOT VALID and validated in the same transaction",
        &["validate_at_once"],
    ),
    by(
        Locks,
        "a constraint is validated while the table is closed by something else",
        &["validate_under_lock"],
    ),
    by(
        Locks,
        "the index of a unique or primary key is built while everybody waits",
        &["add_unique"],
    ),
    by(Locks, "a primary key is made of columns that may be null", &["primary_key_of_nullable"]),
    by(Locks, "an exclusion constraint is added", &["add_exclusion"]),
    by(Locks, "NOT NULL is demanded without a proof", &["set_not_null"]),
    by(Locks, "another type rewrites all rows", &["change_type"]),
    by(
        Locks,
        "another type leaves the rows alone, and a constraint or an index is made again all the same",
        &["type_recheck"],
    ),
    by(Locks, "a new column has a default that differs from row to row", &["add_column_rewrites"]),
    but(
        Locks,
        "a new column has a constant default on PostgreSQL 10 or older",
        &[],
        "The runner needs PostgreSQL 13.",
    ),
    by(Locks, "a new column is generated and stored", &["add_column_rewrites"]),
    by(Locks, "a new column takes its values from a sequence", &["add_column_rewrites"]),
    by(Locks, "a new column is of a domain that refuses values", &["add_column_rewrites"]),
    by(Locks, "a new column is NOT NULL and has no default", &["add_not_null_column"]),
    but(
        Locks,
        "a domain in use gets a constraint",
        &["domain_constraint"],
        "A new domain has no rows to check; what it does to a column that is added with it is the rule about rewrites.",
    ),
    by(Locks, "a part is detached without CONCURRENTLY", &["detach_partition"]),
    by(
        Locks,
        "a part is attached, or created in place, that has to be checked or closes the whole",
        &["attach_partition", "create_partition"],
    ),
    by(Locks, "a materialized view is refreshed while readers wait", &["refresh_view"]),
    by(Locks, "a table is packed by VACUUM FULL or CLUSTER", &["vacuum_full"]),
    by(
        Locks,
        "a table goes to another tablespace or access method, or is logged or not from now on",
        &["move_table"],
    ),
    by(Locks, "a table is emptied, and perhaps others with it", &["truncate"]),
    but(
        Locks,
        "a trigger is made, or switched on or off",
        &["disable_trigger", "write_restriction"],
        "Its lock is short and keeps writers out only; the runner limits the wait for it.",
    ),
    but(
        Locks,
        "a statement waits for its lock without an end, and everybody queues behind it",
        &["unbounded_wait", "session_reset"],
        "The runner sets `lock_timeout` for every statement, and tries again; the rules find what takes that away.",
    ),
    but(
        Locks,
        "a statement, or a transaction that does nothing, holds its locks without an end",
        &[],
        "The runner sends a migration as one message, so that nothing is idle in it, and sets `statement_timeout` as the project \
         says; what takes long by itself has a rule of its own.",
    ),
    by(Locks, "more work follows while a table is closed", &["work_under_lock", "schema_and_data"]),
    but(
        Locks,
        "several ALTER TABLE do what one could",
        &[],
        "Each that reads or writes all rows is found by itself, and the way that is advised instead does neither.",
    ),
    by(Locks, "all rows are changed or deleted at once", &["bulk_write", "schema_and_data"]),
    but(
        Locks,
        "a foreign key has no index on its own side",
        &["unindexed_foreign_key"],
        "Of a table that is new as well, the index can still come before the rows do.",
    ),
    by(
        Locks,
        "a backfill fills rows that already have an index to be written",
        &["index_before_backfill"],
    ),
    by(Locks, "a backfill does not see which rows are done", &["backfill_repeats"]),
    by(Locks, "an index is dropped before its successor is there", &["index_gap"]),
    by(Compatibility, "a column goes that running code names", &["drop_column"]),
    but(
        Compatibility,
        "a table, view, sequence, function, type, schema or extension goes that running code uses",
        &["drop_table", "drop_object"],
        "A database goes by no migration: DROP DATABASE cannot be in the transaction, and not in the database itself.",
    ),
    by(Compatibility, "something gets another name, or another schema", &["rename"]),
    but(
        Compatibility,
        "a column gets another type, and running code sends the old one",
        &["change_type"],
        "A change that leaves the rows alone is silent: text for varchar, and longer for shorter, are sent alike.",
    ),
    by(Compatibility, "a column may be null from now on", &["drop_not_null"]),
    but(
        Compatibility,
        "a default goes or changes",
        &["drop_default"],
        "Another default is what new rows are meant to get, whoever writes them.",
    ),
    but(
        Compatibility,
        "a constraint goes that running code relies on",
        &["drop_constraint"],
        "A CHECK that goes lets others write what running code may meet; that depends on what they then write.",
    ),
    by(
        Compatibility,
        "a new demand refuses what running code writes",
        &["write_restriction", "check_before_backfill"],
    ),
    by(Compatibility, "a json column makes DISTINCT and UNION fail", &["json_column"]),
    by(Compatibility, "a prepared `SELECT *` meets a new column", &["add_column"]),
    by(
        Compatibility,
        "a value of an enum is used before it is there, or nobody chose its place",
        &["enum_value_in_use", "enum_value_order"],
    ),
    but(
        Compatibility,
        "CREATE OR REPLACE changes what a view or a function gives",
        &[],
        "PostgreSQL refuses to take columns from a view or to change what a function returns, before anything has changed; a function \
         with other parameters stands beside the old one, which running code goes on calling.",
    ),
    by(
        Compatibility,
        "a column takes indexes and constraints along when it goes",
        &["drop_column_takes_along", "needed_object"],
    ),
    by(Compatibility, "a table is dropped and made anew, without its rows", &["drop_table"]),
    but(
        Compatibility,
        "a file is added before others that were applied, or one that was applied is edited",
        &[],
        "The runner's plan refuses both, by the history and checksums.",
    ),
    by(Correctness, "a statement is no SQL", &["syntax_error"]),
    but(
        Correctness,
        "a file begins or ends transactions of its own",
        &[],
        "The reader of the folder refuses that in a transaction of the runner's, and BEGIN without COMMIT anywhere.",
    ),
    but(
        Correctness,
        "a statement outside a transaction cannot run a second time",
        &[],
        "The runner records each before and after, and goes on behind the last that was done.",
    ),
    by(Correctness, "a name is longer than PostgreSQL keeps", &["long_identifier"]),
    by(Correctness, "a column is there twice", &["duplicate_column"]),
    by(Correctness, "a name has no schema", &["unqualified_name"]),
    by(Correctness, "a constraint has no name", &["unnamed_constraint"]),
    by(Correctness, "an extension can be created by a superuser only", &["untrusted_extension"]),
    by(
        Correctness,
        "a table has no primary key, or an index many columns",
        &["no_primary_key", "wide_index"],
    ),
    but(
        Correctness,
        "a statement that cannot be in a transaction is in one",
        &[],
        "The reader of the folder refuses such a file, and says which line it lacks.",
    ),
    by(Correctness, "a statement refers to what no earlier migration creates", &["missing_object"]),
    by(
        Correctness,
        "a statement creates what an earlier migration has created",
        &["existing_object"],
    ),
    by(Style, "a key or a column of four bytes runs out of numbers", &["int_key"]),
    by(Style, "serial is used where identity could be", &["serial_column"]),
    by(Style, "char(n) pads with blanks", &["char_column"]),
    by(Style, "the length of varchar(n) is part of the type", &["varchar_column"]),
    by(Style, "timestamp has no time zone", &["timestamp_column"]),
    but(
        Style,
        "money, hash indexes, enums; columns that hold the name of a class",
        &["money_column", "hash_index", "enum_type"],
        "What a column called `type` is for, no SQL tells.",
    ),
    by(Style, "a foreign key is of another type than the key", &["foreign_key_type"]),
    but(
        Style,
        "the order of columns wastes bytes",
        &[],
        "At most seven bytes a row for each column, which nobody would move columns about for once there are rows.",
    ),
    but(
        Style,
        "names do not follow a policy",
        &[],
        "It would be the project's own, and a test of the project can hold it.",
    ),
    by(Alone, "a way back does not undo its migration", &["down_leaves_traces"]),
    by(
        Alone,
        "a way back fails on the schema that its migration leaves",
        &["missing_object", "existing_object", "needed_object"],
    ),
    by(Alone, "something is dropped that others need", &["needed_object"]),
    by(Alone, "schema and rows change in one transaction", &["schema_and_data"]),
    by(Alone, "a contract has nothing that replaces what it takes away", &["contract_alone"]),
    by(
        Alone,
        "rows are filled after a NOT VALID check demands it of them",
        &["check_before_backfill"],
    ),
    by(
        Alone,
        "the runner's session or its table is tampered with",
        &["session_reset", "runner_table"],
    ),
    by(Alone, "a statement is nothing that the rules understand", &["not_understood"]),
    by(
        Alone,
        "a permission is of no use, or nobody can understand it",
        &["unused_allow", "bad_allow"],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Level;
    use crate::rules::{all, find};

    #[test]
    fn every_rule_is_named_and_every_name_is_a_rule() {
        let named: Vec<&str> = UNION.iter().flat_map(|covered| covered.rules).copied().collect();
        let unknown: Vec<_> = named.iter().filter(|name| find(name).is_none()).collect();
        assert!(unknown.is_empty(), "no rules: {unknown:?}");
        let forgotten: Vec<_> =
            all().iter().map(|rule| rule.name).filter(|name| !named.contains(name)).collect();
        assert!(forgotten.is_empty(), "of nothing: {forgotten:?}");
    }

    #[test]
    fn what_no_rule_finds_has_a_reason() {
        for Covered { hazard, rules, otherwise, .. } in UNION {
            assert!(!rules.is_empty() || !otherwise.is_empty(), "{hazard}");
            assert!(otherwise.is_empty() || otherwise.ends_with('.'), "{otherwise}");
            assert!(!hazard.ends_with('.'), "{hazard}");
        }
    }

    #[test]
    fn nothing_is_left_out() {
        let of = |part| UNION.iter().filter(|covered| covered.part == part).count();
        assert_eq!([Locks, Compatibility, Correctness, Style].map(of), [40, 15, 12, 9]);
    }

    #[test]
    fn advice_on_style_is_given_to_those_who_ask() {
        let style =
            UNION.iter().filter(|covered| covered.part == Style).flat_map(|covered| covered.rules);
        for name in style {
            assert_eq!(find(name).map(|rule| rule.level), Some(Level::Off), "{name}");
        }
    }
}
