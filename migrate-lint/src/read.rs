//! From a file to what its statements do.
//!
//! Owns which statement runs in a transaction. Judges nothing.

use migrate_core::sql::{self, Statement as Span};
use migrate_core::{Script, Step, backfill};

use crate::parse::{self, Mistake};
use crate::statement::{Action, Statement, Transaction};

/// A statement of a file.
#[derive(Debug)]
pub(crate) struct Piece<'t> {
    /// Its text, without its semicolon.
    pub(crate) text: &'t str,
    /// Where that begins in the file, in bytes.
    pub(crate) offset: usize,
    /// Does a transaction surround it, the runner's or the file's own?
    pub(crate) in_transaction: bool,
    /// What it does, or why it is no SQL.
    pub(crate) statement: Result<Statement, Mistake>,
}

/// Understands a step; of one that is code there is nothing to understand.
pub(crate) fn pieces(step: &Step) -> Vec<Piece<'_>> {
    let Some(script) = step.script() else { return Vec::new() };
    let mut in_block = false;
    let always = matches!(step, Step::Transaction(_));
    let table = match step {
        Step::Backfill(backfill) => backfill.header().backfill.map(|batches| batches.table),
        _ => None,
    };
    let mut pieces = Vec::new();
    for (offset, text) in spans(script) {
        let statement = match &table {
            Some(table) => parse::statement(&backfill::readable(text, table)),
            None => parse::statement(text),
        };
        match &statement {
            Ok(Statement { action: Action::Transaction(Transaction::Begin), .. }) => {
                in_block = true
            }
            Ok(Statement {
                action: Action::Transaction(Transaction::Commit | Transaction::Rollback),
                ..
            }) => {
                in_block = false;
            }
            _ => {}
        }
        pieces.push(Piece { text, offset, in_transaction: always || in_block, statement });
    }
    pieces
}

/// The statements of a script, also those that core keeps together as one transaction.
pub(crate) fn spans(script: &Script) -> Vec<(usize, &str)> {
    let within = |span: &Span| {
        let text = script.statement(span);
        let start = span.start as usize;
        if !text.contains(';') {
            return vec![(start, text)];
        }
        let parts = sql::statements(text).unwrap_or_default();
        parts.iter().map(|part| (start + part.start as usize, part.text(text))).collect()
    };
    script.statements.iter().flat_map(within).collect()
}
