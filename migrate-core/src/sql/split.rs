//! Where statements end. Owns psql's rule: a `;` ends a statement unless it stands inside
//! parentheses or inside the `BEGIN ATOMIC … END` body of a function. Knows tokens, but not how
//! they are quoted, and of what a statement means only whether data follows it.
//!
//! The state is psql's (`psqlscan.l`), with three differences where psql is known to be wrong:
//! `BEGIN` opens a body only together with `ATOMIC`, so that a function may be called `begin`;
//! `CASE` and `END` do not count after `.` or `AS`, where they are names; and a string continued on
//! the next line is read as the server reads it.

use super::classify;
use super::lexer::{Lexer, Token, TokenKind, dollar_tag};
use super::mistake::{Mistake, MistakeKind};
use super::position::Locator;

/// One statement of a text: its bytes without the comments and blanks around it and without the
/// `;`, and where a reader finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement {
    /// The byte offset of its first token.
    pub start: u32,
    /// The byte offset after its last token.
    pub end: u32,
    /// The line of `start`, from 1.
    pub line: u32,
    /// The column of `start` in characters, from 1.
    pub column: u32,
}

impl Statement {
    /// The statement's text; empty if `source` is not the text it was found in.
    #[must_use]
    pub fn text<'t>(&self, source: &'t str) -> &'t str {
        let range = usize::try_from(self.start).ok().zip(usize::try_from(self.end).ok());
        range.and_then(|(start, end)| source.get(start..end)).unwrap_or_default()
    }
}

/// Cuts a text into pieces of one statement each, with everything before it and its `;`. What
/// follows the last `;` is a piece of its own. Total and without loss: the pieces of any text,
/// however broken, concatenate to it.
#[must_use]
pub fn split(text: &str) -> Vec<&str> {
    let (mut pieces, mut start, mut ends) = (Vec::new(), 0, Ends::default());
    for token in Lexer::new(text) {
        if ends.at(token, text) {
            pieces.extend(text.get(start..token.end));
            start = token.end;
        }
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

/// The statements of a text, without the empty ones.
///
/// # Errors
///
/// All that keeps the text from being run statement by statement, in the order of the text.
pub fn statements(text: &str) -> Result<Vec<Statement>, Vec<Mistake>> {
    if let Some(mistake) = too_large(text.len()) {
        return Err(vec![mistake]);
    }
    Collector::new(text).collect()
}

fn too_large(len: usize) -> Option<Mistake> {
    let mistake = Mistake { kind: MistakeKind::TooLarge, offset: 0, line: 1, column: 1 };
    u32::try_from(len).is_err().then_some(mistake)
}

/// Gathers statements and mistakes on one way through the text.
struct Collector<'t> {
    text: &'t str,
    locator: Locator<'t>,
    statements: Vec<Statement>,
    mistakes: Vec<Mistake>,
    /// The statement being read: what of it is known.
    open: Option<Open>,
}

#[derive(Clone, Copy)]
struct Open {
    first: Token,
    end: usize,
    line: u32,
    column: u32,
}

impl<'t> Collector<'t> {
    fn new(text: &'t str) -> Self {
        let (statements, mistakes) = (Vec::new(), Vec::new());
        Self { text, locator: Locator::new(text), statements, mistakes, open: None }
    }

    fn collect(mut self) -> Result<Vec<Statement>, Vec<Mistake>> {
        let (mut lexer, mut ends) = (Lexer::new(self.text), Ends::default());
        while let Some(token) = lexer.next() {
            self.check(token);
            if ends.at(token, self.text) {
                if self.close() == Data::Follows {
                    lexer = Lexer::resume(self.text, after_data(self.text, token.end));
                }
            } else if !token.kind.is_trivia() {
                self.extend(token);
            }
        }
        self.close();
        self.finish()
    }

    fn finish(mut self) -> Result<Vec<Statement>, Vec<Mistake>> {
        if let Some(offset) = self.text.find('\0') {
            let (line, column) = Locator::new(self.text).locate(offset);
            self.mistakes.push(Mistake { kind: MistakeKind::Nul, offset, line, column });
        }
        self.mistakes.sort_by_key(|mistake| mistake.offset);
        if self.mistakes.is_empty() { Ok(self.statements) } else { Err(self.mistakes) }
    }

    fn check(&mut self, token: Token) {
        if let Some(kind) = mistake_in(token, self.text) {
            let (line, column) = self.locator.locate(token.start);
            self.mistakes.push(Mistake { kind, offset: token.start, line, column });
        }
    }

    fn extend(&mut self, token: Token) {
        if let Some(open) = &mut self.open {
            open.end = token.end;
        } else {
            let (line, column) = self.locator.locate(token.start);
            self.open = Some(Open { first: token, end: token.end, line, column });
        }
    }

    /// Ends the open statement, if any.
    fn close(&mut self) -> Data {
        let Some(Open { first, end, line, column }) = self.open.take() else {
            return Data::DoesNotFollow;
        };
        // A token cannot be past u32::MAX, because the text is not.
        let [start, end] = [first.start, end].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
        let statement = Statement { start, end, line, column };
        self.statements.push(statement);
        if !is_word(first, self.text, "copy")
            || !classify::copies_from_stdin(statement.text(self.text))
        {
            return Data::DoesNotFollow;
        }
        let (kind, offset) = (MistakeKind::CopyFromStdin, first.start);
        self.mistakes.push(Mistake { kind, offset, line, column });
        Data::Follows
    }
}

/// Whether rows for a `COPY` stand between a statement and the next.
#[derive(PartialEq)]
enum Data {
    Follows,
    DoesNotFollow,
}

/// The offset after the rows that begin on the line after `from` and end with a line of `\.`, or
/// with the text.
fn after_data(text: &str, from: usize) -> usize {
    let mut at = from;
    for line in text.get(from..).unwrap_or_default().split_inclusive('\n') {
        at += line.len();
        if at > from + line.len() && line.trim_end_matches(['\r', '\n']) == r"\." {
            break;
        }
    }
    at
}

fn mistake_in(token: Token, text: &str) -> Option<MistakeKind> {
    match token.kind {
        TokenKind::MetaCommand => Some(meta_command(token.text(text))),
        _ if token.closed => None,
        TokenKind::String => Some(MistakeKind::UnterminatedString),
        TokenKind::QuotedIdent => Some(MistakeKind::UnterminatedIdentifier),
        TokenKind::BlockComment => Some(MistakeKind::UnterminatedComment),
        _ => {
            let tag = dollar_tag(token.text(text)).unwrap_or("$$").to_owned();
            Some(MistakeKind::UnterminatedDollarQuote { tag })
        }
    }
}

/// The command without its arguments, which may be secret.
fn meta_command(token: &str) -> MistakeKind {
    let ends = |c: char| c.is_ascii_whitespace() || c == '\\';
    let name = token.get(1..).and_then(|rest| rest.split(ends).next()).unwrap_or_default();
    MistakeKind::MetaCommand { command: format!("\\{name}") }
}

fn is_word(token: Token, text: &str, word: &str) -> bool {
    token.kind == TokenKind::Word && token.text(text).eq_ignore_ascii_case(word)
}

/// What psql keeps in mind between tokens to tell whether a `;` ends the statement.
#[derive(Default)]
struct Ends {
    /// Open parentheses.
    parens: usize,
    /// Open `BEGIN ATOMIC` and, inside of it, `CASE`.
    blocks: usize,
    beginning: Beginning,
    last: Last,
}

/// What the words at the beginning of the statement amount to.
#[derive(Default, Clone, Copy, PartialEq)]
enum Beginning {
    #[default]
    Empty,
    Create,
    CreateOr,
    CreateOrReplace,
    /// `CREATE [OR REPLACE] {FUNCTION | PROCEDURE}`
    Routine,
    Other,
}

/// The token before, as far as it changes what a word means in a routine.
#[derive(Default, Clone, Copy, PartialEq)]
enum Last {
    #[default]
    Any,
    Begin,
    /// A name follows: the token was `.` or `AS`.
    BeforeName,
}

impl Ends {
    /// Whether the statement ends at this token; then the state is that of a beginning.
    fn at(&mut self, token: Token, text: &str) -> bool {
        match token.kind {
            TokenKind::Semicolon if self.parens == 0 && self.blocks == 0 => {
                *self = Self::default();
                return true;
            }
            TokenKind::Punct => self.punct(token.text(text)),
            TokenKind::Word => self.word(token.text(text)),
            kind if kind.is_trivia() => {}
            _ => self.last = Last::Any,
        }
        false
    }

    fn punct(&mut self, punct: &str) {
        self.last = if punct == "." { Last::BeforeName } else { Last::Any };
        match punct {
            "(" => self.parens += 1,
            ")" => self.parens = self.parens.saturating_sub(1),
            _ => {}
        }
    }

    fn word(&mut self, word: &str) {
        match self.beginning {
            Beginning::Other => {}
            Beginning::Routine => self.word_in_routine(word),
            beginning => self.beginning = beginning.and(word),
        }
    }

    fn word_in_routine(&mut self, word: &str) {
        let last = std::mem::take(&mut self.last);
        if self.parens > 0 {
            return;
        }
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        if last == Last::BeforeName {
            // a name
        } else if is("as") {
            self.last = Last::BeforeName;
        } else if is("begin") {
            self.last = Last::Begin;
        } else if is("atomic") && last == Last::Begin || is("case") && self.blocks > 0 {
            self.blocks += 1;
        } else if is("end") {
            self.blocks = self.blocks.saturating_sub(1);
        }
    }
}

impl Beginning {
    fn and(self, word: &str) -> Self {
        let is = |keyword: &str| word.eq_ignore_ascii_case(keyword);
        match self {
            Self::Empty if is("create") => Self::Create,
            Self::Create if is("or") => Self::CreateOr,
            Self::CreateOr if is("replace") => Self::CreateOrReplace,
            Self::Create | Self::CreateOrReplace if is("function") || is("procedure") => {
                Self::Routine
            }
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Mistake, MistakeKind as K, Statement, split, statements, too_large};
    use crate::sql::lexer::Lexer;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        let statements = statements(text).expect("no mistakes");
        statements.iter().map(|statement| statement.text(text)).collect()
    }

    fn mistakes(text: &str) -> Vec<(K, u32, u32)> {
        let mistakes = statements(text).expect_err("mistakes");
        mistakes.into_iter().map(|m| (m.kind, m.line, m.column)).collect()
    }

    fn meta(command: &str) -> K {
        K::MetaCommand { command: command.to_owned() }
    }

    #[test]
    fn pieces_hold_what_is_before_and_the_semicolon() {
        assert_eq!(split("-- a\na;\n b ; -- c\n"), ["-- a\na;", "\n b ;", " -- c\n"]);
        assert_eq!(split("a"), ["a"]);
        assert_eq!(split("a;;"), ["a;", ";"]);
        assert_eq!(split(""), Vec::<&str>::new());
    }

    #[test]
    fn statements_are_bare_and_located() {
        let text = "\u{feff}-- é\r\n  SELECT 1 /* é */ ;\t/* é */ b -- c\n ;; c";
        let found = statements(text).expect("no mistakes");
        let located: Vec<_> = found.iter().map(|s| (s.text(text), s.line, s.column)).collect();
        assert_eq!(located, [("SELECT 1", 2, 3), ("b", 2, 30), ("c", 3, 5)]);
        assert_eq!(statements("\u{feff}a").map(|s| s[0].column), Ok(1));
    }

    #[test]
    fn nothing_is_no_statement() {
        for text in ["", " ", ";", " ; ;; ", "-- a", "/* a; */", "\u{feff}", "-- a\n;/**/"] {
            assert_eq!(statements(text), Ok(vec![]), "{text:?}");
        }
    }

    #[test]
    fn a_wrong_range_has_no_text() {
        let statement = |start, end| Statement { start, end, line: 1, column: 1 };
        assert_eq!(statement(1, 3).text("é€"), "");
        assert_eq!(statement(5, 2).text("abcdef"), "");
        assert_eq!(statement(0, u32::MAX).text("a"), "");
    }

    #[test]
    fn parentheses_and_bodies_keep_a_statement_together() {
        for text in [
            "CREATE RULE r AS ON INSERT TO t DO (a; b)",
            "create function f() returns int begin atomic select 1; select 2; end",
            "CREATE OR REPLACE PROCEDURE p() BEGIN /* ; */ ATOMIC a; b; END",
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT CASE WHEN a THEN b END; c; END",
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT t.end, t.case, 1 AS end, 2 AS case; c; END",
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT begin FROM t; END",
            "CREATE FUNCTION f() BEGIN ATOMIC SELECT (CASE a WHEN 1 THEN 2 END); END",
        ] {
            let twice = format!("{text}; {text}");
            assert_eq!(texts(&twice), [text, text]);
        }
    }

    #[test]
    fn only_a_body_in_a_routine_counts() {
        assert_eq!(texts("BEGIN; a; END"), ["BEGIN", "a", "END"]);
        assert_eq!(texts("BEGIN ATOMIC; a; END"), ["BEGIN ATOMIC", "a", "END"]);
        assert_eq!(texts("CREATE FUNCTION begin() a; b"), ["CREATE FUNCTION begin() a", "b"]);
        assert_eq!(texts("CREATE VIEW f BEGIN ATOMIC; b"), ["CREATE VIEW f BEGIN ATOMIC", "b"]);
        let function = "CREATE FUNCTION f() RETURN CASE a WHEN 1 THEN 2 END";
        assert_eq!(texts(&format!("{function}; b")), [function, "b"]);
        assert_eq!(texts("a); b"), ["a)", "b"]);
    }

    #[test]
    fn all_mistakes_are_reported_in_order() {
        assert_eq!(
            mistakes("\\set a 'b\nSELECT 1 \\gexec\n\\connect x\\\\\n SELECT 'a\0"),
            [
                (meta(r"\set"), 1, 1),
                (meta(r"\gexec"), 2, 10),
                (meta(r"\connect"), 3, 1),
                (K::UnterminatedString, 4, 9),
                (K::Nul, 4, 11),
            ]
        );
        assert_eq!(mistakes(r"a\;b; \"), [(meta(r"\;"), 1, 2), (meta("\\"), 1, 7)]);
    }

    #[test]
    fn open_ends_are_mistakes() {
        let tag = |tag: &str| K::UnterminatedDollarQuote { tag: tag.to_owned() };
        for (text, kind) in [
            (" E'a\\'", K::UnterminatedString),
            (" \"a", K::UnterminatedIdentifier),
            (" U&\"a", K::UnterminatedIdentifier),
            (" /* /* */", K::UnterminatedComment),
            (" $$ $a$", tag("$$")),
            (" $a$ $$ $A$", tag("$a$")),
            (" \0\0", K::Nul),
        ] {
            assert_eq!(mistakes(text), [(kind, 1, 2)], "{text:?}");
        }
    }

    #[test]
    fn copy_with_data_is_a_mistake_and_its_rows_are_skipped() {
        let text = "COPY t (a, b) FROM stdin; -- it's\n\\N\t'\n\\.\nSELECT 'a;\n";
        let expected = [(K::CopyFromStdin, 1, 1), (K::UnterminatedString, 4, 8)];
        assert_eq!(mistakes(text), expected);
        assert_eq!(mistakes(&text.replace('\n', "\r\n")), expected);
        assert_eq!(mistakes("a; COPY t FROM STDIN;\n'"), [(K::CopyFromStdin, 1, 4)]);
        assert_eq!(mistakes("COPY t FROM STDIN"), [(K::CopyFromStdin, 1, 1)]);
        assert_eq!(texts("COPY t FROM 'stdin'; COPY t TO stdout").len(), 2);
    }

    #[test]
    fn offsets_must_fit() {
        assert_eq!(too_large(u32::MAX as usize), None);
        let kind = too_large(u32::MAX as usize + 1).map(|Mistake { kind, .. }| kind);
        assert_eq!(kind, Some(K::TooLarge));
    }

    #[test]
    fn a_large_text_takes_linear_time() {
        for piece in ["a;", "(;", "a é;\n", "\\\n", "/*", "COPY t FROM stdin;\n\\.\n", "'a'\n", ";"]
        {
            let text = piece.repeat(1_000_000 / piece.len());
            assert_eq!(split(&text).concat().len(), text.len());
            assert!(statements(&text).map_or_else(|m| !m.is_empty(), |s| s.len() < text.len()));
        }
    }

    fn check(text: &str) {
        assert_eq!(split(text).concat(), text);
        let mut end = 0;
        for statement in statements(text).unwrap_or_default() {
            assert!(statement.start >= end && statement.start < statement.end);
            end = statement.end;
            let inner = statement.text(text);
            assert!(!inner.is_empty());
            let tokens: Vec<_> = Lexer::new(inner).collect();
            let bom = inner.starts_with('\u{feff}'); // a word in the text, but not by itself
            assert!(bom || !tokens[0].kind.is_trivia());
            assert!(tokens.len() == 1 || !tokens[tokens.len() - 1].kind.is_trivia());
        }
        for mistake in statements(text).err().unwrap_or_default() {
            assert!(text.is_char_boundary(mistake.offset));
            let position = crate::sql::position::line_column(text, mistake.offset);
            assert_eq!(position, (mistake.line, mistake.column));
        }
    }

    const TORTURE: &[&str] = &[
        "'",
        "\"",
        "$",
        "$$",
        "$a$",
        "E'",
        "B'",
        "U&'",
        "U&\"",
        "--",
        "/*",
        "*/",
        "\\",
        "\\.",
        "\\;",
        "(",
        ")",
        ";",
        " ",
        "\n",
        "\r\n",
        "\r",
        "\t",
        "é",
        "€",
        "\u{feff}",
        "\0",
        "a",
        "1",
        ".",
        ":",
        "+",
        "-",
        "=",
        "@",
        "BEGIN",
        "ATOMIC",
        "END",
        "CASE",
        "CREATE ",
        "OR ",
        "REPLACE ",
        "AS ",
        "FUNCTION ",
        "PROCEDURE ",
        "COPY t FROM ",
        "STDIN",
        "0x",
        "_",
        "{",
    ];

    proptest! {
        #[test]
        fn any_text(text in any::<String>()) {
            check(&text);
        }

        #[test]
        fn any_torture(parts in prop::collection::vec(prop::sample::select(TORTURE), 0..40)) {
            check(&parts.concat());
        }

        /// Without the parts that can leave something open, there are always statements.
        #[test]
        fn harmless_torture(parts in prop::collection::vec(prop::sample::select(
            &["a", "1", "'b;'", "$$;'$$", "$a$;$$;$a$", "/* ;' */", "-- ;'\n", ";", "(;)", "é", " "][..]
        ), 0..40)) {
            let text = parts.join(" ");
            check(&text);
            let count = parts.split(|part| *part == ";").filter(|statement| {
                statement.iter().any(|part| !matches!(part.as_bytes(), [b'/' | b'-' | b' ', ..]))
            }).count();
            prop_assert_eq!(statements(&text).map(|s| s.len()), Ok(count));
        }
    }
}
