//! Keeps passwords out of what is printed.
//!
//! The last line of defence: nobody prints a URL on purpose, but the parser of the arguments repeats a URL
//! that was typed in the wrong place. Knows only what a password in a URL looks like.

/// The text, without what may be a password of a URL in it.
pub(crate) fn hide(text: &str) -> String {
    let words = text.split_inclusive(|c: char| c.is_whitespace() || c == '\'' || c == '"');
    words.map(|word| if may_hold_password(word) { hidden(word) } else { word.to_owned() }).collect()
}

fn may_hold_password(word: &str) -> bool {
    let before_host = word.split_once('@').map_or("", |(before, _)| before);
    let login = before_host.split_once("://").map_or(before_host, |(_, login)| login);
    login.contains(':') || word.contains("password=")
}

/// All of it goes: where the password ends in a URL that is not well-formed, nobody can tell.
fn hidden(word: &str) -> String {
    let end = word.chars().next_back().filter(|c| c.is_whitespace() || matches!(c, '\'' | '"'));
    format!("(hidden){}", end.map(String::from).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::hide;

    #[test]
    fn a_url_with_a_password_is_hidden_whole() {
        for (text, expected) in [
            ("unexpected 'postgres://u:pw@h/d' found\n", "unexpected '(hidden)' found\n"),
            ("postgres:u:pw@h", "(hidden)"),
            ("at u:pw@h", "at (hidden)"),
            ("x postgres://h/d?password=pw y", "x (hidden) y"),
            ("host=h password=pw", "host=h (hidden)"),
            ("as postgres://user@host:5432/db", "as postgres://user@host:5432/db"),
            ("m/1_a.sql:3:8 at 12:00, a@b.example", "m/1_a.sql:3:8 at 12:00, a@b.example"),
        ] {
            assert_eq!(hide(text), expected);
        }
    }
}
