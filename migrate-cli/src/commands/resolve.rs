//! `resolve`: somebody looked what became of a statement that was cut short.

use migrate_core::MigrationId;
use migrate_postgres::Resolution;

use crate::args::Resolve;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::Recorded;

pub(crate) async fn carry_out(context: &Context, typed: &Resolve) -> Result<Exit, Failure> {
    let source = context.source()?;
    let place = context.place()?;
    let id = MigrationId::new(typed.version, typed.phase);
    let (resolution, what) = match typed.became.done {
        true => (Resolution::Done, "recorded: the statement took effect; `run` goes on behind it"),
        false => {
            (Resolution::Redo, "recorded: the statement did not take effect; `run` does it again")
        }
    };
    context.migrator(&source).resolve(&place.options, id, resolution).await?;
    context.output.result(&Recorded { database: place.to_string(), recorded: vec![id], what });
    Ok(Exit::Done)
}
