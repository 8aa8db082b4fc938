//! Questions about what a statement leaves in the catalog, for whoever has to find out whether it was done: which
//! names stand in it. Owns the grammar of those statements alone. Must not know how a catalog is read.
//!
//! An answer of `None` means that the text does not say it plainly, not that nothing is left.

use super::{QualifiedName, Reader, TokenKind, refuses_transaction, transaction_control};

/// A `REINDEX`, concurrent or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reindex {
    /// `INDEX`, `TABLE`, `SCHEMA`, `DATABASE` or `SYSTEM`.
    pub target: &'static str,
    /// What of that kind; `None` is this database.
    pub name: Option<QualifiedName>,
}

/// `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConcurrentDetach {
    /// The partitioned table.
    pub table: QualifiedName,
    /// The partition.
    pub partition: QualifiedName,
}

/// `ALTER TYPE … ADD VALUE`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedValue {
    /// The enum.
    pub enumeration: QualifiedName,
    /// The new label.
    pub label: String,
}

/// `ALTER TABLE … VALIDATE CONSTRAINT`, alone in its statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validation {
    /// The table.
    pub table: QualifiedName,
    /// The constraint.
    pub constraint: String,
}

/// What belongs to a whole server, or talks to another one, made or dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whole {
    /// `DATABASE`, `TABLESPACE` or `SUBSCRIPTION`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Made, or dropped?
    pub made: bool,
}

/// Statements that may be done twice: the second time changes nothing that the first did not.
const REPEATABLE: [&str; 7] = [
    "VACUUM",
    "ANALYZE",
    "ANALYSE",
    "CHECKPOINT",
    "CLUSTER",
    "ALTER SYSTEM",
    "REFRESH MATERIALIZED VIEW",
];

/// Whether doing the statement twice is as good as doing it once, as far as its first words tell.
#[must_use]
pub fn may_be_repeated(stmt: &str) -> bool {
    is_setting(stmt) || REPEATABLE.iter().any(|words| begins_with(stmt, words))
}

fn begins_with(stmt: &str, words: &str) -> bool {
    Reader::new(stmt).eat(words)
}

/// Whether the statement changes a setting of the session.
#[must_use]
pub fn is_setting(stmt: &str) -> bool {
    Reader::new(stmt).one_of(&["SET", "RESET"]).is_some()
}

/// The isolation level that the statement sets for the transaction that it stands in.
#[must_use]
pub fn isolation_level(stmt: &str) -> Option<&'static str> {
    const LEVELS: [&str; 4] =
        ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED", "READ UNCOMMITTED"];
    let mut reader = Reader::new(stmt);
    if !reader.eat("SET TRANSACTION") {
        return None;
    }
    while !reader.eat("ISOLATION LEVEL") {
        reader.next()?;
    }
    LEVELS.into_iter().find(|level| reader.eat(level))
}

/// Whether what the statement does is to a setting of the session: also as a call of `set_config`, as dumps do it.
#[must_use]
pub fn sets_session(stmt: &str) -> bool {
    let mut reader = Reader::new(stmt);
    let calls = reader.eat("SELECT")
        && reader.name().is_some_and(|called| called.name == "set_config")
        && reader.parentheses().is_some()
        && reader.is_at_end();
    calls || is_setting(stmt)
}

/// Whether the statement may end a transaction while it runs: a procedure may, and a `DO` block that names one or
/// the end of a transaction, in whatever language.
fn may_commit_inside(stmt: &str) -> bool {
    let ends = || {
        let lowered = stmt.to_ascii_lowercase();
        ["commit", "rollback", "call"].iter().any(|word| lowered.contains(word))
    };
    begins_with(stmt, "CALL") || begins_with(stmt, "DO") && ends()
}

/// Whether PostgreSQL would run the statement in a transaction that somebody opens around it, as far as its text
/// tells, and what it sets in the session would not have to outlive that.
#[must_use]
pub fn may_be_enclosed(stmt: &str) -> bool {
    let outside = refuses_transaction(stmt).is_some()
        || transaction_control(stmt).is_some()
        || may_commit_inside(stmt)
        || is_setting(stmt);
    !outside
}

/// The parts of a `REINDEX`.
#[must_use]
pub fn reindex(stmt: &str) -> Option<Reindex> {
    let mut reader = Reader::new(stmt);
    reader.eat("REINDEX").then_some(())?;
    reader.parentheses();
    let target = reader.one_of(&["INDEX", "TABLE", "SCHEMA", "DATABASE", "SYSTEM"])?;
    reader.eat("CONCURRENTLY");
    let name = match target {
        "DATABASE" | "SYSTEM" => None,
        _ => Some(reader.name()?),
    };
    Some(Reindex { target, name })
}

/// The parts of an `ALTER TABLE … DETACH PARTITION … CONCURRENTLY`.
#[must_use]
pub fn concurrent_detach(stmt: &str) -> Option<ConcurrentDetach> {
    let (mut reader, table) = altered_table(stmt)?;
    reader.eat("DETACH PARTITION").then_some(())?;
    let partition = reader.name()?;
    reader.eat("CONCURRENTLY").then_some(ConcurrentDetach { table, partition })
}

/// The parts of an `ALTER TYPE … ADD VALUE`.
#[must_use]
pub fn added_value(stmt: &str) -> Option<AddedValue> {
    let mut reader = Reader::new(stmt);
    reader.eat("ALTER TYPE").then_some(())?;
    let enumeration = reader.name()?;
    reader.eat("ADD VALUE").then_some(())?;
    reader.eat("IF NOT EXISTS");
    let label = reader.plain_string()?;
    Some(AddedValue { enumeration, label })
}

/// The parts of an `ALTER TABLE … VALIDATE CONSTRAINT`; `None` if it does more.
#[must_use]
pub fn validation(stmt: &str) -> Option<Validation> {
    let (mut reader, table) = altered_table(stmt)?;
    reader.eat("VALIDATE CONSTRAINT").then_some(())?;
    let constraint = reader.identifier()?;
    reader.is_at_end().then_some(Validation { table, constraint })
}

fn altered_table(stmt: &str) -> Option<(Reader<'_>, QualifiedName)> {
    let mut reader = Reader::new(stmt);
    reader.eat("ALTER TABLE").then_some(())?;
    reader.eat("IF EXISTS");
    reader.eat("ONLY");
    let table = reader.name()?;
    reader.symbol("*");
    Some((reader, table))
}

/// The parts of a `CREATE` or `DROP` of a database, a tablespace or a subscription.
#[must_use]
pub fn whole(stmt: &str) -> Option<Whole> {
    let mut reader = Reader::new(stmt);
    let made = reader.one_of(&["CREATE", "DROP"])? == "CREATE";
    let kind = reader.one_of(&["DATABASE", "TABLESPACE", "SUBSCRIPTION"])?;
    if !made {
        reader.eat("IF EXISTS");
    }
    Some(Whole { kind, name: reader.identifier()?, made })
}

impl Reader<'_> {
    fn is_at_end(&self) -> bool {
        self.clone().next().is_none_or(|token| token.kind == TokenKind::Semicolon)
    }

    /// The value of a string constant without escapes of any kind.
    fn plain_string(&mut self) -> Option<String> {
        let token = self.next().filter(|token| token.kind == TokenKind::String && token.closed)?;
        let quoted = token.text(self.text).strip_prefix('\'')?.strip_suffix('\'')?;
        Some(quoted.replace("''", "'"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(schema: Option<&str>, name: &str) -> QualifiedName {
        QualifiedName { schema: schema.map(str::to_owned), name: name.to_owned() }
    }

    #[test]
    fn reindexes() {
        let of = |target, name| Some(Reindex { target, name });
        for (stmt, expected) in [
            ("REINDEX INDEX CONCURRENTLY s.I", of("INDEX", Some(name(Some("s"), "i")))),
            ("reindex (concurrently, verbose) table \"T\";", of("TABLE", Some(name(None, "T")))),
            ("REINDEX TABLE t", of("TABLE", Some(name(None, "t")))),
            ("REINDEX SCHEMA CONCURRENTLY s", of("SCHEMA", Some(name(None, "s")))),
            ("REINDEX DATABASE CONCURRENTLY d", of("DATABASE", None)),
            ("REINDEX SYSTEM", of("SYSTEM", None)),
            ("REINDEX INDEX", None),
            ("DROP INDEX i", None),
        ] {
            assert_eq!(reindex(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn detached_partitions() {
        let stmt = "alter table if exists only s.t detach partition p concurrently;";
        let expected = ConcurrentDetach { table: name(Some("s"), "t"), partition: name(None, "p") };
        assert_eq!(concurrent_detach(stmt), Some(expected));
        assert_eq!(concurrent_detach("ALTER TABLE t DETACH PARTITION p"), None);
        assert_eq!(concurrent_detach("ALTER TABLE t DETACH PARTITION p FINALIZE"), None);
    }

    #[test]
    fn added_values() {
        let of = |enumeration, label: &str| Some(AddedValue { enumeration, label: label.into() });
        for (stmt, expected) in [
            ("ALTER TYPE s.E ADD VALUE 'it''s'", of(name(Some("s"), "e"), "it's")),
            ("alter type e add value if not exists 'b' after 'a';", of(name(None, "e"), "b")),
            ("ALTER TYPE e ADD VALUE E'b'", None),
            ("ALTER TYPE e ADD VALUE $$b$$", None),
            ("ALTER TYPE e RENAME VALUE 'a' TO 'b'", None),
            ("ALTER TYPE e ADD VALUE", None),
        ] {
            assert_eq!(added_value(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn validations() {
        let of = |constraint: &str| {
            Some(Validation { table: name(None, "t"), constraint: constraint.into() })
        };
        for (stmt, expected) in [
            ("ALTER TABLE t VALIDATE CONSTRAINT C", of("c")),
            ("alter table only t validate constraint \"C\" ;", of("C")),
            ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN a int", None),
            ("ALTER TABLE t ADD CHECK (a > 0)", None),
        ] {
            assert_eq!(validation(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn wholes() {
        let of = |kind, name: &str, made| Some(Whole { kind, name: name.into(), made });
        for (stmt, expected) in [
            ("CREATE DATABASE D TEMPLATE template0", of("DATABASE", "d", true)),
            ("drop database if exists \"D\" with (force)", of("DATABASE", "D", false)),
            ("CREATE TABLESPACE s LOCATION '/s'", of("TABLESPACE", "s", true)),
            ("DROP SUBSCRIPTION s", of("SUBSCRIPTION", "s", false)),
            ("CREATE TABLE database ()", None),
        ] {
            assert_eq!(whole(stmt), expected, "{stmt}");
        }
    }

    #[test]
    fn what_may_commit_inside() {
        for (stmt, expected) in [
            ("CALL p()", true),
            ("DO $$ BEGIN UPDATE t SET a = 1; Commit; END $$", true),
            ("DO LANGUAGE plpython3u 'plpy.commit()'", true),
            ("DO $$ BEGIN CALL p(); END $$", true),
            ("do $$ BEGIN UPDATE t SET a = 1; END $$", false),
            ("SELECT 'call'", false),
            ("DOMAIN", false),
        ] {
            assert_eq!(may_commit_inside(stmt), expected, "{stmt}");
        }
        assert!(may_be_enclosed("CREATE INDEX i ON t (a)") && !may_be_enclosed("VACUUM"));
        assert!(!may_be_enclosed("SET a = 1") && !may_be_enclosed("BEGIN; SELECT 1; COMMIT"));
        assert!(is_setting("/* a */ set a = 1") && is_setting("RESET ALL") && !is_setting("SETS"));
        assert!(sets_session("SET a = 1"));
        assert!(sets_session("SELECT pg_catalog.set_config('a', '', false);"));
        assert!(
            !sets_session("SELECT set_config('a', b, false) FROM c") && !sets_session("SELECT 1")
        );
        assert!(
            may_be_repeated("refresh /* a */ MATERIALIZED view v") && may_be_repeated("SET a = 1")
        );
        assert!(
            may_be_repeated("ALTER SYSTEM RESET a") && !may_be_repeated("ALTER TABLE t ADD a int")
        );
    }
}
