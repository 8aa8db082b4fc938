//! Transactions that a file opens for itself, where the runner puts none around it.
//!
//! Owns which statements belong together: from `BEGIN` to `COMMIT` nothing may come between them, a row of the
//! history neither. Does not judge what stands in such a block.

use crate::sql::lexer::{Lexer, TokenKind};
use crate::sql::{Statement, classify};

/// The statements of a text in their blocks; one that is in no block of its own is a block of one.
pub(crate) fn blocks<'s>(text: &str, statements: &'s [Statement]) -> Vec<&'s [Statement]> {
    let (mut blocks, mut rest) = (Vec::new(), statements);
    while !rest.is_empty() {
        let (block, later) = rest.split_at(length(text, rest));
        blocks.push(block);
        rest = later;
    }
    blocks
}

/// Each block as one statement, to be sent as one message.
pub(crate) fn joined(text: &str, statements: &[Statement]) -> Vec<Statement> {
    let blocks = blocks(text, statements).into_iter();
    blocks
        .filter_map(|block| Some(Statement { end: block.last()?.end, ..*block.first()? }))
        .collect()
}

/// How many statements the first block has; 1 when what it opens is not closed.
fn length(text: &str, statements: &[Statement]) -> usize {
    let control = |statement: &Statement| classify::transaction_control(statement.text(text));
    let mut statements = statements.iter();
    if !matches!(statements.next().and_then(control), Some("BEGIN" | "START TRANSACTION")) {
        return 1;
    }
    let next = statements.zip(2..).find(|(statement, _)| control(statement).is_some());
    next.filter(|(statement, _)| closes(statement.text(text))).map_or(1, |(_, length)| length)
}

/// `COMMIT AND CHAIN` opens the next one.
fn closes(statement: &str) -> bool {
    let words = Lexer::new(statement).filter(|token| token.kind == TokenKind::Word);
    let words: Vec<_> = words.map(|token| token.text(statement).to_ascii_uppercase()).collect();
    let chains = words.ends_with(&["AND".to_owned(), "CHAIN".to_owned()]);
    matches!(classify::transaction_control(statement), Some("COMMIT" | "END")) && !chains
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql;

    #[test]
    fn a_block_ends_where_its_transaction_does() {
        for (text, expected) in [
            (
                "vacuum; begin; select 1; commit; vacuum",
                vec!["vacuum", "begin; select 1; commit", "vacuum"],
            ),
            ("start transaction; end", vec!["start transaction; end"]),
            ("begin; commit and no chain;", vec!["begin; commit and no chain"]),
            ("begin; commit; begin; end work", vec!["begin; commit", "begin; end work"]),
            (
                "begin; savepoint a; rollback to a; commit",
                vec!["begin; savepoint a; rollback to a; commit"],
            ),
            ("begin; select 1", vec!["begin", "select 1"]),
            ("select 1; commit", vec!["select 1", "commit"]),
            ("begin; commit and chain", vec!["begin", "commit and chain"]),
            ("begin; rollback; commit", vec!["begin", "rollback", "commit"]),
            ("begin; begin; commit", vec!["begin", "begin; commit"]),
            ("begin; prepare transaction 'a'", vec!["begin", "prepare transaction 'a'"]),
            ("", vec![]),
        ] {
            let statements = sql::statements(text).unwrap();
            let found = joined(text, &statements);
            let found: Vec<_> = found.iter().map(|statement| statement.text(text)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
