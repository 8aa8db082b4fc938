//! What of a text is not to be shown where logs are read. Owns by which words a statement is known that may hold a
//! secret, and what of it that is. Must not know where a text is shown.
//!
//! Whoever has the file sees all of it; an error, a difference or an event goes further than the file does. Where in
//! doubt, a value is hidden: what remains is the statement with its names.

use std::borrow::Cow;
use std::ops::Range;

use super::lexer::{Lexer, Token, TokenKind};
use super::split::split;

/// A statement with one of these in it, wherever, may hold a secret.
const WORDS: [&str; 8] =
    ["password", "passwd", "secret", "token", "credential", "api_key", "apikey", "private_key"];

/// So may one that makes or changes one of these.
const OBJECTS: [&str; 5] = ["ROLE", "USER", "GROUP", "SERVER", "SUBSCRIPTION"];

/// May the statement hold a password or the like?
#[must_use]
pub fn may_hold_one(statement: &str) -> bool {
    let lower = statement.to_ascii_lowercase();
    WORDS.iter().any(|word| lower.contains(word)) || object(statement).is_some()
}

/// What it makes or changes, of those that may come with a secret.
fn object(statement: &str) -> Option<&'static str> {
    let [verb, object, _] = first_words(statement);
    let is_verb = ["CREATE", "ALTER"].iter().any(|known| verb.eq_ignore_ascii_case(known));
    OBJECTS.into_iter().find(|known| is_verb && object.eq_ignore_ascii_case(known))
}

/// Does it make or change a role?
fn is_about_a_role(statement: &str) -> bool {
    let [.., behind] = first_words(statement);
    matches!(object(statement), Some("ROLE" | "USER" | "GROUP"))
        && !behind.eq_ignore_ascii_case("MAPPING")
}

fn first_words(statement: &str) -> [&str; 3] {
    let mut words = Lexer::new(statement)
        .filter(|token| !token.kind.is_trivia())
        .map(|token| token.text(statement));
    std::array::from_fn(|_| words.next().unwrap_or_default())
}

/// Where in a text, however broken, there is something that is not to be shown, in order: the values in statements that
/// may hold a secret, and all comments beside such a statement.
#[must_use]
pub fn hidden(text: &str) -> Vec<Range<usize>> {
    if !may_hold_any(text) {
        return Vec::new();
    }
    let (mut all, mut from) = (Vec::new(), 0);
    for piece in split(text) {
        if may_hold_one(piece) {
            let tokens = hidden_in(piece).into_iter();
            all.extend(tokens.map(|token| from + token.start..from + token.end));
        }
        from += piece.len();
    }
    if !all.is_empty() {
        let comments = Lexer::new(text).filter(|token| is_comment(token, text));
        all.extend(comments.map(|token| token.start..token.end));
    }
    all.sort_by_key(|range| range.start);
    joined(all)
}

/// Most texts do not, and need not be taken apart.
fn may_hold_any(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let objects = OBJECTS.iter().map(|object| object.to_ascii_lowercase());
    WORDS.iter().any(|word| lower.contains(word)) || objects.into_iter().any(|o| lower.contains(&o))
}

/// What touches is one: not even how many parts a password has is shown.
fn joined(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

fn is_comment(token: &Token, text: &str) -> bool {
    matches!(token.kind, TokenKind::LineComment | TokenKind::BlockComment)
        && !token.text(text).trim_start_matches(['-', ' ']).starts_with("migrate:")
}

/// The tokens of a statement that are not to be shown.
fn hidden_in(statement: &str) -> Vec<Token> {
    let is_role = is_about_a_role(statement);
    // A password whose quotes are missing or in the wrong place is one all the same.
    let mut behind_password = false;
    let tokens = Lexer::new(statement).filter(|token| {
        let was_behind = behind_password;
        behind_password |= is_role && token.text(statement).eq_ignore_ascii_case("password");
        match token.kind {
            TokenKind::String | TokenKind::DollarString | TokenKind::Number => true,
            TokenKind::Whitespace | TokenKind::Semicolon => false,
            kind => was_behind && !kind.is_trivia(),
        }
    });
    tokens.collect()
}

/// A text with `?` in place of what is not to be shown.
#[must_use]
pub fn masked(text: &str) -> Cow<'_, str> {
    let hidden = hidden(text);
    if hidden.is_empty() {
        return Cow::Borrowed(text);
    }
    Cow::Owned(masked_between(text, 0..text.len(), &hidden))
}

/// The part of a text with `?` in place of what is hidden; what is hidden before it, too, is one where it begins.
#[must_use]
pub fn masked_between(text: &str, part: Range<usize>, hidden: &[Range<usize>]) -> String {
    let (mut shown, mut at) = (String::new(), part.start);
    let is_part = |range: &&Range<usize>| range.start.max(part.start) < range.end.min(part.end);
    for range in hidden.iter().filter(is_part) {
        shown += text.get(at..range.start.max(at)).unwrap_or_default();
        shown.push('?');
        at = range.end.max(at);
    }
    shown + text.get(at..part.end.max(at)).unwrap_or_default()
}

/// What somebody says of such a statement, without what is quoted of it, unless that is a name that it shows or one
/// of the `known`.
///
/// ```
/// use migrate_core::sql::secret::masked_words;
///
/// let of = |said| masked_words(said, "CREATE ROLE ada PASSWORD s3cret", &[]);
/// assert_eq!(of("role \"ada\" already exists"), "role \"ada\" already exists");
/// assert_eq!(of("syntax error at or near \"s3cret\""), "syntax error at or near \"?\"");
/// ```
#[must_use]
pub fn masked_words(said: &str, statement: &str, known: &[&str]) -> String {
    let hidden = hidden_in(statement);
    let mut said = said.to_owned();
    for token in &hidden {
        let value = inner(token.text(statement));
        // A shorter one is part of words; what is quoted goes below.
        if value.len() >= SHORTEST {
            said = said.replace(value, "?").replace(&value.replace("''", "'"), "?");
        }
    }
    let shown = Lexer::new(statement)
        .filter(|token| !hidden.iter().any(|other| other.start == token.start))
        .map(|token| inner(token.text(statement)));
    let shown: Vec<&str> = shown.chain(known.iter().copied()).collect();
    let is_shown = |quoted: &str| shown.iter().any(|name| name.eq_ignore_ascii_case(quoted));
    let parts: Vec<&str> = said.split('"').collect();
    let first = parts.iter().enumerate().position(|(n, part)| n % 2 == 1 && !is_shown(part));
    let Some(first) = first else { return said };
    let before = parts.get(..first).unwrap_or_default().join("\"");
    let after = if first + 1 < parts.len() { parts.last() } else { None };
    format!("{before}\"?\"{}", after.unwrap_or(&""))
}

/// Of a value that is looked for in a sentence, in bytes.
const SHORTEST: usize = 4;

/// A string or a name without what quotes it.
fn inner(token: &str) -> &str {
    let quotes = ['\'', '"'];
    match (token.find(quotes), token.rfind(quotes)) {
        (Some(from), Some(to)) if from < to => token.get(from + 1..to).unwrap_or_default(),
        _ => token,
    }
}

#[cfg(test)]
mod tests {
    use super::{masked, masked_words, may_hold_one};

    #[test]
    fn values_go_and_names_stay() {
        for (text, expected) in [
            ("ALTER ROLE ada PASSWORD 's3cret' LOGIN;", "ALTER ROLE ada PASSWORD ? ?;"),
            ("create user ada password s3cret;", "create user ada password ?;"),
            ("CREATE ROLE ada PASSWORD 'it's3cret'';", "CREATE ROLE ada PASSWORD ?;"),
            ("CREATE ROLE ada VALID UNTIL 's3cret'", "CREATE ROLE ada VALID UNTIL ?"),
            (
                "CREATE USER MAPPING FOR ada SERVER s OPTIONS (password $$s3cret$$)",
                "CREATE USER MAPPING FOR ada SERVER s OPTIONS (password ?)",
            ),
            (
                "CREATE SUBSCRIPTION s CONNECTION 'host=h password=s3cret' PUBLICATION p",
                "CREATE SUBSCRIPTION s CONNECTION ? PUBLICATION p",
            ),
            ("INSERT INTO api_keys VALUES (1, 's3cret')", "INSERT INTO api_keys VALUES (?, ?)"),
            (
                "-- migrate: no-transaction\nSELECT 1; -- s3cret\nALTER ROLE a /* s3cret */ PASSWORD $a$s3cret$a$;",
                "-- migrate: no-transaction\nSELECT 1; ?\nALTER ROLE a ? PASSWORD ?;",
            ),
            ("DO $$ BEGIN ALTER ROLE a PASSWORD 's3cret'; END $$", "DO ?"),
            (
                "ALTER TABLE users ADD COLUMN password txt",
                "ALTER TABLE users ADD COLUMN password txt",
            ),
            ("ALTER ROLE ada PASSWORD 's3cret; SELECT 1;", "ALTER ROLE ada PASSWORD ?"),
            ("SELECT 'harmless', 7 -- too", "SELECT 'harmless', 7 -- too"),
        ] {
            assert_eq!(masked(text), expected);
        }
        assert!(may_hold_one("/* */ alter\nrole a") && !may_hold_one("CREATE TABLE role (id int)"));
    }

    #[test]
    fn what_is_said_is_shown_as_far_as_it_names_names() {
        let of = |said: &str, statement: &str| masked_words(said, statement, &["ada_check"]);
        let role = "ALTER ROLE \"Ada B\" VALID UNTIL 's3c' PASSWORD 's3cret''x'";
        for (said, expected) in [
            ("role \"Ada B\" does not exist", "role \"Ada B\" does not exist"),
            ("invalid timestamp: \"s3c\"", "invalid timestamp: \"?\""),
            ("odd: \"a\"s3c\"b\" and so on", "odd: \"?\" and so on"),
            ("odd: \"s3c", "odd: \"?\""),
            ("no quotes: s3cret'x", "no quotes: ?"),
            ("permission denied", "permission denied"),
            ("violates \"ada_check\"", "violates \"ada_check\""),
        ] {
            assert_eq!(of(said, role), expected);
        }
    }
}
