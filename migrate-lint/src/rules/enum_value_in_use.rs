//! Values of an enum that are used before they are there.

use migrate_core::sql::lexer::{Lexer, Token, TokenKind};

use super::{Check, Hit, Rule, Situation};
use crate::finding::Level;
use crate::name::{Name, fold};
use crate::schema::{Space, Table};
use crate::statement::Action;

pub(super) static RULE: Rule = Rule {
    name: "enum_value_in_use",
    level: Level::Error,
    finds: "a new enum value that is used in the transaction that adds it",
    why: "PostgreSQL refuses to use the value before the transaction that adds it has committed",
    instead: "Add the value in a migration of its own.",
    bad: &[
        ("1_users.sql", "CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE users (id bigint PRIMARY KEY, mood mood);"),
        ("2_sad.sql", "ALTER TYPE mood ADD VALUE 'sad'; INSERT INTO users VALUES (1, 'sad');"),
    ],
    good: &[
        ("1_users.sql", "CREATE TYPE mood AS ENUM ('glad'); CREATE TABLE users (id bigint PRIMARY KEY, mood mood);"),
        ("2_sad.sql", "ALTER TYPE mood ADD VALUE 'sad';"),
        ("3_sad.sql", "INSERT INTO users VALUES (1, 'sad');"),
    ],
    check: Check::Statement(check),
};

fn check(at: &Situation<'_>) -> Vec<Hit> {
    if !at.in_transaction || !uses_values(at.action()) {
        return Vec::new();
    }
    let added = at.earlier.iter().filter_map(|earlier| match &earlier.action {
        Action::AlterEnum(alter) if alter.renames.is_none() && is_older(at, &alter.name) => Some(alter),
        _ => None,
    });
    let used = added.filter(|alter| says(at.text, &alter.value) && meets(at, &alter.name));
    used.map(|alter| {
        let value = alter.value.replace('\'', "''");
        let message = format!("the value '{value}' of `{}` cannot be used before it is committed", alter.name);
        let instead = format!(
            "Add it in a migration of its own, before this one:\n    ALTER TYPE {} ADD VALUE '{value}';",
            alter.name
        );
        Hit::new(&alter.value, message, instead).at(&alter.value)
    })
    .collect()
}

fn uses_values(action: &Action) -> bool {
    matches!(
        action,
        Action::Data(_) | Action::AlterTable(_) | Action::CreateTable(_) | Action::CreateTableAs { .. } | Action::CreateView(_) | Action::CreateIndex(_)
    )
}

/// Since PostgreSQL 17 all values of an enum can be used that the transaction itself has made.
fn is_older(at: &Situation<'_>, name: &Name) -> bool {
    at.facts.postgres < 17 || at.schema.find(Space::Type, name).known().is_some_and(|entry| entry.born.migration != Some(at.migration))
}

fn says(text: &str, value: &str) -> bool {
    let literal = format!("'{}'", value.replace('\'', "''"));
    Lexer::new(text).any(|token| token.kind == TokenKind::String && token.text(text) == literal)
}

/// Does the statement name the enum, or a table that has a column of it? The same text elsewhere is only text.
fn meets(at: &Situation<'_>, name: &Name) -> bool {
    let is_word = |token: &Token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdent);
    let mut words = Lexer::new(at.text).filter(is_word).map(|token| fold(token.text(at.text)));
    let has_it = |table: &Table| {
        table.columns.iter().any(|column| column.ty.as_ref().is_some_and(|ty| ty.name.name == name.name))
    };
    words.any(|word| {
        let table = || at.schema.relation(&Name::bare(&word)).known().and_then(|entry| entry.object.as_table());
        word == name.name || table().is_some_and(has_it)
    })
}
