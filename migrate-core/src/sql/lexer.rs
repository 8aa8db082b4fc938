//! The only code that knows how PostgreSQL quotes. Owns the cut from text to tokens, after the
//! rules of the server's own scanner (`scan.l`, with `standard_conforming_strings` on) plus the
//! backslash commands that psql adds. Total and without loss: any text has tokens, and their spans
//! tile it. Must not know what a statement is.
//!
//! It runs inside a procedural macro, so mostly without optimisation: the loops work on bytes with
//! slice patterns, which cost no calls, and long literals are searched by `str::find` of one
//! character, which ends in the standard library's optimised `memchr`. Every rule consumes what it
//! looked at, so the whole is linear.

/// What a [`Token`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Spaces, tabs, line ends, form feeds, vertical tabs.
    Whitespace,
    /// `-- …`, without its line end.
    LineComment,
    /// `/* … */`, nested.
    BlockComment,
    /// A keyword or an unquoted identifier.
    Word,
    /// `"…"` or `U&"…"`.
    QuotedIdent,
    /// `'…'` with or without one of the prefixes `E`, `B`, `X`, `N`, `U&`.
    String,
    /// `$$…$$` or `$tag$…$tag$`.
    DollarString,
    /// A numeric constant.
    Number,
    /// `$1`.
    Param,
    /// An operator such as `->>`.
    Operator,
    /// `;`, wherever it stands.
    Semicolon,
    /// One of `( ) [ ] , . :` or one of `:: := ..`.
    Punct,
    /// A backslash outside of quotes: a psql meta-command, up to the end of its line.
    MetaCommand,
    /// A byte order mark at the very beginning.
    Bom,
    /// One character that PostgreSQL has no use for here, such as NUL or `{`.
    Unknown,
}

impl TokenKind {
    /// Whether the token means nothing to PostgreSQL: blanks, comments, the byte order mark.
    #[must_use]
    pub const fn is_trivia(self) -> bool {
        matches!(self, Self::Whitespace | Self::LineComment | Self::BlockComment | Self::Bom)
    }
}

/// A piece of the text. `start` and `end` are byte offsets on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// `false` for a string, identifier, dollar quote or block comment that the text leaves open.
    pub closed: bool,
}

impl Token {
    /// The token's characters; empty if `source` is not the text it was cut from.
    #[must_use]
    pub fn text<'t>(&self, source: &'t str) -> &'t str {
        source.get(self.start..self.end).unwrap_or_default()
    }
}

/// The iterator of [`Token`]s over a text.
#[derive(Debug, Clone)]
pub struct Lexer<'t> {
    text: &'t str,
    pos: usize,
    /// Up to here there are only `+` and `-` that an operator let go: each is a token of its own.
    singles_until: usize,
    /// The string that ended just now, if a line end and another quote would continue it.
    string: Option<OpenEnd>,
}

/// A string that may go on: `E'a'`, a line end, `'b\''` is one `E` string.
#[derive(Debug, Clone, Copy)]
struct OpenEnd {
    escapes: Escapes,
    line_end_seen: bool,
}

/// What stands for a quote inside a string.
#[derive(Debug, Clone, Copy)]
enum Escapes {
    /// `''`, as in most strings.
    Doubled,
    /// `''` and `\'`, as in `E'…'`.
    Backslash,
    /// Nothing, as in `B'…'` and `X'…'`.
    None,
}

impl<'t> Lexer<'t> {
    /// Begins at the beginning.
    #[must_use]
    pub const fn new(text: &'t str) -> Self {
        Self::resume(text, 0)
    }

    /// Begins at a byte offset, outside of any token. An offset that is no character boundary
    /// gives no tokens.
    #[must_use]
    pub const fn resume(text: &'t str, pos: usize) -> Self {
        Self { text, pos, singles_until: 0, string: None }
    }

    fn scan(&mut self, rest: &str) -> Scanned {
        use TokenKind as K;
        let bytes = rest.as_bytes();
        match bytes {
            [b' ' | b'\t'..=b'\r', ..] => Scanned::new(K::Whitespace, span(bytes, is_space)),
            [b'e' | b'E', b'\'', ..] => self.string(rest, 2, Escapes::Backslash),
            [b'b' | b'B' | b'x' | b'X', b'\'', ..] => self.string(rest, 2, Escapes::None),
            [b'n' | b'N', b'\'', ..] => self.string(rest, 2, Escapes::Doubled),
            [b'u' | b'U', b'&', b'\'', ..] => self.string(rest, 3, Escapes::Doubled),
            [b'u' | b'U', b'&', b'"', ..] => quoted_ident(rest, 3),
            [0xEF, 0xBB, 0xBF, ..] if self.pos == 0 => Scanned::new(K::Bom, 3),
            [b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.., ..] => {
                Scanned::new(K::Word, span(bytes, continues_word))
            }
            [b'\'', ..] => self.string(rest, 1, self.continued()),
            [b'"', ..] => quoted_ident(rest, 1),
            [b'-', b'-', ..] => Scanned::new(K::LineComment, span(bytes, is_not_line_end)),
            [b'/', b'*', ..] => block_comment(bytes),
            [b'$', ..] => dollar(rest),
            [b'0'..=b'9', ..] | [b'.', b'0'..=b'9', ..] => Scanned::new(K::Number, number(bytes)),
            [b';', ..] => Scanned::new(K::Semicolon, 1),
            [b'\\', ..] => Scanned::new(K::MetaCommand, meta_command(bytes)),
            [b':', b':' | b'=', ..] | [b'.', b'.', ..] => Scanned::new(K::Punct, 2),
            [b'(' | b')' | b'[' | b']' | b',' | b'.' | b':', ..] => Scanned::new(K::Punct, 1),
            [b, ..] if is_operator(*b) => Scanned::new(K::Operator, self.operator(bytes)),
            _ => Scanned::new(K::Unknown, 1),
        }
    }

    /// A string whose content begins at `open`.
    fn string(&mut self, rest: &str, open: usize, escapes: Escapes) -> Scanned {
        let end = match escapes {
            Escapes::Doubled => doubled_end(rest, open, '\''),
            Escapes::Backslash => backslash_end(rest.as_bytes(), open),
            Escapes::None => find(rest, open, '\'').map(|quote| quote + 1),
        };
        self.string = end.map(|_| OpenEnd { escapes, line_end_seen: false });
        Scanned::closing(TokenKind::String, end, rest)
    }

    /// How a string without a prefix escapes here: like the one it continues, if any.
    fn continued(&self) -> Escapes {
        match self.string {
            Some(OpenEnd { escapes, line_end_seen: true }) => escapes,
            _ => Escapes::Doubled,
        }
    }

    /// Keeps in mind whether the next quote would continue the last string.
    fn note(&mut self, kind: TokenKind, token: &[u8]) {
        match (&mut self.string, kind) {
            (None, _) | (_, TokenKind::String | TokenKind::LineComment) => {}
            (Some(end), TokenKind::Whitespace) => {
                end.line_end_seen |= token.iter().any(|b| matches!(b, b'\n' | b'\r'));
            }
            (string, _) => *string = None,
        }
    }

    /// The length of an operator. `+` and `-` end an operator only if it contains one of the
    /// characters that the SQL standard's operators do not.
    fn operator(&mut self, bytes: &[u8]) -> usize {
        if self.pos < self.singles_until {
            return 1;
        }
        let (len, exotic) = operator_run(bytes);
        let run = bytes.get(..len).unwrap_or_default();
        if exotic || len == 1 {
            return len;
        }
        let signs = run.iter().rev().take_while(|b| matches!(b, b'+' | b'-')).count();
        self.singles_until = self.pos + len;
        len - signs.min(len - 1)
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let rest = self.text.get(self.pos..).filter(|rest| !rest.is_empty())?;
        let Scanned { kind, len, closed } = self.scan(rest);
        if self.string.is_some() {
            self.note(kind, rest.as_bytes().get(..len).unwrap_or_default());
        }
        let start = self.pos;
        self.pos += len;
        Some(Token { kind, start, end: self.pos, closed })
    }
}

/// What a rule found: a token before it has a place.
struct Scanned {
    kind: TokenKind,
    len: usize,
    closed: bool,
}

impl Scanned {
    const fn new(kind: TokenKind, len: usize) -> Self {
        Self { kind, len, closed: true }
    }

    /// A token that needs an end, or else takes all the rest.
    fn closing(kind: TokenKind, end: Option<usize>, rest: &str) -> Self {
        Self { kind, len: end.unwrap_or(rest.len()), closed: end.is_some() }
    }
}

/// How many bytes from the beginning satisfy `keep`.
fn span(bytes: &[u8], keep: impl Fn(u8) -> bool) -> usize {
    let mut rest = bytes;
    while let [b, tail @ ..] = rest {
        if !keep(*b) {
            break;
        }
        rest = tail;
    }
    bytes.len() - rest.len()
}

/// The offset of the next `needle` at or after `from`.
fn find(text: &str, from: usize, needle: char) -> Option<usize> {
    text.get(from..)?.find(needle).map(|at| from + at)
}

const fn is_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

const fn is_not_line_end(b: u8) -> bool {
    !matches!(b, b'\n' | b'\r')
}

const fn is_digit(b: u8) -> bool {
    b.is_ascii_digit()
}

const fn continues_word(b: u8) -> bool {
    matches!(b, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80..)
}

const fn continues_tag(b: u8) -> bool {
    b != b'$' && continues_word(b)
}

const fn is_operator(b: u8) -> bool {
    is_exotic(b) || matches!(b, b'+' | b'-' | b'*' | b'/' | b'<' | b'>' | b'=')
}

/// The operator characters that permit a trailing `+` or `-`.
const fn is_exotic(b: u8) -> bool {
    matches!(b, b'~' | b'!' | b'@' | b'#' | b'^' | b'&' | b'|' | b'`' | b'?' | b'%')
}

fn quoted_ident(rest: &str, open: usize) -> Scanned {
    Scanned::closing(TokenKind::QuotedIdent, doubled_end(rest, open, '"'), rest)
}

/// The end of a literal in which a doubled `quote` stands for one.
fn doubled_end(rest: &str, open: usize, quote: char) -> Option<usize> {
    let mut from = open;
    loop {
        let after = find(rest, from, quote)? + 1;
        if !rest.get(after..)?.starts_with(quote) {
            return Some(after);
        }
        from = after + 1;
    }
}

/// The end of a literal in which a backslash takes the next character with it.
fn backslash_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut rest = bytes.get(open..)?;
    loop {
        rest = match rest {
            [b'\\', _, tail @ ..] | [b'\'', b'\'', tail @ ..] => tail,
            [b'\'', tail @ ..] => return Some(bytes.len() - tail.len()),
            [_, tail @ ..] => tail,
            [] => return None,
        }
    }
}

fn block_comment(bytes: &[u8]) -> Scanned {
    let (mut rest, mut depth) = (bytes, 0_usize);
    loop {
        rest = match rest {
            [b'/', b'*', tail @ ..] => {
                depth += 1;
                tail
            }
            [b'*', b'/', tail @ ..] => {
                depth -= 1;
                tail
            }
            [_, tail @ ..] => tail,
            [] => break,
        };
        if depth == 0 {
            break;
        }
    }
    Scanned { kind: TokenKind::BlockComment, len: bytes.len() - rest.len(), closed: depth == 0 }
}

/// A parameter, a dollar quote, or a stray `$`.
fn dollar(rest: &str) -> Scanned {
    let bytes = rest.as_bytes();
    if let [_, b'0'..=b'9', tail @ ..] = bytes {
        return Scanned::new(TokenKind::Param, 2 + span(tail, is_digit));
    }
    match dollar_tag(rest) {
        Some(tag) => Scanned::closing(TokenKind::DollarString, dollar_end(rest, tag), rest),
        None => Scanned::new(TokenKind::Unknown, 1),
    }
}

/// The delimiter, such as `$body$`, that opens the dollar quote at the beginning of `text`.
pub(super) fn dollar_tag(text: &str) -> Option<&str> {
    let name = match text.as_bytes() {
        [b'$', b'0'..=b'9', ..] => return None,
        [b'$', name @ ..] => span(name, continues_tag),
        _ => return None,
    };
    text.get(..name + 2).filter(|tag| tag.ends_with('$'))
}

/// The end of a dollar quote: nothing counts in it but the next occurrence of its tag.
fn dollar_end(rest: &str, tag: &str) -> Option<usize> {
    let mut from = tag.len();
    loop {
        let at = find(rest, from, '$')?;
        if rest.get(at..)?.starts_with(tag) {
            return Some(at + tag.len());
        }
        from = at + 1;
    }
}

/// The length of a backslash command. psql's `\;` and `\:` leave the rest of the line alone.
fn meta_command(bytes: &[u8]) -> usize {
    match bytes {
        [_, b';' | b':', ..] => 2,
        _ => span(bytes, is_not_line_end),
    }
}

/// The length of a run of operator characters up to a comment, and whether one is exotic.
fn operator_run(bytes: &[u8]) -> (usize, bool) {
    let (mut rest, mut exotic) = (bytes, false);
    loop {
        rest = match rest {
            [b'/', b'*', ..] | [b'-', b'-', ..] => break,
            [b, tail @ ..] if is_operator(*b) => {
                exotic |= is_exotic(*b);
                tail
            }
            _ => break,
        }
    }
    (bytes.len() - rest.len(), exotic)
}

/// The length of a number. A word that follows without a blank is the next token, as it was before
/// PostgreSQL 15 began to refuse it; `0x1$` and `1_0$` are no numbers but end in such a word.
fn number(bytes: &[u8]) -> usize {
    let len = radix_number(bytes).unwrap_or_else(|| decimal(bytes, spaced_digits));
    match bytes.get(len) {
        Some(next) if continues_word(*next) => decimal(bytes, |bytes| span(bytes, is_digit)),
        _ => len,
    }
}

fn decimal(bytes: &[u8], digits: fn(&[u8]) -> usize) -> usize {
    let whole = digits(bytes);
    let fraction = match bytes.get(whole..) {
        Some([b'.', b'.', ..]) => 0,
        Some([b'.', tail @ ..]) => 1 + digits(tail),
        _ => 0,
    };
    whole + fraction + bytes.get(whole + fraction..).map_or(0, exponent)
}

/// The length of `0x1F`, `0o17` or `0b11` (since PostgreSQL 16).
fn radix_number(bytes: &[u8]) -> Option<usize> {
    let (is_radix_digit, tail): (fn(u8) -> bool, _) = match bytes {
        [b'0', b'x' | b'X', tail @ ..] => (|b| b.is_ascii_hexdigit(), tail),
        [b'0', b'o' | b'O', tail @ ..] => (|b| matches!(b, b'0'..=b'7'), tail),
        [b'0', b'b' | b'B', tail @ ..] => (|b| matches!(b, b'0' | b'1'), tail),
        _ => return None,
    };
    let len = digits(tail, is_radix_digit);
    (len > 0).then_some(2 + len)
}

/// The length of digits with single underscores before them (since PostgreSQL 16).
fn digits(bytes: &[u8], is_digit: impl Fn(u8) -> bool) -> usize {
    let mut rest = bytes;
    loop {
        rest = match rest {
            [b, tail @ ..] | [b'_', b, tail @ ..] if is_digit(*b) => tail,
            _ => return bytes.len() - rest.len(),
        }
    }
}

/// The same for decimal digits, the first without an underscore.
fn spaced_digits(bytes: &[u8]) -> usize {
    match bytes {
        [b'0'..=b'9', ..] => digits(bytes, is_digit),
        _ => 0,
    }
}

fn exponent(bytes: &[u8]) -> usize {
    let (mark, power) = match bytes {
        [b'e' | b'E', b'+' | b'-', tail @ ..] => (2, tail),
        [b'e' | b'E', tail @ ..] => (1, tail),
        _ => return 0,
    };
    match spaced_digits(power) {
        0 => 0,
        len => mark + len,
    }
}

#[cfg(test)]
mod tests {
    use super::{Lexer, Token, TokenKind, TokenKind as K};
    use proptest::prelude::*;

    fn lex(text: &str) -> Vec<(TokenKind, &str)> {
        let tokens = Lexer::new(text).filter(|token| token.kind != K::Whitespace);
        tokens.map(|token| (token.kind, token.text(text))).collect()
    }

    fn only(text: &str) -> Token {
        let tokens: Vec<_> = Lexer::new(text).collect();
        assert_eq!(tokens.len(), 1, "{text}: {tokens:?}");
        tokens[0]
    }

    fn assert_one(kind: TokenKind, texts: &[&str]) {
        for text in texts {
            let token = only(text);
            assert_eq!((token.kind, token.closed), (kind, true), "{text:?}");
        }
    }

    #[test]
    fn each_literal_is_one_token() {
        assert_one(K::QuotedIdent, &[r#""a""#, r#""a""b""#, "\"a\nb\"", r#""""#]);
        assert_one(K::QuotedIdent, &[r#"U&"\0061""#, r#"u&"a""#]);
        assert_one(K::String, &["''", "'a''b'", r"'\'", "'é'", "'a\r\nb'"]);
        assert_one(K::String, &[r"E'\''", r"e'\\'", r"E'\é'", r"E'\a''b'"]);
        assert_one(K::String, &["B'01'", "x'1F'", "N'a'", r"n'\'", "U&'a'", r"u&'\'"]);
        assert_one(K::DollarString, &["$$$$", "$$a'b$$", "$a$ $$ $b$ $a$"]);
        assert_one(K::DollarString, &["$é$x$é$", "$_1$ $ $_ $_1 $_1$"]);
        assert_one(K::Number, &["1", "1.5", ".5", "1.", "1e5", "1.e-5"]);
        assert_one(K::Number, &["1_000", "0x1F", "0o17", "0b_11"]);
    }

    #[test]
    fn each_other_is_one_token() {
        assert_one(K::Whitespace, &[" \t\n\r\x0b\x0c"]);
        assert_one(K::LineComment, &["--", "-- a /* 'b", "--é"]);
        assert_one(K::BlockComment, &["/**/", "/* ' */", "/* /* */ */", "/***/", "/*é*/"]);
        assert_one(K::BlockComment, &["/*//**/**/"]);
        assert_one(K::Word, &["a", "_a1", "a$b$", "é", "été€1", "u", "U", "e", "\u{a0}"]);
        assert_one(K::Param, &["$1", "$12"]);
        assert_one(K::Operator, &["+", "->>", "<=", "@-", "!=-", "*/", "||", "~~*", "`", "?|"]);
        assert_one(K::Semicolon, &[";"]);
        assert_one(K::Punct, &["(", ")", "[", "]", ",", ".", ":", "::", ":=", ".."]);
        assert_one(K::MetaCommand, &["\\", "\\d foo; 'bar", "\\;", "\\:"]);
        assert_one(K::Bom, &["\u{feff}"]);
        assert_one(K::Unknown, &["\0", "{", "}", "$", "\x7f"]);
    }

    #[test]
    fn open_ends() {
        for (kind, texts) in [
            (K::BlockComment, &["/*", "/* /* */", "/*/", "/*/*/"][..]),
            (K::QuotedIdent, &["\"", "\"a\"\"", "U&\"a"]),
            (K::String, &["'", "'a''", r"E'\'", r"E'\", "B'0", "U&'a", "N'"]),
            (K::DollarString, &["$$", "$$ $", "$a$ $$", "$a$ $A$", "$a$ $a"]),
        ] {
            for text in texts {
                let token = only(text);
                assert_eq!((token.kind, token.closed), (kind, false), "{text:?}");
            }
        }
    }

    #[test]
    fn cuts() {
        let cases: &[(&str, &[&str])] = &[
            ("a$b$c$b$", &["a$b$c$b$"]),
            ("1$$a$$", &["1", "$$a$$"]),
            ("$1$$a$$", &["$1", "$$a$$"]),
            ("$a b$", &["$", "a", "b$"]),
            ("1..10", &["1", "..", "10"]),
            ("1e+", &["1", "e", "+"]),
            ("1else", &["1", "else"]),
            ("0xg", &["0", "xg"]),
            ("1__0", &["1", "__0"]),
            ("1._0", &["1.", "_0"]),
            ("1_0.0_1e1_0", &["1_0.0_1e1_0"]),
            ("1_0$$a$$", &["1", "_0$$a$$"]),
            ("0x1$$a$$", &["0", "x1$$a$$"]),
            ("1.5.3", &["1.5", ".3"]),
            ("a.b", &["a", ".", "b"]),
            ("=-1", &["=", "-", "1"]),
            ("=+-+1", &["=", "+", "-", "+", "1"]),
            ("@+-1", &["@+-", "1"]),
            ("+-+@-", &["+-+@-"]),
            ("+/* */", &["+", "/* */"]),
            ("@--c", &["@", "--c"]),
            ("=+--c", &["=", "+", "--c"]),
            ("*/*a*/", &["*", "/*a*/"]),
            ("a::b:=c", &["a", "::", "b", ":=", "c"]),
            ("B'0''1'", &["B'0'", "'1'"]),
            ("eE'\\' '", &["eE", "'\\'", "'"]),
            ("u&a U&1", &["u", "&", "a", "U", "&", "1"]),
            ("a\u{feff}", &["a\u{feff}"]),
            ("\\d\nb", &["\\d", "b"]),
            ("\\;a", &["\\;", "a"]),
            ("--a\rb", &["--a", "b"]),
            ("*/", &["*/"]),
        ];
        for (text, expected) in cases {
            let tokens: Vec<_> = lex(text).into_iter().map(|(_, token)| token).collect();
            assert_eq!(&tokens, expected, "{text:?}");
        }
    }

    #[test]
    fn a_string_goes_on_after_a_line_end() {
        let last = |text| lex(text).pop().map(|(_, token)| token);
        assert_eq!(last("E'a'\n'\\' '"), Some("'\\' '"));
        assert_eq!(last("E'a' -- c\r\n  '\\' '"), Some("'\\' '"));
        assert_eq!(last("E'a'\n'b'\n'\\' '"), Some("'\\' '"));
        assert_eq!(last("B'0'\n'1''0'"), Some("'0'"));
        // not without a line end, nor across anything else, nor after another kind of string
        assert_eq!(last("E'a' '\\' '"), Some("'"));
        assert_eq!(last("E'a'/*\n*/\n'\\' '"), Some("'"));
        assert_eq!(last("E'a'\n,'\\' '"), Some("'"));
        assert_eq!(last("'a'\n'\\' '"), Some("'"));
    }

    #[test]
    fn long_inputs_take_linear_time() {
        for piece in ["+", "/*", "$a", "'", "\"", "E'\\'\n", "-", "--\r", "\\\n", "$a$", "1_", "u&"]
        {
            let text = piece.repeat(2_000_000 / piece.len());
            let end = Lexer::new(&text).last().map(|token| token.end);
            assert_eq!(end, Some(text.len()));
        }
    }

    fn tiles(text: &str) {
        let mut end = 0;
        for token in Lexer::new(text) {
            assert_eq!(token.start, end);
            assert!(token.end > end && text.is_char_boundary(token.end));
            end = token.end;
        }
        assert_eq!(end, text.len());
    }

    proptest! {
        #[test]
        fn any_text_is_tiled(text in any::<String>()) {
            tiles(&text);
        }

        #[test]
        fn ascii_is_tiled(text in "[ -~\n\r]{0,80}") {
            tiles(&text);
        }
    }
}
