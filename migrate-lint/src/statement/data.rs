//! Statements that read and write rows, steer the session or look after tables; and expressions.

use crate::name::Name;

/// An expression: what of it matters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expression {
    /// As it was written.
    pub text: Box<str>,
    /// The functions that it calls.
    pub calls: Vec<Name>,
    /// The columns that it names.
    pub columns: Vec<Box<str>>,
    /// The types that it casts to, the innermost first.
    pub casts: Vec<super::Type>,
    /// The columns that are not null wherever it is true: `a IS NOT NULL AND …`.
    pub not_null: Vec<Box<str>>,
    /// Is it the constant `NULL`?
    pub is_null: bool,
}

impl Expression {
    /// The column of which it allows one value: `lock = 'X'`, or a boolean by itself.
    pub fn only_value_of(&self) -> Option<&str> {
        let [column] = &self.columns[..] else { return None };
        let text = self.text.trim_matches(|c: char| c == '(' || c == ')' || c.is_whitespace());
        let is_it = |text: &str| crate::name::fold(text.trim()) == *column;
        let is_value = |text: &str| {
            let text = text.trim();
            let is_quoted = text.len() > 1 && text.starts_with('\'') && text.ends_with('\'');
            let is_word = text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false");
            (is_quoted && text.matches('\'').count() == 2) || is_word || text.parse::<i64>().is_ok()
        };
        let is_one = match text.split_once('=') {
            Some((left, right)) => is_it(left) && is_value(right),
            None => is_it(text),
        };
        (is_one && self.calls.is_empty()).then_some(column)
    }
}

/// A change of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// The table.
    pub table: Name,
    /// The kind of change.
    pub kind: WriteKind,
    /// Does a condition choose rows?
    pub filtered: bool,
    /// Does it name a value or a query, so that it may choose few of them? `a IS NULL` and `a.id = b.id` do not.
    pub by_value: bool,
    /// Does a `LIMIT` somewhere bound them?
    pub limited: bool,
}

/// A kind of change of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteKind {
    /// `INSERT … VALUES`: as many rows as stand there.
    InsertValues,
    /// `INSERT … SELECT`
    InsertQuery,
    /// `UPDATE`
    Update,
    /// `DELETE`
    Delete,
    /// `MERGE`
    Merge,
    /// `COPY … FROM`
    Copy,
}

/// `SET` and `RESET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Which, in lower case; `all` of `RESET ALL`, `role` and `session_authorization` are among them.
    pub name: Box<str>,
    /// The new values; `None` puts it back.
    pub values: Option<Vec<Box<str>>>,
    /// Only until the transaction ends?
    pub local: bool,
}

/// Statements that steer a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transaction {
    /// `BEGIN`, `START TRANSACTION`
    Begin,
    /// `COMMIT`, `END`
    Commit,
    /// `ROLLBACK`, `ABORT`
    Rollback,
    /// Savepoints, two-phase commit, modes.
    Other,
}

/// Statements that look after relations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Maintenance {
    /// `VACUUM`
    Vacuum {
        /// The tables; none means all.
        tables: Vec<Name>,
        /// Does it rewrite them?
        full: bool,
    },
    /// `ANALYZE`
    Analyze {
        /// The tables; none means all.
        tables: Vec<Name>,
    },
    /// `CLUSTER`
    Cluster {
        /// The table; none means all.
        table: Option<Name>,
    },
    /// `REINDEX`
    Reindex {
        /// The table or index; none for a whole schema or database.
        name: Option<Name>,
        /// Is it an index?
        index: bool,
        /// Without keeping writers out?
        concurrently: bool,
    },
    /// `REFRESH MATERIALIZED VIEW`
    Refresh {
        /// The view.
        view: Name,
        /// Without keeping readers out?
        concurrently: bool,
        /// Does its query run?
        with_data: bool,
    },
    /// `LOCK TABLE`
    Lock {
        /// The tables.
        tables: Vec<Name>,
        /// How.
        mode: crate::locks::Mode,
    },
}
