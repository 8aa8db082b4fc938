//! What the program tells its caller: the exit codes, and every way in which a command fails.
//!
//! The one place that knows which failure has which code; `exit_codes.md` beside it says the same to readers,
//! and a test holds the two together.

use std::fmt;
use std::process::ExitCode;

use migrate_postgres::{Error, Problem};

/// What the caller gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Done = 0,
    Failed = 1,
    Usage = 2,
    Pending = 3,
    Diverged = 4,
    Found = 5,
}

impl Exit {
    pub(crate) const ALL: [Exit; 6] =
        [Exit::Done, Exit::Failed, Exit::Usage, Exit::Pending, Exit::Diverged, Exit::Found];

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    /// As the help says it.
    fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done, or nothing to do",
            Exit::Failed => "failed: refused, not reached, or answered with no",
            Exit::Usage => "usage: arguments, URL or a file of the folder",
            Exit::Pending => "check only: migrations are pending",
            Exit::Diverged => "diverged: database and declared migrations disagree",
            Exit::Found => "lint, rehearse: errors were found",
        }
    }

    /// The list below the help.
    pub(crate) fn help() -> String {
        let codes = Exit::ALL.map(|exit| format!("\n  {}  {}", exit.code(), exit.meaning()));
        format!("Exit codes:{}", codes.concat())
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

const CONNECT: &str = "connect";

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(crate) enum Failure {
    /// What was typed, or found where it was typed to look: a fragment, and what to do as a sentence.
    Usage { message: String, help: String },
    /// Files that are no migrations.
    Folder(Vec<Problem>),
    /// What the library says.
    Database(Box<Error>),
    /// What a server says that only the command line has asked: "failed to {what}".
    Server { what: &'static str, error: sqlx::Error },
    /// The file system.
    File { what: String, error: std::io::Error },
    /// Somebody ended it from the keyboard.
    Interrupted { now: &'static str, next: String },
    /// The question was answered with no.
    Declined,
}

impl Failure {
    pub(crate) fn usage(message: impl Into<String>, help: impl Into<String>) -> Self {
        Failure::Usage { message: message.into(), help: help.into() }
    }

    /// "failed to {what}".
    pub(crate) fn file(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |error| Failure::File { what, error }
    }

    /// "failed to {what}".
    pub(crate) fn server(what: &'static str) -> impl Fn(sqlx::Error) -> Self {
        move |error| Failure::Server { what, error }
    }

    pub(crate) fn connection(error: sqlx::Error) -> Self {
        Failure::Server { what: CONNECT, error }
    }

    /// Was no database reached?
    pub(crate) fn is_connection(&self) -> bool {
        match self {
            Failure::Database(error) => error.is_connection(),
            Failure::Server { what, .. } => *what == CONNECT,
            _ => false,
        }
    }

    /// The server's code, where it was the server that refused.
    pub(crate) fn sqlstate(&self) -> Option<String> {
        match self {
            Failure::Database(error) => error.sqlstate().map(ToOwned::to_owned),
            Failure::Server { error, .. } => code(error),
            _ => None,
        }
    }

    pub(crate) fn exit(&self) -> Exit {
        match self {
            Failure::Usage { .. } | Failure::Folder(_) => Exit::Usage,
            Failure::Database(error) if error.is_divergence() => Exit::Diverged,
            Failure::Database(_)
            | Failure::Server { .. }
            | Failure::File { .. }
            | Failure::Interrupted { .. }
            | Failure::Declined => Exit::Failed,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure::Database(Box::new(error))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failure::Usage { message, help } => write!(f, "{message}\n  next: {help}"),
            Failure::Folder(problems) => {
                write!(f, "failed to read the migrations")?;
                problems.iter().try_for_each(|problem| write!(f, "\n{problem}"))
            }
            Failure::Database(error) => error.fmt(f),
            Failure::Server { what, error } => write!(f, "failed to {what}: {}", said(error)),
            Failure::File { what, error } => write!(f, "failed to {what}: {error}"),
            Failure::Interrupted { now, next } => {
                write!(f, "failed to finish: it was interrupted\n  now: {now}\n  next: {next}")
            }
            Failure::Declined => f.write_str("nothing was changed"),
        }
    }
}

fn code(error: &sqlx::Error) -> Option<String> {
    Some(error.as_database_error()?.code()?.into_owned())
}

/// What a server said, with its code; else what was in the way.
fn said(error: &sqlx::Error) -> String {
    match (error.as_database_error(), code(error)) {
        (Some(told), Some(code)) => format!("{} (SQLSTATE {code})", told.message()),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_codes_are_the_ones_that_are_used() {
        let page = include_str!("exit_codes.md");
        let documented: Vec<_> = page
            .lines()
            .filter_map(|line| line.strip_prefix("| ")?.split_once(" | "))
            .filter_map(|(code, meaning)| Some((code.parse::<u8>().ok()?, meaning)))
            .collect();
        assert_eq!(documented.len(), Exit::ALL.len());
        for (exit, (code, meaning)) in Exit::ALL.into_iter().zip(documented) {
            assert_eq!(exit.code(), code);
            let word = exit.meaning().split([',', ':', ' ']).next().unwrap();
            assert!(meaning.contains(word), "{meaning:?} does not speak of {word:?}");
        }
    }
}
