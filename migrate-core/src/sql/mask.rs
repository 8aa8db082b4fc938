//! A statement to be shown, without its values. Owns what of a statement may hold a secret: literals and
//! comments. Must not know who looks at it.

use super::lexer::{Lexer, TokenKind};

/// The statement on one line, each literal as `?`, without comments, and cut where it becomes longer than `longest`
/// characters.
///
/// ```
/// use migrate_core::sql::mask::masked;
///
/// assert_eq!(masked("ALTER ROLE ada\n PASSWORD 'secret'", 60), "ALTER ROLE ada PASSWORD ?");
/// ```
#[must_use]
pub fn masked(statement: &str, longest: usize) -> String {
    let mut shown = String::new();
    let mut blank = false;
    for token in Lexer::new(statement) {
        let text = match token.kind {
            kind if kind.is_trivia() => {
                blank = true;
                continue;
            }
            // A string that the server cut has no end, and is one all the same.
            TokenKind::String | TokenKind::DollarString | TokenKind::Number => "?",
            _ => token.text(statement),
        };
        if blank && !shown.is_empty() {
            shown.push(' ');
        }
        shown.push_str(text);
        blank = false;
    }
    match shown.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", shown.get(..end).unwrap_or_default()),
        None => shown,
    }
}

#[cfg(test)]
mod tests {
    use super::masked;

    #[test]
    fn no_value_is_shown() {
        let secret = "/* s3cret */ SELECT E's3cret\\'', $$s3cret$$, 53, x'53' -- s3cret\n, 's3cret and no end";
        assert_eq!(masked(secret, 99), "SELECT ?, ?, ?, ? , ?");
        assert_eq!(masked("SELECT \"A b\" FROM t", 8), "SELECT \"…");
        assert_eq!(masked("", 8), "");
    }
}
