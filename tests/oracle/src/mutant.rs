//! Statements that are wrong in one token: what people mistype, and what they forget to delete.
//!
//! The same ones in every run, as far as the statements are the same. Most of them are no SQL; some are, by chance.

use std::collections::HashSet;

use fastrand::Rng;
use migrate_core::sql::lexer::{Lexer, Token, TokenKind};

use crate::judged::{Case, Judged, Source};

const SEED: u64 = 20_261_129;
/// How many tries there are for each mutant that is wanted.
const PATIENCE: usize = 20;

/// What is done to a token.
#[derive(Clone, Copy)]
enum Change {
    Delete,
    Double,
    Swap,
    Replace,
    Misspell,
}

const CHANGES: [(Change, &str); 5] = [
    (Change::Delete, "deleted"),
    (Change::Double, "doubled"),
    (Change::Swap, "swapped"),
    (Change::Replace, "replaced"),
    (Change::Misspell, "misspelt"),
];

/// What stands where something else should.
const OTHERS: [&str; 96] = [
    "ADD",
    "ALL",
    "ALTER",
    "ALWAYS",
    "AND",
    "ANY",
    "ARRAY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BY",
    "CASCADE",
    "CASE",
    "CHECK",
    "COLLATE",
    "COLUMN",
    "COMMIT",
    "CONSTRAINT",
    "CREATE",
    "CROSS",
    "DATA",
    "DEFAULT",
    "DELETE",
    "DESC",
    "DISTINCT",
    "DO",
    "DROP",
    "ELSE",
    "END",
    "EXCLUDE",
    "EXISTS",
    "FALSE",
    "FOR",
    "FOREIGN",
    "FROM",
    "FUNCTION",
    "GENERATED",
    "GRANT",
    "GROUP",
    "IF",
    "IN",
    "INDEX",
    "INSERT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "KEY",
    "LANGUAGE",
    "LIKE",
    "LIMIT",
    "NOT",
    "NULL",
    "OF",
    "ON",
    "ONLY",
    "OR",
    "ORDER",
    "PRIMARY",
    "REFERENCES",
    "RETURNING",
    "SELECT",
    "SET",
    "TABLE",
    "THEN",
    "TO",
    "TYPE",
    "UNION",
    "UNIQUE",
    "UPDATE",
    "USING",
    "VALUES",
    "VIEW",
    "WHEN",
    "WHERE",
    "WITH",
    "name",
    "42",
    "'text'",
    "$1",
    "(",
    ")",
    "[",
    "]",
    ",",
    ".",
    ":",
    "::",
    "=",
    "*",
    "+",
    "-",
    "<>",
    "||",
    "->>",
];

/// So many mutants of these statements, all of them different.
pub(crate) fn of<'j>(statements: impl Iterator<Item = &'j Judged>, count: usize) -> Vec<Case> {
    let texts: HashSet<&str> = statements.map(|one| one.case.text.as_str()).collect();
    let mut originals: Vec<&str> = texts.iter().copied().collect();
    originals.sort_unstable();
    let (mut rng, mut seen, mut mutants) = (Rng::with_seed(SEED), HashSet::new(), Vec::new());
    for _ in 0..count * PATIENCE {
        if mutants.len() == count {
            break;
        }
        let Some(original) = rng.choice(&originals) else { break };
        let Some((what, text)) = mutant(&mut rng, original) else { continue };
        if !texts.contains(text.as_str()) && seen.insert(text.clone()) {
            mutants.push(Case { source: Source::Mutant(what), text });
        }
    }
    mutants
}

fn mutant(rng: &mut Rng, text: &str) -> Option<(&'static str, String)> {
    let tokens: Vec<Token> = Lexer::new(text).filter(|token| !token.kind.is_trivia()).collect();
    let at = rng.usize(0..tokens.len().max(1));
    let (token, next) = (tokens.get(at)?, tokens.get(at + 1));
    let (change, what) = rng.choice(CHANGES)?;
    let word = token.text(text);
    let with = |new: &str| {
        let (before, after) = (text.get(..token.start)?, text.get(token.end..)?);
        Some(format!("{before}{new}{after}"))
    };
    let changed = match change {
        // A blank, or else its neighbours would become one.
        Change::Delete => with(" "),
        Change::Double => with(&format!("{word} {word}")),
        Change::Replace => with(&format!(" {} ", rng.choice(OTHERS)?)),
        Change::Misspell if token.kind == TokenKind::Word => with(&misspelt(rng, word)?),
        Change::Misspell => None,
        Change::Swap => swapped(text, *token, *next?),
    };
    changed.map(|changed| (what, changed))
}

fn swapped(text: &str, one: Token, other: Token) -> Option<String> {
    let (before, between) = (text.get(..one.start)?, text.get(one.end..other.start)?);
    let (one, other, after) = (one.text(text), other.text(text), text.get(other.end..)?);
    let between = if between.is_empty() { " " } else { between };
    Some(format!("{before}{other}{between}{one} {after}"))
}

/// With two letters in each other's place.
fn misspelt(rng: &mut Rng, word: &str) -> Option<String> {
    let mut letters: Vec<char> = word.chars().collect();
    let at = rng.usize(0..letters.len().checked_sub(1).filter(|pairs| *pairs > 0)?);
    letters.swap(at, at + 1);
    Some(letters.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judged::tests::judged;
    use crate::verdict::Verdict;

    fn some() -> Vec<Case> {
        let one = judged(Source::Real("a 1".to_owned()), Verdict::Fine, &[Verdict::Fine]);
        of([one].iter(), 30)
    }

    #[test]
    fn they_are_the_same_each_time_and_all_different() {
        let texts = |cases: Vec<Case>| cases.into_iter().map(|c| c.text).collect::<Vec<_>>();
        let (once, again) = (texts(some()), texts(some()));
        assert_eq!(once, again);
        assert_eq!(once.iter().collect::<HashSet<_>>().len(), 30);
        assert!(!once.contains(&"SELECT 1".to_owned()));
    }

    #[test]
    fn each_kind_does_what_it_says() {
        let expected = [
            ("deleted", "  1"),
            ("doubled", "SELECT SELECT 1"),
            ("swapped", "1 SELECT "),
            ("misspelt", "SEELCT 1"),
        ];
        let cases = some();
        for (what, text) in expected {
            let found = |case: &Case| case.source == Source::Mutant(what) && case.text == text;
            assert!(cases.iter().any(found), "{what}: {cases:?}");
        }
    }

    #[test]
    fn neighbours_that_touch_are_swapped_without_becoming_one() {
        let tokens: Vec<Token> = Lexer::new("f(a)").collect();
        assert_eq!(swapped("f(a)", tokens[1], tokens[2]).unwrap(), "fa ( )");
    }
}
