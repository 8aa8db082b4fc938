//! Names that PostgreSQL cuts.

use migrate_core::sql::lexer::{Lexer, TokenKind};

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::cut;

pub(super) static RULE: Rule = Rule {
    name: "long_identifier",
    level: Level::Warn,
    finds: "a name of more than 63 bytes",
    why: "PostgreSQL cuts it, with a notice that nobody reads: what looks for the name in the catalog does not find it, and two long names may become one",
    instead: "Make it shorter.",
    bad: &[
        ("1_users.sql", "CREATE TABLE a_name_that_is_so_long_that_postgresql_cuts_it_off_somewhere_in_here (id bigint PRIMARY KEY);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE a_name_that_fits (id bigint PRIMARY KEY);"),
    ],
    check: Check::Statement(check),
};

/// PostgreSQL's limit, in bytes.
const LIMIT: usize = 63;

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if at.text.len() <= LIMIT {
        return Vec::new();
    }
    let long = Lexer::new(at.text).filter(|token| {
        let text = token.text(at.text);
        let quotes = if token.kind == TokenKind::QuotedIdent { 2 + text.matches("\"\"").count() } else { 0 };
        matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent) && text.len() > LIMIT + quotes
    });
    long.map(|token| {
        let name = token.text(at.text).trim_matches('"');
        let message = format!("PostgreSQL cuts the name `{name}` to `{}`", cut(name));
        Hit::new(name, message, format!("Choose a name of at most {LIMIT} bytes.")).at(name)
    })
    .collect()
}
