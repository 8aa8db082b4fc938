//! Writes the program that embeds the folders with the macros, and runs it.
//!
//! It lives in the target directory, outside the workspace, so that everything compiles where nothing was fetched.

use std::fmt::Write;
use std::process::ExitCode;

use crate::Result;
use crate::fetch::Found;
use crate::workspace::{Workspace, cargo};

/// Compiles and runs it; its exit code is ours.
pub(crate) fn run(
    workspace: &Workspace,
    found: &[Found],
    arguments: &[String],
) -> Result<ExitCode> {
    let folder = workspace.below("program");
    std::fs::create_dir_all(folder.join("src"))?;
    std::fs::write(folder.join("Cargo.toml"), manifest(workspace))?;
    std::fs::write(folder.join("src/main.rs"), text(found)?)?;
    // The same versions, so that what is compiled already is not compiled again.
    std::fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"))?;
    let mut program = cargo();
    program.args(["run", "--quiet", "--offline", "--target-dir"]).arg(&workspace.target).arg("--");
    let status = program.args(arguments).current_dir(&folder).status()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

fn manifest(workspace: &Workspace) -> String {
    let root = workspace.root.display();
    format!(
        "[package]\nname = \"real-folders\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
         [dependencies]\nmigrate-postgres = {{ path = \"{root}/migrate-postgres\", default-features = false }}\n\
         migrate-real = {{ path = \"{root}/tests/real\" }}\n\n\
         [profile.dev]\ndebug = \"line-tables-only\"\n"
    )
}

fn text(found: &[Found]) -> Result<String> {
    let (mut types, mut subjects) = (String::new(), String::new());
    for (number, Found { package, folder, path, prepared }) in found.iter().enumerate() {
        let dir = path.display().to_string();
        let options = "down = \"ignore\", build_script = \"ignore\"";
        writeln!(
            types,
            "#[derive(Migrations)]\n#[migrations(dir = {dir:?}, {options})]\nstruct Folder{number};\n"
        )?;
        writeln!(subjects, "        Subject {{")?;
        writeln!(
            subjects,
            "            package: {:?},\n            prepared: {prepared:?},",
            package.name
        )?;
        writeln!(subjects, "            folder: {folder:?},\n            dir: {dir:?},")?;
        writeln!(subjects, "            embedded: embed!({dir:?}, {options}),")?;
        writeln!(subjects, "            source: Folder{number}.source(),\n        }},")?;
    }
    Ok(format!(
        "//! Written by `cargo xtask real`.\n\nuse migrate_postgres::{{Migrations, embed}};\nuse migrate_real::Subject;\n\n\
         {types}fn main() -> std::process::ExitCode {{\n    migrate_real::check(&[\n{subjects}    ])\n}}\n"
    ))
}
