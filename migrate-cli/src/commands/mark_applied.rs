//! `mark-applied`: somebody did by hand what a migration would do.

use migrate_core::MigrationId;

use crate::args::MarkApplied;
use crate::context::{self, Context};
use crate::exit::{Exit, Failure};
use crate::render::Recorded;

pub(crate) async fn carry_out(context: &Context, typed: &MarkApplied) -> Result<Exit, Failure> {
    let source = context.source()?;
    let id = MigrationId::new(typed.version, typed.phase);
    if context::set(&source)?.get(id).is_none() {
        let message = format!("failed to find {id}: it is not declared");
        return Err(Failure::usage(message, "Give version and phase as `status` shows them."));
    }
    let place = context.place()?;
    context.migrator(&source).mark_applied(&place.options, id, &typed.reason).await?;
    context.output.result(&Recorded {
        database: place.to_string(),
        recorded: vec![id],
        what: "recorded as applied, without running it",
    });
    Ok(Exit::Done)
}
