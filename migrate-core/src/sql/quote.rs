//! Names and values on their way into a statement. Owns how they are written so that PostgreSQL
//! reads back exactly the same. Must not know what they are for.
//!
//! A NUL character cannot be written in SQL at all, so everything here may refuse with [`Nul`].

use std::fmt::{self, Write as _};

/// The text has a NUL character, which no name and no value in PostgreSQL can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nul;

impl fmt::Display for Nul {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a NUL character, which PostgreSQL cannot store")
    }
}

impl std::error::Error for Nul {}

/// A name that displays as a quoted identifier: `"a""b"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ident<'a>(&'a str);

impl<'a> Ident<'a> {
    /// The identifier that means exactly `name`.
    ///
    /// # Errors
    ///
    /// If it has a NUL character.
    pub fn new(name: &'a str) -> Result<Self, Nul> {
        without_nul(name).map(Self)
    }
}

impl fmt::Display for Ident<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        doubling(f, self.0, '"')?;
        f.write_char('"')
    }
}

/// A name in a schema: `"a"."b"`.
///
/// # Errors
///
/// If one of the two has a NUL character.
pub fn qualified(schema: &str, name: &str) -> Result<String, Nul> {
    Ok(format!("{}.{}", Ident::new(schema)?, Ident::new(name)?))
}

/// A string constant that means exactly `value` under every setting of
/// `standard_conforming_strings` and `backslash_quote`: `E'it''s'`.
///
/// # Errors
///
/// If the value has a NUL character.
pub fn literal(value: &str) -> Result<String, Nul> {
    let escaped = without_nul(value)?.replace('\\', r"\\").replace('\'', "''");
    Ok(format!("E'{escaped}'"))
}

fn without_nul(text: &str) -> Result<&str, Nul> {
    if text.contains('\0') { Err(Nul) } else { Ok(text) }
}

/// Writes `text` with each `quote` twice.
fn doubling(f: &mut fmt::Formatter<'_>, text: &str, quote: char) -> fmt::Result {
    for part in text.split_inclusive(quote) {
        f.write_str(part)?;
        if part.ends_with(quote) {
            f.write_char(quote)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Ident, Nul, literal, qualified};
    use crate::sql::lexer::{Lexer, TokenKind};
    use proptest::prelude::*;

    #[test]
    fn identifiers() {
        let ident = |name| Ident::new(name).map(|ident| ident.to_string());
        assert_eq!(ident("a"), Ok(r#""a""#.to_owned()));
        assert_eq!(ident(r#"a"B\"#), Ok(r#""a""B\""#.to_owned()));
        assert_eq!(ident(r#""""#), Ok(r#""""""""#[..6].to_owned()));
        assert_eq!(ident("a\0"), Err(Nul));
        assert_eq!(qualified("a.b", "c\""), Ok(r#""a.b"."c""""#.to_owned()));
        assert_eq!(qualified("a", "\0"), Err(Nul));
    }

    #[test]
    fn literals() {
        assert_eq!(literal(""), Ok("E''".to_owned()));
        assert_eq!(literal(r"it's \'"), Ok(r"E'it''s \\'''".to_owned()));
        assert_eq!(literal("\0"), Err(Nul));
    }

    proptest! {
        #[test]
        fn each_is_one_token(text in "[^\0]*") {
            let one = |sql: &str| {
                let tokens: Vec<_> = Lexer::new(sql).map(|token| (token.kind, token.closed)).collect();
                tokens
            };
            prop_assert_eq!(one(&literal(&text).unwrap()), [(TokenKind::String, true)]);
            let ident = Ident::new(&text).unwrap().to_string();
            prop_assert_eq!(one(&ident), [(TokenKind::QuotedIdent, true)]);
        }
    }
}
