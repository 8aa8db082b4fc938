//! Words instead of a tree: bodies that we do not parse, and statements that we need not.

use std::collections::BTreeSet;

use migrate_core::sql::lexer::{Lexer, TokenKind};
use squawk_syntax::SyntaxKind as K;

use crate::name::fold;

/// The words of a body, and whether it may do what they do not tell.
pub(super) fn of_body(body: &str) -> (Vec<Box<str>>, bool) {
    let mut words = BTreeSet::new();
    for token in Lexer::new(body) {
        match token.kind {
            TokenKind::Word | TokenKind::QuotedIdent => {
                words.insert(fold(token.text(body)));
            }
            // What stands in a string may be run as a statement, or name a table.
            TokenKind::String => words.extend(fragments(token.text(body))),
            _ => {}
        }
    }
    let dynamic = ["execute", "perform", "call"].iter().any(|word| words.contains(*word));
    (words.into_iter().collect(), dynamic)
}

/// May a body change what exists?
pub(super) fn change_a_schema(body: &str) -> bool {
    let words = ["execute", "create", "alter", "drop", "perform", "call"];
    let mut tokens = Lexer::new(body).filter(|token| token.kind == TokenKind::Word);
    tokens.any(|token| words.iter().any(|word| token.text(body).eq_ignore_ascii_case(word)))
}

fn fragments(text: &str) -> impl Iterator<Item = Box<str>> {
    let is_between = |c: char| !(c.is_alphanumeric() || c == '_');
    text.split(is_between)
        .filter(|word| !word.is_empty())
        .map(|word| word.to_ascii_lowercase().into())
}

/// Statements that change nothing which the replay follows, by the words that they begin with.
pub(super) const OF_KIND: &[(K, &str)] = &[
    (K::ALTER_COLLATION, "ALTER COLLATION"),
    (K::ALTER_CONVERSION, "ALTER CONVERSION"),
    (K::ALTER_DEFAULT_PRIVILEGES, "ALTER DEFAULT PRIVILEGES"),
    (K::ALTER_EVENT_TRIGGER, "ALTER EVENT TRIGGER"),
    (K::ALTER_FOREIGN_DATA_WRAPPER, "ALTER FOREIGN DATA WRAPPER"),
    (K::ALTER_GROUP, "ALTER GROUP"),
    (K::ALTER_LANGUAGE, "ALTER LANGUAGE"),
    (K::ALTER_LARGE_OBJECT, "ALTER LARGE OBJECT"),
    (K::ALTER_OPERATOR, "ALTER OPERATOR"),
    (K::ALTER_OPERATOR_CLASS, "ALTER OPERATOR CLASS"),
    (K::ALTER_OPERATOR_FAMILY, "ALTER OPERATOR FAMILY"),
    (K::ALTER_PUBLICATION, "ALTER PUBLICATION"),
    (K::ALTER_ROLE, "ALTER ROLE"),
    (K::ALTER_SERVER, "ALTER SERVER"),
    (K::ALTER_SUBSCRIPTION, "ALTER SUBSCRIPTION"),
    (K::ALTER_TABLESPACE, "ALTER TABLESPACE"),
    (K::ALTER_TEXT_SEARCH_CONFIGURATION, "ALTER TEXT SEARCH CONFIGURATION"),
    (K::ALTER_TEXT_SEARCH_DICTIONARY, "ALTER TEXT SEARCH DICTIONARY"),
    (K::ALTER_TEXT_SEARCH_PARSER, "ALTER TEXT SEARCH PARSER"),
    (K::ALTER_TEXT_SEARCH_TEMPLATE, "ALTER TEXT SEARCH TEMPLATE"),
    (K::ALTER_USER, "ALTER USER"),
    (K::ALTER_USER_MAPPING, "ALTER USER MAPPING"),
    (K::CHECKPOINT, "CHECKPOINT"),
    (K::CLOSE, "CLOSE"),
    (K::CREATE_ACCESS_METHOD, "CREATE ACCESS METHOD"),
    (K::CREATE_CAST, "CREATE CAST"),
    (K::CREATE_COLLATION, "CREATE COLLATION"),
    (K::CREATE_CONVERSION, "CREATE CONVERSION"),
    (K::CREATE_FOREIGN_DATA_WRAPPER, "CREATE FOREIGN DATA WRAPPER"),
    (K::CREATE_GROUP, "CREATE GROUP"),
    (K::CREATE_LANGUAGE, "CREATE LANGUAGE"),
    (K::CREATE_OPERATOR, "CREATE OPERATOR"),
    (K::CREATE_OPERATOR_CLASS, "CREATE OPERATOR CLASS"),
    (K::CREATE_OPERATOR_FAMILY, "CREATE OPERATOR FAMILY"),
    (K::CREATE_PUBLICATION, "CREATE PUBLICATION"),
    (K::CREATE_ROLE, "CREATE ROLE"),
    (K::CREATE_SERVER, "CREATE SERVER"),
    (K::CREATE_STATISTICS, "CREATE STATISTICS"),
    (K::CREATE_SUBSCRIPTION, "CREATE SUBSCRIPTION"),
    (K::CREATE_TEXT_SEARCH_CONFIGURATION, "CREATE TEXT SEARCH CONFIGURATION"),
    (K::CREATE_TEXT_SEARCH_DICTIONARY, "CREATE TEXT SEARCH DICTIONARY"),
    (K::CREATE_TEXT_SEARCH_PARSER, "CREATE TEXT SEARCH PARSER"),
    (K::CREATE_TEXT_SEARCH_TEMPLATE, "CREATE TEXT SEARCH TEMPLATE"),
    (K::CREATE_TRANSFORM, "CREATE TRANSFORM"),
    (K::CREATE_USER, "CREATE USER"),
    (K::CREATE_USER_MAPPING, "CREATE USER MAPPING"),
    (K::DEALLOCATE, "DEALLOCATE"),
    (K::DROP_ACCESS_METHOD, "DROP ACCESS METHOD"),
    (K::DROP_CAST, "DROP CAST"),
    (K::DROP_COLLATION, "DROP COLLATION"),
    (K::DROP_CONVERSION, "DROP CONVERSION"),
    (K::DROP_EVENT_TRIGGER, "DROP EVENT TRIGGER"),
    (K::DROP_FOREIGN_DATA_WRAPPER, "DROP FOREIGN DATA WRAPPER"),
    (K::DROP_GROUP, "DROP GROUP"),
    (K::DROP_LANGUAGE, "DROP LANGUAGE"),
    (K::DROP_OPERATOR, "DROP OPERATOR"),
    (K::DROP_OPERATOR_CLASS, "DROP OPERATOR CLASS"),
    (K::DROP_OPERATOR_FAMILY, "DROP OPERATOR FAMILY"),
    (K::DROP_PUBLICATION, "DROP PUBLICATION"),
    (K::DROP_ROLE, "DROP ROLE"),
    (K::DROP_SERVER, "DROP SERVER"),
    (K::DROP_SUBSCRIPTION, "DROP SUBSCRIPTION"),
    (K::DROP_TEXT_SEARCH_CONFIG, "DROP TEXT SEARCH CONFIGURATION"),
    (K::DROP_TEXT_SEARCH_DICT, "DROP TEXT SEARCH DICTIONARY"),
    (K::DROP_TEXT_SEARCH_PARSER, "DROP TEXT SEARCH PARSER"),
    (K::DROP_TEXT_SEARCH_TEMPLATE, "DROP TEXT SEARCH TEMPLATE"),
    (K::DROP_TRANSFORM, "DROP TRANSFORM"),
    (K::DROP_USER, "DROP USER"),
    (K::DROP_USER_MAPPING, "DROP USER MAPPING"),
    (K::FETCH, "FETCH"),
    (K::LISTEN, "LISTEN"),
    (K::LOAD, "LOAD"),
    (K::MOVE, "MOVE"),
    (K::NOTIFY, "NOTIFY"),
    (K::PREPARE, "PREPARE"),
    (K::REASSIGN, "REASSIGN OWNED"),
    (K::SECURITY_LABEL, "SECURITY LABEL"),
    (K::SET_CONSTRAINTS, "SET CONSTRAINTS"),
    (K::SHOW, "SHOW"),
    (K::UNLISTEN, "UNLISTEN"),
];
