//! `completions`: what a shell has to know.
//!
//! A shell completes the words of a program, and `cargo xtask migrate` is not one: there, `migrate` becomes a
//! function of the shell that calls it, and is what is completed.

use clap_complete::Shell;

use crate::args::{self, Completions};
use crate::context::Context;
use crate::exit::{Exit, Failure};

pub(crate) fn carry_out(context: &Context, typed: &Completions) -> Result<Exit, Failure> {
    let is_program = !context.program.contains(' ');
    let name = if is_program { &context.program } else { "migrate" };
    let mut script = Vec::new();
    clap_complete::generate(typed.shell, &mut args::command(name), name, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    let function = if is_program { String::new() } else { function(typed.shell, &context.program) };
    context.output.raw(&with(typed.shell, &script, &function));
    Ok(Exit::Done)
}

fn function(shell: Shell, program: &str) -> String {
    match shell {
        Shell::Fish => format!("function migrate; {program} $argv; end\n"),
        Shell::PowerShell => format!("function migrate {{ {program} @args }}\n"),
        Shell::Elvish => format!("fn migrate {{|@words| {program} $@words }}\n"),
        _ => format!("migrate() {{ {program} \"$@\"; }}\n"),
    }
}

/// Zsh and PowerShell want their own first lines to be first.
fn with(shell: Shell, script: &str, function: &str) -> String {
    match shell {
        Shell::Zsh | Shell::PowerShell => format!("{script}\n{function}"),
        _ => format!("{function}{script}"),
    }
}
