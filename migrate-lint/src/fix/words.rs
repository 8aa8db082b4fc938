//! Where words stand in the text of a statement.
//!
//! A summary of a statement has no places, and a rewrite keeps what the author wrote around them. Knows the few
//! shapes that the remedies need; whatever looks otherwise has no place.

use std::ops::Range;

use migrate_core::sql::lexer::{Lexer, Token, TokenKind};

use crate::name::fold;

/// A text and its tokens, without blanks and comments.
pub(crate) struct Words<'t> {
    text: &'t str,
    tokens: Vec<Token>,
}

/// A type that is written for a column.
pub(crate) struct Written<'t> {
    /// Where it stands, in bytes.
    pub(crate) range: Range<usize>,
    /// What stands behind its name in parentheses, with those.
    pub(crate) modifiers: &'t str,
}

impl<'t> Words<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        let tokens = Lexer::new(text).filter(|token| !token.kind.is_trivia()).collect();
        Self { text, tokens }
    }

    fn word(&self, index: usize) -> &'t str {
        self.tokens.get(index).map_or("", |token| token.text(self.text))
    }

    fn is(&self, index: usize, word: &str) -> bool {
        self.word(index).eq_ignore_ascii_case(word)
    }

    fn is_name(&self, index: usize, name: &str) -> bool {
        let token = self.tokens.get(index);
        token.is_some_and(|token| {
            matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent)
                && &*fold(token.text(self.text)) == name
        })
    }

    fn end(&self, index: usize) -> usize {
        self.tokens.get(index).map_or(self.text.len(), |token| token.end)
    }

    fn start(&self, index: usize) -> usize {
        self.tokens.get(index).map_or(self.text.len(), |token| token.start)
    }

    /// The place behind the first of these words.
    pub(crate) fn behind(&self, word: &str) -> Option<usize> {
        let index = (0..self.tokens.len()).find(|index| self.is(*index, word))?;
        Some(self.end(index))
    }

    /// The place behind the last word.
    pub(crate) fn last(&self) -> usize {
        self.tokens.last().map_or(0, |token| token.end)
    }

    fn depth(&self, index: usize) -> i32 {
        match self.word(index) {
            "(" | "[" => 1,
            ")" | "]" => -1,
            _ => 0,
        }
    }

    /// The tokens between, cut at the commas that are in no parentheses.
    fn parts(&self, range: Range<usize>) -> Vec<Range<usize>> {
        let (mut parts, mut start, mut depth) = (Vec::new(), range.start, 0);
        for index in range.clone() {
            depth += self.depth(index);
            if depth == 0 && self.word(index) == "," {
                parts.push(start..index);
                start = index + 1;
            }
        }
        parts.push(start..range.end);
        parts
    }

    /// Of `ALTER TABLE …`, how many tokens stand before what becomes of it.
    fn head(&self) -> Option<usize> {
        let mut at = 1;
        let mut pass = |words: &[&str]| {
            let there = words.iter().enumerate().all(|(i, word)| self.is(at + i, word));
            at += if there { words.len() } else { 0 };
            there
        };
        pass(&["FOREIGN"]);
        if !pass(&["TABLE"]) {
            return None;
        }
        pass(&["IF", "EXISTS"]);
        pass(&["ONLY"]);
        at += 1;
        while self.word(at) == "." {
            at += 2;
        }
        at += usize::from(self.word(at) == "*");
        (at < self.tokens.len()).then_some(at)
    }

    /// Of `ALTER TABLE …`, what stands before what becomes of it.
    pub(crate) fn altered(&self) -> Option<&'t str> {
        let head = self.head()?;
        self.text.get(..self.end(head.checked_sub(1)?))
    }

    /// Of `ALTER TABLE …`, the changes.
    pub(crate) fn changes(&self) -> Option<Vec<Part<'_, 't>>> {
        let parts = self.parts(self.head()?..self.tokens.len());
        Some(parts.into_iter().map(|range| Part { words: self, range }).collect())
    }

    /// Of `CREATE TABLE …`, what stands in its parentheses.
    fn elements(&self) -> Option<Vec<Part<'_, 't>>> {
        let open = (0..self.tokens.len()).find(|index| self.word(*index) == "(")?;
        let close = self.closing(open)?;
        let parts = self.parts(open + 1..close);
        Some(parts.into_iter().map(|range| Part { words: self, range }).collect())
    }

    fn closing(&self, open: usize) -> Option<usize> {
        let mut depth = 0;
        (open..self.tokens.len()).find(|index| {
            depth += self.depth(*index);
            depth == 0
        })
    }

    /// The type of a column that `CREATE TABLE` makes.
    pub(crate) fn type_in_table(&self, column: &str) -> Option<Written<'t>> {
        let elements = self.elements()?;
        let element = elements.iter().find(|part| self.is_name(part.range.start, column))?;
        self.type_at(element.range.start + 1)
    }

    /// The type of a column that `ALTER TABLE … ADD COLUMN` makes.
    pub(crate) fn type_in_change(&self, column: &str) -> Option<Written<'t>> {
        self.changes()?.iter().find_map(|part| {
            let mut at = part.range.start + 1;
            if !self.is(at - 1, "ADD") {
                return None;
            }
            at += usize::from(self.is(at, "COLUMN"));
            at += if self.is(at, "IF") { 3 } else { 0 };
            self.is_name(at, column).then(|| self.type_at(at + 1)).flatten()
        })
    }

    fn type_at(&self, at: usize) -> Option<Written<'t>> {
        let mut next = at + 1;
        if self.word(next) == "." {
            return None;
        }
        let is_character = ["CHARACTER", "CHAR", "NCHAR"].iter().any(|word| self.is(at, word));
        next += usize::from(is_character && self.is(next, "VARYING"));
        let open = next;
        if self.word(next) == "(" {
            next = self.closing(next)? + 1;
        }
        let modifiers = match next > open {
            true => self.text.get(self.start(open)..self.end(next - 1))?,
            false => "",
        };
        let is_without = ["WITHOUT", "TIME", "ZONE"].iter().zip(next..);
        if is_without.clone().all(|(word, index)| self.is(index, word)) {
            next += is_without.count();
        }
        if self.word(next) == "[" || self.is(next, "ARRAY") {
            return None;
        }
        Some(Written { range: self.start(at)..self.end(next - 1), modifiers })
    }
}

/// One of several things in a statement.
pub(crate) struct Part<'w, 't> {
    words: &'w Words<'t>,
    range: Range<usize>,
}

impl<'t> Part<'_, 't> {
    /// Where it stands, in bytes.
    pub(crate) fn bytes(&self) -> Range<usize> {
        let last = self.range.end.saturating_sub(1);
        self.words.start(self.range.start)..self.words.end(last)
    }

    /// Of `ADD …` without a name, the place where `CONSTRAINT …` goes.
    pub(crate) fn behind_add(&self) -> Option<usize> {
        self.words.is(self.range.start, "ADD").then(|| self.words.end(self.range.start))
    }

    /// Of `ADD [CONSTRAINT …] UNIQUE (…)` the columns with their parentheses; `None` where anything else is said.
    pub(crate) fn key_columns(&self) -> Option<&'t str> {
        let words = self.words;
        let mut at = self.range.start + 1;
        at += if words.is(at, "CONSTRAINT") { 2 } else { 0 };
        if words.is(at, "PRIMARY") && words.is(at + 1, "KEY") {
            at += 2;
        } else if words.is(at, "UNIQUE") {
            at += 1;
        } else {
            return None;
        }
        let close = (words.word(at) == "(").then(|| words.closing(at)).flatten()?;
        let is_all = close + 1 == self.range.end;
        words.text.get(words.start(at)..words.end(close)).filter(|_| is_all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_cut_where_they_end() {
        let text =
            "ALTER TABLE IF EXISTS ONLY s.\"T,\" /* , */ ADD CHECK (f(a, b) > 0), -- x,\n DROP b";
        let words = Words::of(text);
        assert_eq!(words.altered(), Some("ALTER TABLE IF EXISTS ONLY s.\"T,\""));
        let changes = words.changes().unwrap();
        let texts: Vec<_> = changes.iter().map(|part| &text[part.bytes()]).collect();
        assert_eq!(texts, ["ADD CHECK (f(a, b) > 0)", "DROP b"]);
        assert!(Words::of("ALTER VIEW v RENAME TO w").changes().is_none());
    }

    #[test]
    fn a_type_is_found_with_all_that_belongs_to_it() {
        let text = "CREATE TABLE t (a character varying(5) NOT NULL, \"B\" timestamp (3) without time zone, c numeric(1, 2) \
                    DEFAULT 0, d int[], e s.json, f text)";
        let words = Words::of(text);
        let of = |column| {
            let written = words.type_in_table(column)?;
            Some((&text[written.range], written.modifiers))
        };
        assert_eq!(of("a"), Some(("character varying(5)", "(5)")));
        assert_eq!(of("B"), Some(("timestamp (3) without time zone", "(3)")));
        assert_eq!(of("c"), Some(("numeric(1, 2)", "(1, 2)")));
        assert_eq!(of("f"), Some(("text", "")));
        assert_eq!((of("d"), of("e"), of("g")), (None, None, None));
        let text = "ALTER TABLE t DROP a, ADD IF NOT EXISTS b json NOT NULL, ADD COLUMN c json";
        let words = Words::of(text);
        for column in ["b", "c"] {
            assert_eq!(
                words.type_in_change(column).map(|written| &text[written.range]),
                Some("json")
            );
        }
        assert!(words.type_in_change("a").is_none());
    }

    #[test]
    fn a_key_is_only_what_an_index_can_be() {
        fn of(text: &str) -> Option<&str> {
            Words::of(text).changes()?.first()?.key_columns()
        }
        assert_eq!(of("ALTER TABLE t ADD UNIQUE (a, b)"), Some("(a, b)"));
        assert_eq!(of("ALTER TABLE t ADD CONSTRAINT c PRIMARY KEY (a)"), Some("(a)"));
        for other in
            ["ADD UNIQUE (a) DEFERRABLE", "ADD UNIQUE NULLS NOT DISTINCT (a)", "ADD CHECK (a)"]
        {
            assert_eq!(of(&format!("ALTER TABLE t {other}")), None, "{other}");
        }
    }
}
