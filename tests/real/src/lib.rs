//! Migration folders that other people wrote: migrate must make of them what psql makes of them.
//!
//! Nothing of theirs is committed. [`main`] lets cargo, npm and pip fetch the packages (`packages`, `fetch`),
//! numbers files that only the package itself can run (`prepare`), writes a program that embeds the folders with the
//! macros (`program`), and runs it; that program calls [`check`], which puts
//! each folder (`subject`) on a database by psql and by migrate (`cluster`, `clients`, `dump`), there, back and there
//! again (`story`), and says what came of it (`table`, `page`, `counts`).
//!
//! | argument | |
//! |---|---|
//! | none | check, and write `docs/real-folders.md` |
//! | `--check` | check, and fail when `docs/real-folders.md` says something else |
//! | `--prove` | give psql a statement more than migrate gets, and fail unless that is found out for every folder |

use std::error::Error;
use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

mod clients;
mod cluster;
mod counts;
mod dump;
mod fetch;
mod folder;
mod packages;
mod page;
mod prepare;
mod program;
mod story;
mod subject;
mod synapse;
mod table;
mod workspace;

pub use folder::Folder;
pub use subject::Subject;

/// Whatever went wrong, in words.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wish {
    Write,
    Check,
    Prove,
}

impl Wish {
    fn parse(arguments: &[String]) -> Option<Self> {
        match arguments {
            [] => Some(Wish::Write),
            [one] if one == "--check" => Some(Wish::Check),
            [one] if one == "--prove" => Some(Wish::Prove),
            _ => None,
        }
    }
}

/// Fetches the packages, and checks what is in them in a program that embeds it.
pub fn main(arguments: impl Iterator<Item = String>) -> ExitCode {
    let arguments: Vec<String> = arguments.collect();
    if Wish::parse(&arguments).is_none() {
        return usage();
    }
    fetched_and_run(&arguments).unwrap_or_else(|error| failed(&*error))
}

fn fetched_and_run(arguments: &[String]) -> Result<ExitCode> {
    let workspace = workspace::Workspace::ask()?;
    let found = fetch::folders(&workspace)?;
    program::run(&workspace, &found, arguments)
}

/// The folder of a package of the list that cargo fetches, for other tests to copy from: nothing of it is committed.
///
/// # Errors
/// When it cannot be fetched, or is not what the list says.
pub fn folder_of(package: &str) -> std::result::Result<PathBuf, Box<dyn Error>> {
    fetch::first_folder(&workspace::Workspace::ask()?, package)
}

/// Every folder that was fetched, for tests that read the files: those that [`main`] runs, and one more that only its
/// own program can run.
///
/// # Errors
/// When a package cannot be fetched, or is not what the list says.
pub fn folders() -> std::result::Result<Vec<Folder>, Box<dyn Error>> {
    folder::all(&workspace::Workspace::ask()?)
}

/// Checks folders that are embedded; what [`main`] has written calls it.
pub fn check(subjects: &[Subject]) -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(wish) = Wish::parse(&arguments) else { return usage() };
    match checked(subjects, wish) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&*error),
    }
}

fn checked(subjects: &[Subject], wish: Wish) -> Result<bool> {
    let cluster = cluster::Cluster::start()?;
    let mut rows = Vec::new();
    for subject in subjects {
        let row = story::tell(&cluster, subject, wish == Wish::Prove)?;
        say(&table::line(&row))?;
        row.failures.iter().try_for_each(|failure| say(&format!("    {failure}")))?;
        rows.push(row);
    }
    if wish == Wish::Prove {
        return table::all_found_out(&rows);
    }
    if rows.iter().any(|row| !row.failures.is_empty()) {
        return Ok(false);
    }
    let file = workspace::root().join("docs/real-folders.md");
    match wish {
        Wish::Check => page::is_fresh(&file, &rows, cluster.major()),
        _ => page::write(&file, &rows, cluster.major()),
    }
}

fn usage() -> ExitCode {
    failed(&*Box::<dyn Error>::from("usage: real [--check | --prove]"));
    ExitCode::from(2)
}

fn failed(error: &dyn Error) -> ExitCode {
    // With nobody to tell there is still the exit code.
    let _ = writeln!(std::io::stderr(), "{error}");
    ExitCode::FAILURE
}

pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}
