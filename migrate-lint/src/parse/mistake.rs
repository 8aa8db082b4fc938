//! What is no SQL, in our own words.
//!
//! Owns the words and what somebody may have meant. Of what the parser says only the place and a word or two are
//! used: its messages are for those who write the parser.

use migrate_core::nearest;
use migrate_core::sql::lexer::{Lexer, Token, TokenKind};

/// The first thing in a statement that is no SQL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Where it is, in bytes from the beginning of the statement.
    pub offset: usize,
    /// What is wrong.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl Mistake {
    /// Makes our words of a place and what the parser says of it.
    pub(super) fn new(text: &str, offset: usize, parser: &str) -> Self {
        let mut tokens = tokens(text).skip_while(|token| token.end <= offset).peekable();
        let at_the_beginning = parser.starts_with("expected command") && offset == 0;
        // `CREATE TABEL`: the parser gives up on the whole, the reader looks for the second word.
        if at_the_beginning && tokens.peek().is_some_and(|token| is_command(token.text(text))) {
            tokens.next();
        }
        // PostgreSQL finds out behind it.
        if parser == "unexpected trailing comma" {
            tokens.next();
        }
        match tokens.next() {
            None => Self::at_the_end(text, parser),
            Some(token) => Self::unexpected(text, token, parser),
        }
    }

    /// A word that cannot be a name.
    pub(super) fn reserved(word: &str, offset: usize) -> Self {
        let shown: String = word.chars().take(40).collect();
        Self {
            offset,
            message: format!("syntax error at `{shown}`"),
            help: format!("To use it as a name, write \"{}\".", word.to_ascii_lowercase()),
        }
    }

    fn at_the_end(text: &str, parser: &str) -> Self {
        let message = match expected(parser) {
            Some(expected) => format!("the statement ends where `{expected}` is expected"),
            None => "the statement ends too early".to_owned(),
        };
        Self { offset: text.len(), message, help: "Complete it.".to_owned() }
    }

    fn unexpected(text: &str, token: Token, parser: &str) -> Self {
        let word = token.text(text);
        let upper = word.to_ascii_uppercase();
        let expected = expected(parser);
        let first = expected.as_deref().filter(|e| e.chars().all(|c| c.is_ascii_uppercase()));
        let known = first.into_iter().chain(WORDS);
        let meant = nearest(&upper, known).filter(|_| may_be_misspelt(token, &upper));
        let help = match (meant, &expected) {
            (Some(meant), _) => format!("Did you mean `{meant}`?"),
            (None, Some(expected)) => format!("PostgreSQL expects `{expected}` here."),
            (None, None) if parser.starts_with("Missing semicolon") => {
                "A `;` is missing before it.".to_owned()
            }
            (None, None) if is_reserved(&upper) => {
                format!("To use it as a name, write \"{}\".", word.to_ascii_lowercase())
            }
            (None, None) => "Look at this word and at what stands before it.".to_owned(),
        };
        let shown: String = word.chars().take(40).collect();
        Self { offset: token.start, message: format!("syntax error at `{shown}`"), help }
    }
}

fn tokens(text: &str) -> impl Iterator<Item = Token> {
    Lexer::new(text).filter(|token| !token.kind.is_trivia())
}

fn is_command(word: &str) -> bool {
    ["CREATE", "ALTER", "DROP"].iter().any(|command| word.eq_ignore_ascii_case(command))
}

/// The word or sign that the parser would have liked.
fn expected(parser: &str) -> Option<String> {
    let name = parser.strip_prefix("expected ")?.split(',').next()?;
    let sign = match name {
        "R_PAREN" => ")",
        "L_PAREN" => "(",
        "R_BRACK" => "]",
        "EQ" => "=",
        "DOT" => ".",
        _ => return name.strip_suffix("_KW").map(ToOwned::to_owned),
    };
    Some(sign.to_owned())
}

/// A letter or two are near to everything.
fn may_be_misspelt(token: Token, upper: &str) -> bool {
    token.kind == TokenKind::Word && upper.len() > 2 && !WORDS.contains(&upper)
}

fn is_reserved(upper: &str) -> bool {
    ["ORDER", "USER", "GROUP", "TABLE", "END", "LIMIT", "CHECK", "DEFAULT", "OFFSET", "ALL", "DESC"]
        .contains(&upper)
}

/// Words that people misspell.
const WORDS: [&str; 84] = [
    "ADD",
    "ALTER",
    "ANALYZE",
    "BEGIN",
    "BIGINT",
    "BOOLEAN",
    "CALL",
    "CASCADE",
    "CHECK",
    "COLUMN",
    "COMMENT",
    "COMMIT",
    "CONCURRENTLY",
    "CONSTRAINT",
    "COPY",
    "CREATE",
    "DEFAULT",
    "DELETE",
    "DISTINCT",
    "DO",
    "DOMAIN",
    "DROP",
    "ENUM",
    "EXECUTE",
    "EXISTS",
    "EXTENSION",
    "FOREIGN",
    "FROM",
    "FUNCTION",
    "GRANT",
    "GROUP",
    "INDEX",
    "INSERT",
    "INTEGER",
    "INTO",
    "JOIN",
    "KEY",
    "LIMIT",
    "LOCK",
    "MATERIALIZED",
    "MERGE",
    "NOT",
    "NULL",
    "ON",
    "OR",
    "ORDER",
    "POLICY",
    "PRIMARY",
    "PROCEDURE",
    "REFERENCES",
    "REFRESH",
    "REINDEX",
    "RENAME",
    "REPLACE",
    "RESET",
    "RETURNING",
    "REVOKE",
    "ROLLBACK",
    "SCHEMA",
    "SELECT",
    "SEQUENCE",
    "SET",
    "TABLE",
    "TEMPORARY",
    "TEXT",
    "TIMESTAMP",
    "TO",
    "TRIGGER",
    "TRUNCATE",
    "TYPE",
    "UNION",
    "UNIQUE",
    "UNLOGGED",
    "UPDATE",
    "USING",
    "VACUUM",
    "VALIDATE",
    "VALID",
    "VALUES",
    "VARCHAR",
    "VIEW",
    "WHERE",
    "WITH",
    "WITHOUT",
];

#[cfg(test)]
mod tests {
    use crate::parse::statement;

    /// Where the caret stands is marked by the word behind it.
    #[test]
    fn a_mistake_points_at_the_word_and_names_what_was_meant() {
        for (text, at, help) in [
            ("CREATE TABEL users (id int)", "TABEL", "`TABLE`"),
            ("selct 1", "selct", "`SELECT`"),
            ("insert into users vales (1)", "vales", "`VALUES`"),
            ("update users sett a = 1", "a", "`SET`"),
            ("drop table users cascad", "cascad", "`CASCADE`"),
            ("create table t (a int nott null)", "nott", "`NOT`"),
            ("create table t (a int primry key)", "primry", "`PRIMARY`"),
            ("alter table t alter a set not nul", "nul", "`NULL`"),
            ("create index on users a", "a", "`(`"),
            ("create table order (a int)", "order", "\"order\""),
            ("create table t (a int,)", ")", "before"),
            ("create table t (a int) create table u (a int)", "create", "`;` is missing"),
        ] {
            let mistake = statement(text).unwrap_err();
            let rest = text.get(mistake.offset..).unwrap();
            assert!(rest.starts_with(at), "{text}: {rest}");
            assert!(mistake.message.contains(at), "{text}: {}", mistake.message);
            assert!(mistake.help.contains(help), "{text}: {}", mistake.help);
        }
    }

    #[test]
    fn a_statement_may_end_too_early() {
        for (text, words) in [
            ("create table t (a int", "the statement ends where `)` is expected"),
            ("select 1 from", "the statement ends too early"),
        ] {
            let mistake = statement(text).unwrap_err();
            assert_eq!((mistake.offset, &*mistake.message), (text.len(), words));
        }
    }

    /// The parser does not know it; PostgreSQL does.
    #[test]
    fn set_names_is_sql() {
        assert!(statement("SET NAMES 'utf8'").is_ok());
    }
}
