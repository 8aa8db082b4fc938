//! `mark-applied`: somebody did by hand what a migration would do.

use migrate_core::MigrationId;

use crate::args::MarkApplied;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::Recorded;

pub(crate) async fn carry_out(context: &Context, typed: &MarkApplied) -> Result<Exit, Failure> {
    let source = context.source()?;
    let place = context.place()?;
    let id = MigrationId::new(typed.version, typed.phase);
    context.migrator(&source).mark_applied(&place.options, id, &typed.reason).await?;
    context.output.result(&Recorded {
        database: place.to_string(),
        recorded: vec![id],
        what: "recorded as applied, without running it",
    });
    Ok(Exit::Done)
}
