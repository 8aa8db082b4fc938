//! Indexes that a backfill has to write for each row.

use migrate_core::sql::lexer::{Lexer, TokenKind};

use super::{Check, Hit, Rule, Situation, many};
use crate::finding::Level;
use crate::name::Quoted;
use crate::schema::Object;
use crate::statement::WriteKind;

pub(super) static RULE: Rule = Rule {
    name: "index_before_backfill",
    level: Level::Warn,
    finds: "an index on a new column that is there before its backfill",
    why: "each row that is filled gets an entry in every index of its table, where without it the new version finds room beside the old one: several times the time and the WAL, and all indexes grow",
    instead: "Build the index after the backfill, in a later version.",
    bad: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_lower.expand.sql", "ALTER TABLE users ADD COLUMN email_lower text;"),
        ("3_index.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_lower ON users (email_lower);"),
        ("4_lower.migrate.sql", "-- migrate: backfill users by id
UPDATE users SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);"),
    ],
    good: &[
        ("1_users.sql", "CREATE TABLE users (id bigint PRIMARY KEY, email text);"),
        ("2_lower.expand.sql", "ALTER TABLE users ADD COLUMN email_lower text;"),
        ("2_lower.migrate.sql", "-- migrate: backfill users by id
UPDATE users SET email_lower = lower(email) WHERE :batch AND email_lower IS DISTINCT FROM lower(email);"),
        ("3_index.sql", "-- migrate: no-transaction
CREATE INDEX CONCURRENTLY users_lower ON users (email_lower);"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if !at.in_batches {
        return Vec::new();
    }
    let columns = set_columns(at.text);
    let updated = many(at.statement).filter(|write| write.kind == WriteKind::Update);
    let early = updated.filter_map(|write| {
        let table = at.subject(&write.table)?.known()?;
        let entry = table.indexes.iter().filter_map(|id| at.schema.entry(*id)).find(|entry| {
            let Object::Index(index) = &entry.object else { return false };
            let mut names = index.keys.iter().flatten().chain(&index.uses);
            // What is part of a constraint is there for more than to be searched.
            !index.of_constraint && names.any(|name| columns.iter().any(|column| **column == **name))
        })?;
        Some((write, entry))
    });
    early
        .map(|(write, entry)| {
            let (table, name) = (&write.table, Quoted(&entry.key.name));
            let message = format!("every row of `{table}` that is filled is written into the index `{name}` too");
            let instead = format!("Build `{name}` when the rows are filled, in a later version.");
            Hit::new(&table.name, message, instead).at(&table.name)
        })
        .collect()
}

/// The columns that an UPDATE sets, as far as they stand alone before their `=`.
fn set_columns(text: &str) -> Vec<String> {
    let tokens: Vec<_> = Lexer::new(text).filter(|token| !token.kind.is_trivia()).collect();
    let is = |index: usize, word: &str| {
        tokens.get(index).is_some_and(|token| token.text(text).eq_ignore_ascii_case(word))
    };
    let mut columns = Vec::new();
    let mut is_set = false;
    for (index, token) in tokens.iter().enumerate() {
        match token.kind {
            TokenKind::Word if is(index, "set") => is_set = true,
            TokenKind::Word if is(index, "where") => is_set = false,
            TokenKind::Word if is_set && is(index + 1, "=") => {
                columns.push(token.text(text).to_lowercase());
            }
            TokenKind::QuotedIdent if is_set && is(index + 1, "=") => {
                columns.push(token.text(text).trim_matches('"').to_owned());
            }
            _ => {}
        }
    }
    columns
}
