//! What the statement of a backfill does to the rows that it reads.
//!
//! Owns what its words tell of that. A parser would tell no more: this asks only which words there are, and is on the
//! safe side where they may mean either.

use migrate_core::sql::lexer::{Lexer, TokenKind};

/// A word or a sign, and how deep in parentheses it stands.
struct Word<'s> {
    text: &'s str,
    depth: u32,
}

impl Word<'_> {
    fn is(&self, word: &str) -> bool {
        self.text.eq_ignore_ascii_case(word)
    }
}

fn words(statement: &str) -> Vec<Word<'_>> {
    let mut depth = 0_u32;
    let tokens = Lexer::new(statement).filter(|token| !token.kind.is_trivia());
    let word = |token: migrate_core::sql::lexer::Token| {
        let text = token.text(statement);
        depth = depth.saturating_sub(u32::from(text == ")"));
        let is_word = matches!(token.kind, TokenKind::Word) || matches!(text, "(" | ")" | ",");
        let word = Word { text: if is_word { text } else { "" }, depth };
        depth += u32::from(text == "(");
        word
    };
    tokens.map(word).collect()
}

/// Does it lock each row of a batch before it computes the new values from it?
///
/// An UPDATE of one table does: it reads a row that was changed meanwhile once more. What comes from a subquery or a
/// join is not read again, and would be written over what somebody else has just written.
pub(super) fn locks_what_it_reads(statement: &str) -> bool {
    let words = words(statement);
    let Some(first) = words.first() else { return false };
    let joins = |word: &Word<'_>, before: &Word<'_>| {
        let is_from = word.is("from") && !before.is("distinct") && !before.is("delete");
        word.is("select") || word.depth == 0 && (is_from || word.is("using"))
    };
    let pairs = words.iter().skip(1).zip(&words);
    (first.is("update") || first.is("delete"))
        && !pairs.clone().any(|(word, before)| joins(word, before))
}

/// Does it change rows where nobody counts them?
pub(super) fn changes_on_the_side(statement: &str) -> bool {
    let words = words(statement);
    let changes =
        |word: &Word<'_>| ["insert", "update", "delete", "merge"].iter().any(|verb| word.is(verb));
    let is_name =
        |after: Option<&Word<'_>>| after.is_none_or(|word| matches!(word.text, ")" | ","));
    let pairs = words.iter().skip(1).zip(&words).enumerate();
    words.first().is_some_and(|first| first.is("with"))
        && pairs
            .filter(|(_, (word, before))| before.text == "(" && changes(word))
            .any(|(index, _)| !is_name(words.get(index + 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_table_is_read_and_locked_at_once() {
        for statement in [
            "UPDATE t SET new = upper(old) WHERE :batch AND new IS DISTINCT FROM upper(old)",
            "update only t set new = extract(epoch from old) where :batch",
            "UPDATE t SET new = $$ select 1 from t $$, x = 'from' WHERE :batch -- from u",
            "DELETE FROM t WHERE :batch AND old IS NULL",
        ] {
            assert!(locks_what_it_reads(statement), "{statement}");
        }
    }

    #[test]
    fn what_comes_from_elsewhere_is_locked_first() {
        for statement in [
            "UPDATE t SET new = s.x FROM (SELECT id, upper(old) x FROM t WHERE :batch) s WHERE t.id = s.id",
            "UPDATE t SET new = u.old FROM t u WHERE u.id = t.id AND :batch(u)",
            "UPDATE t SET new = (SELECT max(x) FROM u WHERE u.id = t.id) WHERE :batch",
            "WITH s AS (SELECT * FROM t WHERE :batch) UPDATE t SET new = s.old FROM s WHERE t.id = s.id",
            "INSERT INTO u SELECT id FROM t WHERE :batch ON CONFLICT DO NOTHING",
            "DELETE FROM t USING t u WHERE u.id = t.id AND :batch(u)",
        ] {
            assert!(!locks_what_it_reads(statement), "{statement}");
        }
    }

    #[test]
    fn what_a_query_ahead_of_it_changes_is_seen() {
        for statement in [
            "WITH a AS (UPDATE t SET new = 1 WHERE :batch RETURNING id) INSERT INTO log SELECT id FROM a",
            "with a as materialized (insert into u select 1 from t where :batch returning 1) select 1 from a",
            "WITH a AS (DELETE FROM t WHERE :batch RETURNING *) UPDATE u SET n = 1",
        ] {
            assert!(changes_on_the_side(statement), "{statement}");
        }
        for statement in [
            "WITH a AS (SELECT id FROM t WHERE :batch FOR UPDATE) UPDATE t SET new = 1 FROM a WHERE a.id = t.id",
            "UPDATE t SET new = 1 WHERE :batch",
            "WITH a AS (SELECT f(update) x, (update) FROM t WHERE :batch) INSERT INTO u SELECT x FROM a ON CONFLICT (x) DO UPDATE SET x = 1",
        ] {
            assert!(!changes_on_the_side(statement), "{statement}");
        }
    }
}
