//! Columns that are there twice.

use migrate_core::sql::lexer::{Lexer, TokenKind};

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::{Quoted, fold};
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "duplicate_column",
    level: Level::Error,
    finds: "a CREATE TABLE, CREATE VIEW, INSERT or UPDATE with two columns of one name",
    why: "the server refuses it, and with it the migration",
    instead: "Rename or remove one of them.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, email text);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, phone text);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let (whole, columns) = match at.action() {
        Action::CreateTable(create) => (&create.name, create.columns.iter().map(|column| column.name.clone()).collect()),
        Action::CreateView(create) => (&create.name, listed(at.text, "VIEW", &["AS", "WITH"])),
        Action::Data(writes) => match &writes[..] {
            [only] => (&only.table, written(at.text)),
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    let twice = columns.iter().enumerate().find(|(place, column)| columns.iter().take(*place).any(|other| other == *column));
    twice
        .map(|(_, column)| {
            let message = format!("`{whole}` has the column `{}` twice", Quoted(column));
            Hit::new(column, message, "Rename or remove one of them.").at(column)
        })
        .into_iter()
        .collect()
}

/// The columns that an INSERT lists, or an UPDATE sets.
fn written(text: &str) -> Vec<Box<str>> {
    let mut tokens = Lexer::new(text).filter(|token| !token.kind.is_trivia());
    let first = tokens.next().map(|token| token.text(text).to_ascii_uppercase()).unwrap_or_default();
    match first.as_str() {
        "INSERT" => listed(text, "INTO", &["SELECT", "VALUES", "DEFAULT", "WITH", "TABLE", "OVERRIDING"]),
        "UPDATE" => set(text),
        _ => Vec::new(),
    }
}

/// The words in the parentheses that come behind a word, unless another that ends the head comes before.
fn listed(text: &str, behind: &str, ends: &[&str]) -> Vec<Box<str>> {
    let is_end = |word: &str| ends.iter().any(|end| word.eq_ignore_ascii_case(end));
    let mut tokens = Lexer::new(text).filter(|token| !token.kind.is_trivia()).map(|token| (token.kind, token.text(text)));
    let is_named = tokens.by_ref().any(|(_, word)| word.eq_ignore_ascii_case(behind));
    let mut names = Vec::new();
    let mut is_open = false;
    for (kind, word) in tokens.take_while(|_| is_named) {
        match (kind, word) {
            (TokenKind::Punct, "(") if !is_open => is_open = true,
            (TokenKind::Punct, ".") if !is_open => {}
            (TokenKind::Punct, ",") => {}
            (TokenKind::Punct, ")") => return names,
            (TokenKind::Word, end) if !is_open && is_end(end) => return Vec::new(),
            (TokenKind::Word | TokenKind::QuotedIdent, name) if is_open => names.push(fold(name)),
            // IF NOT EXISTS, an alias, the name itself.
            (TokenKind::Word | TokenKind::QuotedIdent, _) => {}
            // No list of names, but something else in parentheses: parts of arrays and rows may be set apart.
            _ => return Vec::new(),
        }
    }
    Vec::new()
}

/// The names before each `=` of the SET clause.
fn set(text: &str) -> Vec<Box<str>> {
    let tokens = Lexer::new(text).filter(|token| !token.kind.is_trivia()).map(|token| (token.kind, token.text(text)));
    let mut tokens = tokens.skip_while(|(_, word)| !word.eq_ignore_ascii_case("set")).skip(1).peekable();
    let (mut names, mut depth, mut begins) = (Vec::new(), 0_i32, true);
    while let Some((kind, word)) = tokens.next() {
        let is_set = matches!(tokens.peek(), Some((TokenKind::Operator, "=")));
        match (kind, word) {
            (TokenKind::Punct, "(" | "[") => depth += 1,
            (TokenKind::Punct, ")" | "]") => depth -= 1,
            (TokenKind::Word, _) if depth == 0 && ends_set(word) => break,
            (TokenKind::Word | TokenKind::QuotedIdent, name) if begins && is_set => names.push(fold(name)),
            _ => {}
        }
        begins = depth == 0 && word == ",";
    }
    names
}

fn ends_set(word: &str) -> bool {
    ["from", "where", "returning"].iter().any(|end| word.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(columns: Vec<Box<str>>) -> String {
        columns.join(" ")
    }

    #[test]
    fn an_insert_lists_columns_and_an_update_sets_them() {
        for (text, expected) in [
            ("INSERT INTO s.t (a, \"B\") VALUES (1, 2)", "a B"),
            ("INSERT INTO t AS x (a, b) SELECT 1, 2", "a b"),
            ("INSERT INTO t VALUES (1, 1)", ""),
            ("INSERT INTO t (a[1], a[2]) VALUES (1, 1)", ""),
            ("INSERT INTO t SELECT a, a FROM u", ""),
            ("UPDATE t SET a = b, c = (SELECT a FROM u WHERE a = 1), a = 2 WHERE d = 1", "a c a"),
            ("UPDATE t SET (a, b) = (1, 2), c = 3", "c"),
            ("DELETE FROM t WHERE a = 1", ""),
        ] {
            assert_eq!(names(written(text)), expected, "{text}");
        }
        assert_eq!(names(listed("CREATE VIEW v (a, a) AS SELECT 1, 2", "VIEW", &["AS"])), "a a");
        assert_eq!(names(listed("CREATE VIEW v AS SELECT count(a, a)", "VIEW", &["AS"])), "");
    }
}
