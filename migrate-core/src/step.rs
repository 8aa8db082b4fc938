//! The kinds of work that exist.
//!
//! A closed set: whoever carries steps out names every kind. A step is plain data; SQL stands in it with
//! the place of each statement, so that nobody has to look for semicolons when the application starts.
//! Code stands in it by name only, its function is the runner's to know.

use std::borrow::Cow;

use crate::sql::{self, Statement};
use crate::{Backfill, Checksum, Header, block};

/// One unit of work of a migration.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Statements that commit together with their row in the history.
    Transaction(Script),
    /// Statements that cannot be in a transaction; each runs and is recorded by itself.
    Standalone(Script),
    /// A change of data in batches.
    Backfill(Backfill),
    /// Rust code of the application.
    Code(Code),
}

impl Step {
    /// What the head of a file makes of it.
    pub fn of_file(header: &Header, script: Script) -> Self {
        match &header.backfill {
            Some(_) => Step::Backfill(Backfill::Sql(script)),
            None if header.no_transaction => Step::Standalone(script.with_blocks()),
            None => Step::Transaction(script),
        }
    }

    /// The change of data in batches, where it is one.
    pub fn backfill(&self) -> Option<&Backfill> {
        match self {
            Step::Backfill(backfill) => Some(backfill),
            _ => None,
        }
    }

    /// The SQL of the step, where it has any.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Step::Transaction(script) | Step::Standalone(script) => Some(script),
            Step::Backfill(backfill) => backfill.script(),
            Step::Code(_) => None,
        }
    }
}

/// A file of SQL and where its statements are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file as the user knows it, for messages.
    pub file: Cow<'static, str>,
    /// The whole text, byte for byte.
    pub text: Cow<'static, str>,
    /// Its statements, in order.
    pub statements: Cow<'static, [Statement]>,
}

impl Script {
    /// A transaction that the file opens for itself is one statement to whoever runs them one by one.
    fn with_blocks(mut self) -> Self {
        self.statements = Cow::Owned(block::joined(&self.text, &self.statements));
        self
    }

    /// The text of one statement, without its semicolon.
    pub fn statement(&self, statement: &Statement) -> &str {
        statement.text(&self.text)
    }

    /// Reads a text that was a migration before, such as a way back kept in the history.
    pub fn parse(
        file: impl Into<Cow<'static, str>>,
        text: impl Into<Cow<'static, str>>,
    ) -> Result<Self, Vec<sql::Mistake>> {
        let text = text.into();
        let statements = Cow::Owned(sql::statements(&text)?);
        Ok(Self { file: file.into(), text, statements })
    }
}

/// Rust code: an identity, not a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// Declared by its author, who raises it when the code changes what it does. The body is not hashed.
    pub revision: u32,
    /// Does the runner wrap it in a transaction?
    pub transaction: bool,
}

/// The part of a migration that runs and is recorded by itself when the whole is not one transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit<'s> {
    /// All statements of a script, in a transaction.
    Transaction(&'s Script),
    /// One statement, outside a transaction.
    Statement(&'s Script, &'s Statement),
    /// Rust code of the application.
    Code(&'s Code),
    /// A change of data in batches.
    Backfill(&'s Backfill),
}

impl Unit<'_> {
    /// What identifies it, whatever its blanks and comments.
    pub fn checksum(&self) -> Checksum {
        match self {
            Unit::Transaction(script) => Checksum::of_sql(&script.text),
            Unit::Statement(script, statement) => Checksum::of_sql(statement.text(&script.text)),
            Unit::Code(code) => Checksum::of_code(code.revision),
            Unit::Backfill(backfill) => backfill.checksum(),
        }
    }
}

/// The units of steps, in order; the history counts them from 1.
pub fn units(steps: &[Step]) -> Vec<Unit<'_>> {
    steps.iter().flat_map(units_of).collect()
}

fn units_of(step: &Step) -> Vec<Unit<'_>> {
    match step {
        Step::Transaction(script) => vec![Unit::Transaction(script)],
        Step::Standalone(script) => {
            script.statements.iter().map(|statement| Unit::Statement(script, statement)).collect()
        }
        Step::Code(code) => vec![Unit::Code(code)],
        Step::Backfill(backfill) => vec![Unit::Backfill(backfill)],
    }
}
