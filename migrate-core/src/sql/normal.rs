//! The part of a text that counts. Owns which differences are none: blanks, comments, a byte order
//! mark, and whether lines end in CRLF or LF, also inside literals. Must not know how a checksum is
//! made of it.

use super::lexer::{Lexer, TokenKind};

/// Calls `f` with the pieces of all tokens but blanks, comments and a byte order mark.
///
/// Texts that differ only in these, and in CRLF against LF, give the same sequence of pieces; texts
/// with different tokens give different ones. A token is one piece, unless it has line ends: then
/// each line is a piece, and between the lines is a piece `\n`, which no token is by itself. So
/// hash each piece together with its length.
pub fn for_each_token(text: &str, mut f: impl FnMut(&[u8])) {
    for token in Lexer::new(text).filter(|token| !token.kind.is_trivia()) {
        let token_text = token.text(text);
        if spans_lines(token.kind) {
            for_each_line(token_text, &mut f);
        } else {
            f(token_text.as_bytes());
        }
    }
}

const fn spans_lines(kind: TokenKind) -> bool {
    matches!(kind, TokenKind::String | TokenKind::QuotedIdent | TokenKind::DollarString)
}

fn for_each_line(token: &str, f: &mut impl FnMut(&[u8])) {
    let mut rest = token;
    while let Some((line, tail)) = rest.split_once('\n') {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if !line.is_empty() {
            f(line.as_bytes());
        }
        f(b"\n");
        rest = tail;
    }
    if !rest.is_empty() {
        f(rest.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::for_each_token;
    use crate::sql::lexer::{Lexer, TokenKind};
    use proptest::prelude::*;

    fn pieces(text: &str) -> Vec<String> {
        let mut pieces = Vec::new();
        for_each_token(text, |piece| pieces.push(String::from_utf8_lossy(piece).into_owned()));
        pieces
    }

    #[test]
    fn tokens_are_pieces() {
        let text = "\u{feff}SELECT 1,/* a */'b' -- c\n;";
        assert_eq!(pieces(text), ["SELECT", "1", ",", "'b'", ";"]);
    }

    #[test]
    fn a_literal_is_a_piece_for_each_line() {
        let expected = ["$$a", "\n", "\n", "b\rc", "\n", "$$"];
        assert_eq!(pieces("$$a\n\nb\rc\n$$"), expected);
        assert_eq!(pieces("$$a\r\n\r\nb\rc\r\n$$"), expected);
    }

    #[test]
    fn what_differs() {
        for (one, other) in [
            ("a b", "ab"),
            ("a", "A"),
            ("a - -b", "a --b"),
            ("a::b", "a : :b"),
            ("1 .5", "1.5"),
            ("'a' 'b'", "'a''b'"),
            ("'a b'", "'a  b'"),
            ("'a\nb'", "'a b'"),
            ("'a\nb'", "'a\n\nb'"),
            ("'a\rb'", "'a\nb'"),
            ("'a-- b'", "'a'"),
            ("$$/* a */$$", "$$$$"),
            ("\"a\nb\"", "\"a\" \"b\""),
            ("E 'a'", "E'a'"),
            ("a", "a;"),
        ] {
            assert_ne!(pieces(one), pieces(other), "{one:?} {other:?}");
        }
    }

    #[test]
    fn what_is_the_same() {
        for (one, other) in [
            ("a b", "a\r\n\tb -- c"),
            ("a(b)", " a ( b ) "),
            ("a/**/b", "a b"),
            ("\u{feff}a", "a"),
            ("'a\r\nb'", "'a\nb'"),
            ("E'a\\\r\nb'", "E'a\\\nb'"),
            ("'a'\n'b'", "'a' -- c\r\n 'b'"),
        ] {
            assert_eq!(pieces(one), pieces(other), "{one:?} {other:?}");
        }
    }

    const PARTS: &[&str] = &[
        "a",
        "SELECT",
        "1",
        "'b'",
        "'it''s'",
        "'\n'",
        "E'\\''",
        "$$\n;\n$$",
        "$a$ $$ $a$",
        "\"c\"",
        "(",
        ")",
        ",",
        ";",
        "->>",
        "$1",
        "::",
    ];
    const TRIVIA: &[&str] =
        &[" ", "\t ", " \n", "/* a */", "/* /* ; */ ' */\n", " -- it's\n", " \n\n"];

    fn joined(parts: &[(&str, &str)]) -> String {
        parts.iter().flat_map(|(part, trivia)| [*trivia, *part]).collect()
    }

    proptest! {
        /// Other blanks, comments and line ends: the same pieces.
        #[test]
        fn trivia_do_not_count(parts in prop::collection::vec((
            prop::sample::select(PARTS), prop::sample::select(TRIVIA)), 0..20)) {
            let plain: Vec<_> = parts.iter().map(|(part, _)| (*part, " \n")).collect();
            let crlf = joined(&parts).replace('\n', "\r\n");
            prop_assert_eq!(pieces(&crlf), pieces(&joined(&plain)));
        }

        /// Pieces are injective: put together again they are the tokens.
        #[test]
        fn pieces_are_the_tokens(text in any::<String>()) {
            let mut tokens = vec![String::new()];
            for token in Lexer::new(&text).filter(|token| !token.kind.is_trivia()) {
                let lines = !matches!(token.kind, TokenKind::MetaCommand);
                let token = token.text(&text);
                tokens.push(if lines { token.replace("\r\n", "\n") } else { token.to_owned() });
            }
            prop_assert_eq!(pieces(&text).concat(), tokens.concat());
        }
    }
}
