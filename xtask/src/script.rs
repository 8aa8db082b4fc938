//! How a chore is another program: run at the root of the workspace, with its exit code as ours.

use std::ffi::OsString;
use std::io::Write;
use std::path::Path;
use std::process::{Command, ExitCode};

pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Runs a program that is on `PATH` or, where it has a slash, below the root.
pub(crate) fn run(program: &str, words: impl IntoIterator<Item = OsString>) -> ExitCode {
    run_with(program, words, |_| {})
}

/// The same, with something more for the program, such as a variable of its environment.
pub(crate) fn run_with(
    program: &str,
    words: impl IntoIterator<Item = OsString>,
    more: impl FnOnce(&mut Command),
) -> ExitCode {
    let path = if program.contains('/') { Path::new(ROOT).join(program) } else { program.into() };
    let mut command = Command::new(path);
    command.args(words).current_dir(ROOT);
    more(&mut command);
    match command.status() {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            ExitCode::from(code.unwrap_or(1))
        }
        Err(error) => say(&format!("failed to run {program}: {error}"), 1),
    }
}

/// What there is, and the exit code of those who typed something else.
pub(crate) fn usage(chores: &[(&str, &str)]) -> ExitCode {
    let lines = chores.iter().map(|(name, what)| format!("\n  cargo xtask {name:12} {what}"));
    say(&format!("chores:{}", lines.collect::<String>()), 2)
}

/// A line for whoever reads what came of it.
pub(crate) fn print(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}"); // with nobody to read it there is still the exit code
}

/// A line for whoever has to do something, and the exit code.
pub(crate) fn say(text: &str, code: u8) -> ExitCode {
    match writeln!(std::io::stderr(), "{text}") {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::FAILURE,
    }
}
