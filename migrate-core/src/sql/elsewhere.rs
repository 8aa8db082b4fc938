//! A statement that is to be about other relations than it names. Owns which of its words are names with a schema
//! before them, and the word that keeps it out of a transaction. Must not know what becomes of it.

use super::lexer::{Lexer, Token, TokenKind};

/// A name with one before it, which may be a schema: `app.users`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Qualified {
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What stands before the point, folded as PostgreSQL does.
    pub schema: String,
    /// What stands behind it.
    pub name: String,
}

/// All that look like it, in order: `u.id` of a table under another name is among them.
///
/// ```
/// use migrate_core::sql::elsewhere::qualified;
///
/// let found = qualified("ALTER TABLE App.\"Users\" ADD x text DEFAULT 'a.b'");
/// assert_eq!((&*found[0].schema, &*found[0].name), ("app", "Users"));
/// assert_eq!(found.len(), 1);
/// ```
#[must_use]
pub fn qualified(text: &str) -> Vec<Qualified> {
    let tokens: Vec<Token> = Lexer::new(text).filter(|token| !token.kind.is_trivia()).collect();
    let (mut found, mut rest) = (Vec::new(), tokens.as_slice());
    while let [first, others @ ..] = rest {
        rest = others;
        let [point, second, behind @ ..] = others else { break };
        if point.text(text) != "." {
            continue;
        }
        if let (Some(schema), Some(name)) = (name(first, text), name(second, text)) {
            found.push(Qualified { start: first.start, end: second.end, schema, name });
            rest = behind;
        }
    }
    found
}

fn name(token: &Token, text: &str) -> Option<String> {
    let word = token.text(text);
    match token.kind {
        TokenKind::Word => Some(word.to_lowercase()),
        TokenKind::QuotedIdent => {
            Some(word.strip_prefix('"')?.strip_suffix('"')?.replace("\"\"", "\""))
        }
        _ => None,
    }
}

/// The same statement with other words in the place of some of its names.
#[must_use]
pub fn renamed(text: &str, other: impl Fn(usize, &Qualified) -> Option<String>) -> String {
    let (mut made, mut from) = (String::with_capacity(text.len()), 0);
    for (index, one) in qualified(text).iter().enumerate() {
        if let Some(other) = other(index, one) {
            made.push_str(text.get(from..one.start).unwrap_or_default());
            made.push_str(&other);
            from = one.end;
        }
    }
    made + text.get(from..).unwrap_or_default()
}

/// The first words of a statement, in capitals.
#[must_use]
pub fn first_words(text: &str, many: usize) -> Vec<String> {
    let tokens = Lexer::new(text).filter(|token| !token.kind.is_trivia()).take(many);
    tokens.map(|token| token.text(text).to_uppercase()).collect()
}

/// The statement without the word `CONCURRENTLY`, if it stands where it keeps a statement out of transactions: what it
/// does to an index is the same.
#[must_use]
pub fn without_concurrently(text: &str) -> Option<String> {
    let first = first_words(text, 1);
    if !matches!(first.first()?.as_str(), "CREATE" | "DROP" | "REINDEX" | "ALTER") {
        return None;
    }
    let is_it = |token: &Token| token.text(text).eq_ignore_ascii_case("CONCURRENTLY");
    let token = Lexer::new(text).find(|token| token.kind == TokenKind::Word && is_it(token))?;
    let (before, behind) = (text.get(..token.start)?, text.get(token.end..)?);
    Some(format!("{before}{behind}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_are_renamed() {
        let text = "UPDATE app.users u SET a = u.b, c = 'app.users' -- app.users\n FROM APP . roles WHERE app.users.id = 1.5";
        let made = renamed(text, |_, one| {
            (one.schema == "app").then(|| format!("elsewhere.{}", one.name))
        });
        let wanted = "UPDATE elsewhere.users u SET a = u.b, c = 'app.users' -- app.users\n FROM elsewhere.roles WHERE \
                      elsewhere.users.id = 1.5";
        assert_eq!(made, wanted);
        assert_eq!(renamed(text, |_, _| None), text);
    }

    #[test]
    fn what_may_not_be_in_a_transaction_has_a_form_that_may() {
        let of = |text| without_concurrently(text);
        assert_eq!(
            of("create index concurrently i on t (a)").as_deref(),
            Some("create index  on t (a)".replace("index  on", "index  i on").as_str())
        );
        assert_eq!(of("CREATE INDEX i ON t (a)"), None);
        assert_eq!(of("REFRESH MATERIALIZED VIEW CONCURRENTLY v"), None);
        assert_eq!(first_words(" /* a */ Alter\ttable t", 2), ["ALTER", "TABLE"]);
    }
}
