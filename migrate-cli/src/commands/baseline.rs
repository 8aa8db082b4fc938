//! `baseline`: the database had all of it before.

use crate::args::Baseline;
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::Recorded;

pub(crate) async fn carry_out(context: &Context, typed: &Baseline) -> Result<Exit, Failure> {
    let source = context.source()?;
    known(typed.version, &context::set(&source)?, [])?;
    let place = context.place()?;
    let recorded = context.migrator(&source).baseline(&place.options, typed.version).await?;
    context.output.result(&Recorded {
        database: place.to_string(),
        recorded,
        what: "recorded as applied, without running it",
    });
    Ok(Exit::Done)
}
