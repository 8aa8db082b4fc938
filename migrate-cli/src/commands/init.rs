//! `init`: what a project needs to have migrations, as far as it is not there.
//!
//! Nothing that exists is changed: what is missing in a file that is there is told, for the user to add.

use std::path::{Path, PathBuf};

use crate::args::Init;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::{Setup, ToDo};
use crate::workspace;

pub(crate) fn carry_out(context: &Context, _: &Init) -> Result<Exit, Failure> {
    let folder = context.folder();
    let mut desk = Desk { root: workspace::root(), written: vec![], kept: vec![], to_do: vec![] };
    desk.folder(&folder)?;
    desk.build_script(&folder)?;
    desk.xtask(&folder)?;
    let Desk { written, kept, to_do, .. } = desk;
    context.output.result(&Setup { written, kept, to_do, next: next(&folder, &context.program) });
    Ok(Exit::Done)
}

/// What was done so far.
struct Desk {
    root: PathBuf,
    written: Vec<PathBuf>,
    kept: Vec<PathBuf>,
    to_do: Vec<ToDo>,
}

impl Desk {
    fn folder(&mut self, folder: &Path) -> Result<(), Failure> {
        if folder.is_dir() {
            self.kept.push(folder.to_owned());
            return Ok(());
        }
        let what = format!("make {}", folder.display());
        std::fs::create_dir_all(folder).map_err(Failure::file(what))?;
        self.written.push(folder.to_owned());
        Ok(())
    }

    /// Without it cargo does not notice that a file was added. It belongs to the package beside the folder.
    fn build_script(&mut self, folder: &Path) -> Result<(), Failure> {
        let package = folder.parent().unwrap_or(Path::new(""));
        let name = folder.file_name().unwrap_or_default().to_string_lossy();
        let line = format!("println!(\"cargo::rerun-if-changed={name}\");");
        let script = package.join("build.rs");
        if has(&package.join("Cargo.toml"), "[package]") {
            return self.file(script, format!("fn main() {{\n    {line}\n}}\n"), &line, &line);
        }
        let file = PathBuf::from("build.rs, in the package that embeds the folder");
        self.to_do.push(ToDo { file, add: line });
        Ok(())
    }

    fn xtask(&mut self, folder: &Path) -> Result<(), Failure> {
        let alias = "[alias]\nxtask = \"run --quiet --package xtask --\"\n";
        let config = self.at(".cargo/config.toml");
        self.file(config, alias.to_owned(), "xtask =", alias)?;
        let version = env!("CARGO_PKG_VERSION");
        let manifest = format!("{MANIFEST}\n[dependencies]\nmigrate-cli = \"{version}\"\n");
        let dependency = format!("[dependencies]\nmigrate-cli = \"{version}\"");
        let file = self.at("xtask/Cargo.toml");
        self.file(file, manifest, "migrate-cli", &dependency)?;
        let call = format!("migrate_cli::folder({:?}).main()", self.below_root(folder));
        let main = format!("fn main() -> std::process::ExitCode {{\n    {call}\n}}\n");
        let file = self.at("xtask/src/main.rs");
        self.file(file, main, "migrate_cli::", &call)?;
        self.member()
    }

    fn member(&mut self) -> Result<(), Failure> {
        let file = self.at("Cargo.toml");
        if !has(&file, "xtask") {
            self.to_do.push(ToDo { file, add: "[workspace]\nmembers = [\"xtask\"]".to_owned() });
        }
        Ok(())
    }

    /// Writes a file that is not there; of one that is, says whether something is to be added.
    fn file(&mut self, file: PathBuf, text: String, mark: &str, add: &str) -> Result<(), Failure> {
        if file.exists() {
            if has(&file, mark) {
                self.kept.push(file);
            } else {
                self.to_do.push(ToDo { file, add: add.to_owned() });
            }
            return Ok(());
        }
        let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
        let made = folder.map_or(Ok(()), std::fs::create_dir_all);
        let written = made.and_then(|()| std::fs::write(&file, text));
        written.map_err(Failure::file(format!("write {}", file.display())))?;
        self.written.push(file);
        Ok(())
    }

    fn at(&self, path: &str) -> PathBuf {
        workspace::shown(&self.root.join(path))
    }

    fn below_root<'f>(&self, folder: &'f Path) -> &'f Path {
        folder.strip_prefix(&self.root).unwrap_or(folder)
    }
}

const MANIFEST: &str =
    "[package]\nname = \"xtask\"\nversion = \"0.0.0\"\nedition = \"2024\"\npublish = false\n";

fn has(file: &Path, mark: &str) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.contains(mark))
}

fn next(folder: &Path, program: &str) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    format!(
        "then write the first migration:\n    {program} new create_users\n\
         and embed the folder where the application starts:\n    \
         #[derive(migrate_postgres::Migrations)]\n    \
         #[migrations(dir = \"{name}\", down = \"require\")]\n    \
         struct AppMigrations;\n\n    \
         migrate_postgres::Migrator::new(AppMigrations).run(&pool).await?;"
    )
}
