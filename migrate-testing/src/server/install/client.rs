//! Package managers as programs: how one is run, and what to repeat of its complaints.
//!
//! It must not know what any of them is asked for.

use std::io;
use std::process::{Command, Output, Stdio};

/// How the lines begin that say what went wrong; the others are decoration.
const COMPLAINTS: [&str; 4] = ["npm error ", "npm ERR! ", "ERROR: ", "E: "];
const LINES: usize = 4;

/// What the program wrote to its standard output, or a few lines of what it complained about.
pub(super) fn run(command: &mut Command) -> Result<String, String> {
    command.stdin(Stdio::null());
    let output = output(command).map_err(|error| format!("it cannot be run: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(complaint(&String::from_utf8_lossy(&output.stderr), &output.status.to_string()))
}

/// Tries again while somebody is just writing the program.
fn output(command: &mut Command) -> io::Result<Output> {
    for _ in 0..50 {
        match command.output() {
            Err(error) if error.kind() == io::ErrorKind::ExecutableFileBusy => {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            ended => return ended,
        }
    }
    command.output()
}

fn complaint(stderr: &str, status: &str) -> String {
    let lines: Vec<&str> = stderr.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let mut told: Vec<&str> = lines.iter().filter_map(|line| marked(line)).take(LINES).collect();
    if told.is_empty() {
        told = lines.iter().rev().take(LINES).rev().copied().collect();
    }
    if told.is_empty() { status.to_owned() } else { told.join("\n") }
}

fn marked(line: &str) -> Option<&str> {
    COMPLAINTS.iter().find_map(|mark| line.strip_prefix(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_is_told_in_a_few_lines() {
        let npm = "npm warn old\nnpm error code ENOTFOUND\nnpm error syscall getaddrinfo\n\
                   npm error errno ENOTFOUND\nnpm error network request failed\nnpm error log in /x\n";
        assert_eq!(
            complaint(npm, "exit 1"),
            "code ENOTFOUND\nsyscall getaddrinfo\nerrno ENOTFOUND\nnetwork request failed"
        );
        assert_eq!(complaint("WARNING: slow\nERROR: no such\n", "exit 1"), "no such");
        assert_eq!(complaint("a\nb\n\nc\nd\ne\n", "exit 1"), "b\nc\nd\ne");
        assert_eq!(complaint("\n", "exit status: 3"), "exit status: 3");
    }
}
