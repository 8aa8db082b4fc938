//! `init`: what a project needs to have migrations, as far as it is not there.
//!
//! Owns the order and what counts as being there. Nothing that exists is replaced, but for the `main.rs` that
//! cargo wrote and nobody has touched: a file gets the lines that it lacks, and where no place for them can be
//! found without understanding the file, they are told for the user to add.

use crate::args::Init;
use crate::context::Context;
use crate::exit::{Exit, Failure};

mod crates;
mod desk;
mod edit;
mod project;
mod texts;

use crates::Crates;
use desk::Desk;
use project::Project;

pub(crate) fn carry_out(context: &Context, init: &Init) -> Result<Exit, Failure> {
    let project = Project::find(context, init)?;
    let crates = Crates::find(init, &project)?;
    let mut desk = Desk::default();
    let is_new = folder(&mut desk, &project)?;
    build_script(&mut desk, &project)?;
    embedded(&mut desk, &project, is_new)?;
    dependencies(&mut desk, &project, &crates)?;
    xtask(&mut desk, &project, &crates)?;
    context.output.result(&desk.into_setup(project.next()));
    Ok(Exit::Done)
}

/// The folder, with a first migration where there is none. Was there none?
fn folder(desk: &mut Desk, project: &Project) -> Result<bool, Failure> {
    if project.has_migrations() {
        desk.keep(&project.folder);
        return Ok(false);
    }
    let version = super::new::next_version(0);
    for (ending, text) in [("", texts::FIRST), (".down", texts::FIRST_DOWN)] {
        let name = format!("{version}_create_customers{ending}.sql");
        desk.write(&project.folder.join(name), text)?;
    }
    Ok(true)
}

/// Without its line cargo does not notice that a file was added.
fn build_script(desk: &mut Desk, project: &Project) -> Result<(), Failure> {
    let line = texts::watch(&project.dir);
    let script = format!("fn main() {{\n    {line}\n}}\n");
    let add = |text: &str| edit::below(text, |row| row == "fn main() {", &format!("    {line}"));
    desk.file(&project.package.join("build.rs"), &line, &script, &line, add)
}

/// The derive and a test, in a module that the crate knows.
fn embedded(desk: &mut Desk, project: &Project, is_new: bool) -> Result<(), Failure> {
    if let Some(file) = project.embeds() {
        desk.keep(&file);
        return Ok(());
    }
    let require = is_new || project.has_every_way_back();
    desk.write(
        &project.package.join("src/migrations.rs"),
        &texts::module(&project.dir, require, is_new),
    )?;
    let root =
        project.package.join(if project.is_library() { "src/lib.rs" } else { "src/main.rs" });
    if edit::is_untouched_main(&root) {
        return desk.rewrite(&root, texts::MAIN, texts::MAIN_IS_NEW);
    }
    let line = if project.is_library() { "pub mod migrations;" } else { "mod migrations;" };
    desk.file(&root, line, line, line, |text| edit::module(text, line))
}

fn dependencies(desk: &mut Desk, project: &Project, crates: &Crates) -> Result<(), Failure> {
    let manifest = project.package.join("Cargo.toml");
    // Each goes to the top of its table: the last one stands first.
    let wanted = [
        ("[dependencies]", "tokio", texts::TOKIO.to_owned()),
        ("[dependencies]", "sqlx", texts::SQLX.to_owned()),
        ("[dependencies]", "migrate-postgres", crates.line("migrate-postgres", &project.package)),
        ("[dev-dependencies]", "migrate-testing", crates.line("migrate-testing", &project.package)),
    ];
    for (table, name, line) in wanted {
        desk.line(&manifest, table, &line, |text| edit::depends(text, name))?;
    }
    if edit::sqlx_is_another(&project.manifest()) {
        desk.tell(&manifest, texts::SQLX);
    }
    Ok(())
}

fn xtask(desk: &mut Desk, project: &Project, crates: &Crates) -> Result<(), Failure> {
    let at = |path: &str| project.root.join(path);
    let dependency = crates.line("migrate-cli", &at("xtask"));
    let manifest = texts::xtask_manifest(&dependency);
    let tell = format!("[dependencies]\n{dependency}");
    desk.file(&at("xtask/Cargo.toml"), "migrate-cli", &manifest, &tell, |_| None)?;
    let call = format!("migrate_cli::folder({:?}).main()", project.folder_below_root());
    let main = texts::xtask_main(&call);
    desk.file(&at("xtask/src/main.rs"), "migrate_cli::", &main, &call, |_| None)?;
    let config = at(".cargo/config.toml");
    let has_alias = |text: &str| edit::depends(text, "xtask");
    desk.line(&config, "[alias]", texts::ALIAS, has_alias)?;
    let member = "[workspace]\nmembers = [\"xtask\"]";
    desk.file(&at("Cargo.toml"), "\"xtask\"", member, member, |text| edit::member(text, "xtask"))
}
