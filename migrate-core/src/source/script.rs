//! One file: its head, its statements, and whether they can run the way it says.

use std::borrow::Cow;

use super::File;
use crate::backfill::{PlaceholderKind, placeholders};
use crate::sql::{self, Statement, classify};
use crate::{Checksum, Header, Problem, Script, Step, block};

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
    if statements.is_empty() && !is_down {
        problems.push(no_statement(file.path));
    }
    problems.extend(check(file.path, text, &header, &statements));
    let checksum = Checksum::of_migration(&header, text);
    let script = Script {
        file: Cow::Owned(file.path.to_owned()),
        text: Cow::Owned(text.to_owned()),
        statements: Cow::Owned(statements),
    };
    Parsed { checksum, step: Some(Step::of_file(&header, script)), header, ..empty }
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

/// Of a way back the folder's policy decides: sqlx's command line writes one, and many leave it as it was.
fn no_statement(file: &str) -> Problem {
    let help = "Write a statement, or remove the file.";
    Problem::error(file, "the file holds no statement", help)
}

fn mistaken(file: &str, text: &str, mistake: &sql::Mistake) -> Problem {
    Problem::error(file, mistake.to_string(), mistake.help()).at(text, mistake.offset)
}

fn check(file: &str, text: &str, header: &Header, statements: &[Statement]) -> Vec<Problem> {
    let wrong: Vec<_> = match header.no_transaction {
        true => {
            block::blocks(text, statements).into_iter().flat_map(|b| in_block(text, b)).collect()
        }
        false => {
            statements.iter().filter_map(|s| Some((s, in_transaction(s.text(text))?))).collect()
        }
    };
    let problem = |(statement, (message, help)): (&Statement, Refused)| {
        Problem::error(file, message, help).at(text, statement.start as usize)
    };
    let to_nobody = statements.iter().filter(|s| classify::copies_to_stdout(s.text(text)));
    let to_nobody = to_nobody.map(|s| (s, copied_to_nobody()));
    let mut problems: Vec<_> = wrong.into_iter().chain(to_nobody).map(problem).collect();
    problems.extend(in_batches(text, header, statements).into_iter().map(problem));
    problems
}

/// What keeps a file from running in batches, where it is to, or what it says of batches that are not there.
fn in_batches<'s>(
    text: &str,
    header: &Header,
    statements: &'s [Statement],
) -> Option<(&'s Statement, Refused)> {
    let first = statements.first()?;
    if header.backfill.is_none() {
        let is_strange = !header.verify.is_empty() || header.prove.is_some() || header.reindex;
        let message = "`verify`, `prove` or `reindex` stands in a file without `backfill`";
        let help = "It says what comes at the end of a backfill.";
        return is_strange.then_some((first, (message.to_owned(), help)));
    }
    if header.no_transaction {
        let message = "a backfill is told to run outside a transaction".to_owned();
        return Some((first, (message, "Remove `no-transaction`: each batch is a transaction.")));
    }
    if let Some(second) = statements.get(1) {
        let help = "Keep the statement that changes a batch, and put others into a migration of their own.";
        return Some((second, ("a backfill has more than one statement".to_owned(), help)));
    }
    let names_batch = placeholders(first.text(text))
        .iter()
        .any(|placeholder| matches!(placeholder.kind, PlaceholderKind::Batch(_)));
    let message = "the backfill's statement does not name its batch".to_owned();
    let help = "Write `WHERE :batch AND …`, or `:batch(u)` where the table is called u.";
    (!names_batch).then_some((first, (message, help)))
}

/// What is wrong with a statement, and the remedy.
type Refused = (String, &'static str);

fn copied_to_nobody() -> Refused {
    let message = "`COPY … TO STDOUT` sends its data to a migrator, which has no use for it";
    (message.to_owned(), "Copy into a table instead (`CREATE TABLE … AS`), or export with psql.")
}

/// Statements that cannot run where the runner opens no transaction: the file may, from `BEGIN` to `COMMIT`.
fn in_block<'s>(text: &str, block: &'s [Statement]) -> Vec<(&'s Statement, Refused)> {
    match block {
        [_, inner @ .., _] => {
            inner.iter().filter_map(|s| Some((s, in_own_transaction(s.text(text))?))).collect()
        }
        alone => alone.iter().filter_map(|s| Some((s, unpaired(s.text(text))?))).collect(),
    }
}

fn unpaired(statement: &str) -> Option<Refused> {
    let control = classify::transaction_control(statement)?;
    let message =
        format!("{control} without its other half: each statement of this file commits by itself");
    Some((
        message,
        "Remove it, or write both `BEGIN` and `COMMIT`, and nothing between that ends the transaction.",
    ))
}

fn in_own_transaction(statement: &str) -> Option<Refused> {
    let refuses = classify::refuses_transaction(statement)?;
    let message = format!("{refuses} cannot run inside a transaction");
    Some((message, "Move it out from between `BEGIN` and `COMMIT`."))
}

fn in_transaction(statement: &str) -> Option<Refused> {
    if let Some(control) = classify::transaction_control(statement) {
        let message = format!("{control} in a migration, whose transaction is the runner's");
        return Some((message, "Remove it: the file already runs in one transaction."));
    }
    let refuses = classify::refuses_transaction(statement)?;
    let message = format!("{refuses} cannot run inside a transaction");
    Some((message, "Add `-- migrate: no-transaction` to the first lines of the file."))
}
