//! `run`: applies what is pending.

use crate::args::Run;
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::Done;

pub(crate) async fn carry_out(context: &Context, run: &Run) -> Result<Exit, Failure> {
    let source = context.source_to_run()?;
    if let Some(version) = run.to {
        known(version, &context::set(&source)?, [])?;
    }
    let place = context.place()?;
    context.output.aside(&format!("database: {place}"));
    let progress = context.output.progress();
    let migrator = run.waits.apply(run.target.apply(context.migrator(&source)));
    let migrator = migrator.observer(progress.clone());
    let done = match run.to {
        Some(version) => migrator.run_to(&place.options, version).await,
        None => migrator.run(&place.options).await,
    };
    progress.end();
    context.output.result(&Done {
        database: place.to_string(),
        report: &done?,
        participle: "applied",
    });
    Ok(Exit::Done)
}
