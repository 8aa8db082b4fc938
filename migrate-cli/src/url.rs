//! Which database: from what was typed, the environment or `.env`.
//!
//! Owns the search for the URL and what may be shown of it. A URL goes in, connect options come out; its text
//! is in no message, because it holds the password.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use sqlx::postgres::PgConnectOptions;

use crate::exit::Failure;

/// Where to connect, and what may be shown of it.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) options: PgConnectOptions,
    /// `in DATABASE_URL`
    pub(crate) found: String,
}

/// Where a URL was found.
enum Found {
    Argument,
    Environment,
    File(PathBuf),
}

const VARIABLE: &str = "DATABASE_URL";
const DIRECT: &str = "MIGRATE_DIRECT_URL";
const FORM: &str = "A URL has the form postgres://user@host:5432/database, with a colon and the password behind the user; \
    what is special in a password is written as its percent code, such as %2F for a slash.";

/// Finds the database.
pub(crate) fn find(typed: Option<&str>) -> Result<Place, Failure> {
    let (found, url) = match typed {
        Some(url) => (Found::Argument, url.to_owned()),
        None => match std::env::var(VARIABLE) {
            Ok(url) if !url.is_empty() => (Found::Environment, url),
            _ => from_file()?,
        },
    };
    let found = found.to_string();
    match read(&url) {
        Ok(options) => Ok(Place { options, found }),
        Err(problem) => {
            let message = format!("failed to read the database URL {found}: {problem}");
            Err(Failure::usage(message, FORM))
        }
    }
}

/// How to connect for work where that differs: from what was typed, the environment or `.env`.
pub(crate) fn find_direct(typed: Option<&str>) -> Result<Option<PgConnectOptions>, Failure> {
    let url = match (typed, std::env::var(DIRECT)) {
        (Some(url), _) => Some(url.to_owned()),
        (None, Ok(url)) if !url.is_empty() => Some(url),
        _ => match env_file()? {
            Some(file) => in_file(&file, DIRECT)?.0,
            None => None,
        },
    };
    let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(None) };
    let failed = |problem| {
        let message =
            format!("failed to read the URL for work (--direct-url, {DIRECT}): {problem}");
        Failure::usage(message, FORM)
    };
    read(&url).map(Some).map_err(failed)
}

/// The nearest `.env`, from here up.
fn env_file() -> Result<Option<PathBuf>, Failure> {
    let here = std::env::current_dir().map_err(Failure::file("find the current folder"))?;
    let files = here.ancestors().map(|folder| folder.join(".env"));
    Ok(files.into_iter().find(|file| file.is_file()))
}

fn from_file() -> Result<(Found, String), Failure> {
    let nowhere = |looked: String| {
        let help = format!("Pass --database-url, set {VARIABLE}, or write {VARIABLE}=… into .env.");
        Failure::usage(
            format!("failed to find the database: no --database-url, no {VARIABLE}, {looked}"),
            help,
        )
    };
    let here = std::env::current_dir().map_err(Failure::file("find the current folder"))?;
    let Some(file) = env_file()? else {
        return Err(nowhere(format!("and no .env in {} or above", here.display())));
    };
    match in_file(&file, VARIABLE)? {
        (Some(url), _) => Ok((Found::File(file), url)),
        (None, 0) => Err(nowhere(format!("and none in {}", file.display()))),
        (None, unread) => {
            let lines = if unread == 1 { "1 line".to_owned() } else { format!("{unread} lines") };
            Err(nowhere(format!("and none in {}, of which {lines} cannot be read", file.display())))
        }
    }
}

/// The first URL in the file, and how many lines cannot be read; their text may be secret.
fn in_file(file: &Path, variable: &str) -> Result<(Option<String>, usize), Failure> {
    let what = || format!("read {}", file.display());
    let entries = dotenvy::from_path_iter(file).map_err(|error| match error {
        dotenvy::Error::Io(error) => Failure::File { what: what(), error },
        _ => Failure::usage(format!("failed to {}", what()), "Write one NAME=value a line."),
    })?;
    let mut unread = 0;
    for entry in entries {
        match entry {
            Ok((name, url)) if name == variable => return Ok((Some(url), unread)),
            Ok(_) => {}
            Err(dotenvy::Error::Io(error)) => return Err(Failure::File { what: what(), error }),
            Err(_) => unread += 1,
        }
    }
    Ok((None, unread))
}

/// Connect options, or what is wrong with the URL in words that do not repeat it.
fn read(url: &str) -> Result<PgConnectOptions, String> {
    let rest = url.strip_prefix("postgres://").or_else(|| url.strip_prefix("postgresql://"));
    let rest = rest.ok_or("it does not begin with postgres://")?;
    // A slash, a question mark or a hash in a password ends the host: the rest would be taken for a
    // database, shown, and looked for on another server.
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let misplaced = path.split_once('/').is_some_and(|(_, database)| database.contains('@'));
    let cut_off = query.contains('@') && !path.contains('/');
    if misplaced || cut_off || rest.contains('#') {
        return Err(
            "the part before the @ has a character that must be written as its percent code"
                .to_owned(),
        );
    }
    PgConnectOptions::from_str(url).map_err(|error| reason(&error))
}

fn reason(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Configuration(error) => error.to_string(),
        error => error.to_string(),
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Found::Argument => f.write_str("in --database-url"),
            Found::Environment => write!(f, "in {VARIABLE}"),
            Found::File(file) => write!(f, "in {}", file.display()),
        }
    }
}

/// As people call it: database, server, user.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.options;
        let database = options.get_database().unwrap_or(options.get_username());
        write!(f, "{database} at ")?;
        match options.get_socket() {
            Some(socket) => write!(f, "{}", socket.display())?,
            None => write!(f, "{}:{}", options.get_host(), options.get_port())?,
        }
        write!(f, " as {}", options.get_username())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(url: &str) -> Place {
        Place { options: read(url).unwrap(), found: String::new() }
    }

    #[test]
    fn a_database_is_shown_without_its_password() {
        let shown = place("postgres://me:s3cret@db.example.com:5433/app?sslmode=require");
        assert_eq!(shown.to_string(), "app at db.example.com:5433 as me");
        let shown = place("postgresql:///app?host=/run/postgresql&user=me&password=s3cret");
        assert_eq!(shown.to_string(), "app at /run/postgresql as me");
    }

    #[test]
    fn a_url_that_is_wrong_is_not_repeated() {
        for url in [
            "s3cret",
            "mysql://me:s3cret@h/d",
            "postgres:/me:s3cret@h/d",
            "postgres://me:s3cret@h:port/d",
            "postgres://me:12/s3cret@h/d",
            "postgres://me:12?s3cret@h/d",
            "postgres://me:12#s3cret@h/d",
            "postgres://me:s3cret@h/d?port=x",
            "postgres://me:s3cret@h/d?sslmode=x",
            "postgres://me:s3cret@[h/d",
            "host=h password=s3cret",
        ] {
            let problem = read(url).err().unwrap_or_else(|| panic!("{url} is read"));
            assert!(!problem.contains("s3cret"), "{problem}");
        }
    }
}
