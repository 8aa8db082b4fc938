//! A registry's client as a program: what it said, or why there is nothing.

use std::process::{Command, Stdio};

use crate::Result;

/// What it wrote; `package` is for the message, and `help` says how to come by the client.
pub(super) fn run(command: &mut Command, package: &str, help: &str) -> Result<String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| {
        format!("failed to fetch {package}: {program} cannot be run: {error}. {help}")
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.trim_end();
        return Err(format!("failed to fetch {package}: {program} says\n{said}").into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(command: &mut Command) -> String {
        run(command, "a 1.0.0", "Install it.").unwrap_err().to_string()
    }

    #[test]
    fn a_client_that_is_not_there_is_an_error_that_says_how_to_get_it() {
        let said = failure(&mut Command::new("no-such-client"));
        assert!(
            said.starts_with("failed to fetch a 1.0.0: no-such-client cannot be run: "),
            "{said}"
        );
        assert!(said.ends_with(". Install it."), "{said}");
    }

    #[test]
    fn what_a_client_complains_about_is_repeated() {
        let said = failure(Command::new("sh").args(["-c", "echo not found >&2; exit 1"]));
        assert_eq!(said, "failed to fetch a 1.0.0: sh says\nnot found");
    }
}
