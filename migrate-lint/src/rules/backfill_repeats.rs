//! Backfills that do not see which rows are done.

use migrate_core::sql::lexer::Lexer;

use super::{Check, Hit, Rule, Situation, many};
use crate::finding::Level;
use crate::statement::{Write, WriteKind};

pub(super) static RULE: Rule = Rule {
    name: "backfill_repeats",
    level: Level::Error,
    finds: "a backfill whose statement does not leave alone the rows that are as they should be",
    why: "a backfill is done when a pass over the table finds nothing left to change, and `IS NULL` or `<>` instead leaves rows out whose old or new value is NULL, and rows that a default has filled",
    instead: "Compare the new value with what it is to be: `new IS DISTINCT FROM f(old)`, with the same f as in the SET.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, email_lower text);"),
        ("2_email.migrate.sql", "-- migrate: backfill users by id
UPDATE users SET email_lower = lower(email) WHERE :batch AND email_lower IS NULL;"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text, email_lower text);"),
        ("2_email.migrate.sql", "-- migrate: backfill users by id
UPDATE users SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if !at.in_batches {
        return Vec::new();
    }
    let repeats = many(at.statement).find(|write| repeats(at.text, write));
    repeats
        .map(|write| {
            let table = &write.table;
            let (message, instead) = match write.kind {
                WriteKind::InsertQuery => (
                    format!("a batch that is repeated inserts its rows into `{table}` again"),
                    "Say what becomes of a row that is there, and leave alone one that is right:\n    ON CONFLICT (…) DO UPDATE SET … = \
                     excluded.… WHERE … IS DISTINCT FROM excluded.…",
                ),
                _ => (
                    format!("nothing tells which rows of `{table}` are as they should be"),
                    "Change only rows that differ from what they are to be:\n    WHERE :batch AND … IS DISTINCT FROM …",
                ),
            };
            vec![Hit::new(&table.name, message, instead.to_owned()).at(&table.name)]
        })
        .unwrap_or_default()
}

/// Rows that are deleted are gone.
fn repeats(text: &str, write: &Write) -> bool {
    match write.kind {
        WriteKind::Update => !has(text, &["distinct", "from"]),
        WriteKind::InsertQuery => !has(text, &["on", "conflict"]) && !has(text, &["not", "exists"]),
        _ => false,
    }
}

/// Do these words follow one another in the statement?
fn has(text: &str, words: &[&str]) -> bool {
    let tokens = Lexer::new(text).filter(|token| !token.kind.is_trivia());
    let tokens: Vec<_> = tokens.map(|token| token.text(text).to_ascii_lowercase()).collect();
    tokens.windows(words.len()).any(|window| window.iter().eq(words.iter()))
}
