//! Indexes that can do one thing only.

use migrate_core::sql::lexer::{Lexer, TokenKind};

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "hash_index",
    level: Level::Off,
    finds: "an index USING hash",
    why: "it serves `=` and nothing else: no order, no range, no UNIQUE, no second column",
    instead: "Use the usual kind.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users USING hash (email);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE INDEX users_email ON users (email);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    let Action::CreateIndex(index) = at.action() else { return Vec::new() };
    let tokens = Lexer::new(at.text).filter(|token| !token.kind.is_trivia());
    let words: Vec<&str> = tokens.map(|token| if token.kind == TokenKind::Word { token.text(at.text) } else { "" }).collect();
    let is_hash = words.windows(2).any(|pair| match pair {
        [using, hash] => using.eq_ignore_ascii_case("using") && hash.eq_ignore_ascii_case("hash"),
        _ => false,
    });
    if !is_hash {
        return Vec::new();
    }
    let message = format!("the index of `{}` serves `=` and nothing else", index.table);
    vec![Hit::new(&index.table.name, message, "Leave `USING hash` out.").at("hash")]
}
