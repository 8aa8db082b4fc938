//! The program: from what was typed to an exit code.
//!
//! Owns the two ways to make one and the runtime that commands run in. What a command does stands in
//! `commands`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use migrate_postgres::{Migrations, Migrator};

use crate::args::{self, Typed};
use crate::context::{Context, Origin};
use crate::exit::{Exit, Failure};
use crate::render::Output;
use crate::url;
use crate::{commands, render};

/// The commands for the migrations of a project. See [`folder`] and [`embedded`].
#[must_use = "call `main`"]
pub struct CommandLine {
    origin: Origin,
    configure: Box<dyn Fn(Migrator) -> Migrator>,
}

/// For a folder of SQL files, read when a command runs. A relative path starts at the root of the workspace
/// when cargo runs the program, else where the user stands.
///
/// Migrations in Rust are not in a folder. Those that the history names are not called missing; to run them,
/// see [`embedded`].
pub fn folder(path: impl Into<PathBuf>) -> CommandLine {
    CommandLine::new(Origin::Folder(path.into()))
}

/// For the migrations that are part of this program, those in Rust too.
pub fn embedded(migrations: impl Migrations) -> CommandLine {
    CommandLine::new(Origin::Embedded(Box::new(migrations.source())))
}

impl CommandLine {
    fn new(origin: Origin) -> Self {
        Self { origin, configure: Box::new(|migrator| migrator) }
    }

    /// How the application makes its migrator, so that nobody has to type `--schema` or `--set` to mean the
    /// same history. What is typed wins.
    ///
    /// ```no_run
    /// # fn main() -> std::process::ExitCode {
    /// migrate_cli::folder("migrations").migrator(|migrator| migrator.schema("ops")).main()
    /// # }
    /// ```
    pub fn migrator(mut self, configure: impl Fn(Migrator) -> Migrator + 'static) -> Self {
        self.configure = Box::new(configure);
        self
    }

    /// Runs what was typed. The word `migrate` in front of the command is passed over, so that an xtask may be
    /// called `cargo xtask migrate run`.
    pub fn main(self) -> ExitCode {
        self.run(std::env::args_os())
    }

    /// Runs these words, the first of which is the program's name; for an xtask that has other chores too.
    pub fn run(self, words: impl IntoIterator<Item = OsString>) -> ExitCode {
        let (program, words) = program(words.into_iter().collect());
        let color = args::color_of(&words);
        match Typed::read(&program, words) {
            Ok(typed) => self.carry_out(program, typed).into(),
            Err(told) => render::usage(&told, color).into(),
        }
    }

    fn carry_out(self, program: String, typed: Typed) -> Exit {
        let Self { origin, configure } = self;
        let output = Output::new(typed.wants_json(), typed.common.color);
        let common = typed.common;
        let direct = url::find_direct(common.direct_url.as_deref());
        let mut context = Context { program, origin, configure, common, direct: None, output };
        let done = direct.and_then(|direct| {
            context.direct = direct;
            runtime()?.block_on(commands::carry_out(&context, &typed.command))
        });
        done.unwrap_or_else(|failure| {
            let place = failure.is_connection().then(|| context.place().ok()).flatten();
            let database = place.map(|place| format!("{place}, named {}", place.found));
            context.output.failure(&failure, database.as_deref());
            failure.exit()
        })
    }
}

/// With threads, because the migrations of an application are code that may want them.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Failure::file("start a runtime"))
}

/// What to call the program, and the words that are for us.
fn program(mut words: Vec<OsString>) -> (String, Vec<OsString>) {
    let first = if words.is_empty() { OsString::new() } else { words.remove(0) };
    let stem = Path::new(&first).file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let mut name = if stem == "xtask" { "cargo xtask".to_owned() } else { stem };
    if words.first().is_some_and(|word| word == "migrate") {
        words.remove(0);
        name += " migrate";
    }
    (name, words)
}

#[cfg(test)]
mod tests {
    use super::program;

    #[test]
    fn the_word_migrate_in_front_is_passed_over() {
        let program = |words: &[&str]| program(words.iter().map(Into::into).collect());
        let run = vec!["run".into()];
        let of = |name: &str| (name.to_owned(), run.clone());
        assert_eq!(program(&["target/debug/xtask", "migrate", "run"]), of("cargo xtask migrate"));
        assert_eq!(program(&["xtask", "run"]), of("cargo xtask"));
        assert_eq!(program(&["/usr/bin/migrate", "run"]), of("migrate"));
        assert_eq!(program(&[]), (String::new(), vec![]));
    }
}
