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
    let names = pages("migrate", &all);
    clap_mangen::generate_to(all, dir).map_err(Failure::file(&what))?;
    let files = names.iter().map(|name| dir.join(format!("{name}.1")));
    context.output.result(&Files { files: files.collect() });
    Ok(Exit::Done)
}

/// A command's page, and those of the commands below it.
fn pages(name: &str, command: &clap::Command) -> Vec<String> {
    let below = command.get_subcommands();
    let below = below.flat_map(|below| pages(&format!("{name}-{}", below.get_name()), below));
    std::iter::once(name.to_owned()).chain(below).collect()
}
