//! The text of connection URLs.
//!
//! It must not know where the parts come from. A URL that the user gave is cut and pasted, never
//! rebuilt, so that parameters unknown to us survive.

use std::fmt::Write as _;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A URL for a Unix socket that libpq and sqlx both understand: the directory is a parameter.
pub(super) fn of_socket(dir: &Path, port: u16, database: &str) -> String {
    let database = encoded(database.as_bytes());
    let dir = encoded(dir.as_os_str().as_bytes());
    format!("postgres://postgres@localhost:{port}/{database}?host={dir}&sslmode=disable")
}

/// `url` with another database in it.
pub(super) fn with_database(url: &str, database: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let authority = address.find("://").map_or(0, |at| at + 3);
    let end = address.get(authority..).and_then(|rest| rest.find('/'));
    let server = end.and_then(|at| address.get(..authority + at)).unwrap_or(address);
    let kept: Vec<&str> =
        query.split('&').filter(|one| !one.is_empty() && !one.starts_with("dbname=")).collect();
    let question = if kept.is_empty() { "" } else { "?" };
    format!("{server}/{}{question}{}", encoded(database.as_bytes()), kept.join("&"))
}

/// `url` as it can be shown: whoever connects is asked, or has it in the environment.
pub(super) fn without_password(url: &str) -> String {
    let (address, query) = url.split_once('?').unwrap_or((url, ""));
    let start = address.find("://").map_or(0, |at| at + 3);
    let (scheme, rest) = address.split_at_checked(start).unwrap_or(("", address));
    let (authority, path) =
        rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let shown = match authority.rsplit_once('@') {
        Some((user, host)) => format!("{}@{host}", user.split(':').next().unwrap_or_default()),
        None => authority.to_owned(),
    };
    let kept: Vec<&str> =
        query.split('&').filter(|one| !one.is_empty() && !one.starts_with("password=")).collect();
    let question = if kept.is_empty() { "" } else { "?" };
    format!("{scheme}{shown}{path}{question}{}", kept.join("&"))
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, &byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(char::from(byte));
        } else {
            let _ = write!(text, "%{byte:02X}"); // writing to a String cannot fail
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_a_parameter() {
        assert_eq!(
            of_socket(Path::new("/dev/shm/x"), 5432, "a b"),
            "postgres://postgres@localhost:5432/a%20b?host=%2Fdev%2Fshm%2Fx&sslmode=disable"
        );
    }

    #[test]
    fn a_password_is_not_shown() {
        for (url, expected) in [
            ("postgres://u:p:q@h:1/d?a=b&password=p", "postgres://u@h:1/d?a=b"),
            ("postgres://u@h/d", "postgres://u@h/d"),
            ("postgres://h", "postgres://h"),
            ("postgres:///d?host=/tmp", "postgres:///d?host=/tmp"),
        ] {
            assert_eq!(without_password(url), expected);
        }
    }

    #[test]
    fn another_database_leaves_the_rest_alone() {
        for (url, expected) in [
            (
                "postgres://u:p@h:1/old?sslmode=require&x=y",
                "postgres://u:p@h:1/n?sslmode=require&x=y",
            ),
            ("postgres://u@h", "postgres://u@h/n"),
            ("postgres://u@h?x=/y", "postgres://u@h/n?x=/y"),
            ("postgres:///old?dbname=other&host=/tmp", "postgres:///n?host=/tmp"),
        ] {
            assert_eq!(with_database(url, "n"), expected);
        }
    }
}
