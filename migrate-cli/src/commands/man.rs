//! `man`: one page for each command.

use crate::args::{self, Man};
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::Files;

pub(crate) fn carry_out(context: &Context, typed: &Man) -> Result<Exit, Failure> {
    let dir = &typed.dir;
    let what = format!("write the manual pages to {}", dir.display());
    std::fs::create_dir_all(dir).map_err(Failure::file(&what))?;
    let mut all = args::command(&context.program);
    all.build();
    let names = all.get_subcommands().map(|command| format!("migrate-{}", command.get_name()));
    let names: Vec<String> = std::iter::once("migrate".to_owned()).chain(names).collect();
    clap_mangen::generate_to(all, dir).map_err(Failure::file(&what))?;
    let files = names.iter().map(|name| dir.join(format!("{name}.1")));
    context.output.result(&Files { files: files.collect() });
    Ok(Exit::Done)
}
