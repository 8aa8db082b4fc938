//! One file: its head, its statements, and whether they can run the way it says.

use std::borrow::Cow;

use super::File;
use crate::sql::{self, Statement, classify};
use crate::{Backfill, Checksum, Header, Problem, Script, Step};

/// A file that was read; without a step when it cannot run.
pub(super) struct Parsed {
    pub(super) file: String,
    pub(super) header: Header,
    pub(super) checksum: Checksum,
    pub(super) step: Option<Step>,
}

pub(super) fn parse(file: &File<'_>, is_down: bool, problems: &mut Vec<Problem>) -> Parsed {
    let empty = Parsed {
        file: file.path.to_owned(),
        header: Header::default(),
        checksum: Checksum::from_bytes([0; 32]),
        step: None,
    };
    let text = match std::str::from_utf8(file.bytes) {
        Ok(text) => text,
        Err(error) => {
            problems.push(not_utf8(file, error.valid_up_to()));
            return empty;
        }
    };
    let header = head(file.path, text, is_down, problems);
    let statements = match sql::statements(text) {
        Ok(statements) => statements,
        Err(mistakes) => {
            problems.extend(mistakes.iter().map(|mistake| mistaken(file.path, text, mistake)));
            return Parsed { header, ..empty };
        }
    };
    problems.extend(check(file.path, text, &header, &statements));
    let checksum = Checksum::of_migration(&header, text);
    let script = Script {
        file: Cow::Owned(file.path.to_owned()),
        text: Cow::Owned(text.to_owned()),
        statements: Cow::Owned(statements),
    };
    Parsed { checksum, step: Some(step(&header, script)), header, ..empty }
}

fn step(header: &Header, script: Script) -> Step {
    match &header.backfill {
        Some(batches) => Step::Backfill(Backfill {
            table: Cow::Owned(batches.table.clone()),
            key: Cow::Owned(batches.key.clone()),
            batch: batches.batch,
            script,
        }),
        None if header.no_transaction => Step::Standalone(script),
        None => Step::Transaction(script),
    }
}

fn head(file: &str, text: &str, is_down: bool, problems: &mut Vec<Problem>) -> Header {
    let (header, bad) = Header::parse(text);
    problems.extend(
        bad.into_iter().map(|bad| Problem::error(file, bad.message, bad.help).at(text, bad.offset)),
    );
    let foreign =
        header.irreversible.is_some() || header.backfill.is_some() || !header.after.is_empty();
    if is_down && foreign {
        let message = "a way back has a directive of the way forward";
        let help = "Move `irreversible`, `after` and `backfill` to the file that this one undoes.";
        problems.push(Problem::error(file, message, help).at(text, 0));
    }
    header
}

fn not_utf8(file: &File<'_>, valid: usize) -> Problem {
    let before = file
        .bytes
        .get(..valid)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
        .unwrap_or_default();
    let message = "the text is not UTF-8 from here on";
    Problem::error(file.path, message, "Save the file as UTF-8.").at(before, valid)
}

fn mistaken(file: &str, text: &str, mistake: &sql::Mistake) -> Problem {
    Problem::error(file, mistake.to_string(), mistake.help()).at(text, mistake.offset)
}

fn check(file: &str, text: &str, header: &Header, statements: &[Statement]) -> Vec<Problem> {
    if statements.is_empty() {
        let help = "Write a statement, or remove the file.";
        return vec![Problem::error(file, "the file holds no statement", help)];
    }
    let mut problems = Vec::new();
    for statement in statements {
        let wrong = refused(statement.text(text), header.no_transaction);
        problems.extend(wrong.map(|(message, help)| {
            Problem::error(file, message, help).at(text, statement.start as usize)
        }));
    }
    if let (Some(_), Some(second)) = (&header.backfill, statements.get(1)) {
        let help = "Keep the statement that changes a batch, and put others into a migration of their own.";
        problems.push(
            Problem::error(file, "a backfill has more than one statement", help)
                .at(text, second.start as usize),
        );
    }
    problems
}

/// Statements that cannot run the way the file says.
fn refused(statement: &str, no_transaction: bool) -> Option<(String, &'static str)> {
    if let Some(control) = classify::transaction_control(statement) {
        let message = format!("{control} in a migration, whose transaction is the runner's");
        let help = match no_transaction {
            true => "Remove it: each statement of this file commits by itself.",
            false => "Remove it: the file already runs in one transaction.",
        };
        return Some((message, help));
    }
    let refuses = classify::refuses_transaction(statement).filter(|_| !no_transaction)?;
    let message = format!("{refuses} cannot run inside a transaction");
    Some((message, "Add `-- migrate: no-transaction` to the first lines of the file."))
}
