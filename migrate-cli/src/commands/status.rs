//! `status`: every migration and where it stands.

use migrate_postgres::{Migrator, Plan};

use crate::args::Status;
use crate::context::{self, Context};
use crate::exit::{Exit, Failure};
use crate::render::Standings;
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, typed: &Status) -> Result<Exit, Failure> {
    let source = context.source()?;
    let declared = context::set(&source)?;
    let place = context.place()?;
    let migrator = typed.target.apply(context.migrator(&source));
    let lines = migrator.status(&place.options).await?;
    let (notices, divergence) = match plan(&migrator, &place).await? {
        Ok(plan) => (plan.notices, None),
        Err(divergence) => (Vec::new(), Some(divergence)),
    };
    let exit = if divergence.is_some() { Exit::Diverged } else { Exit::Done };
    let database = place.to_string();
    let newest = declared.newest();
    let program = &context.program;
    context.output.result(&Standings { database, lines, notices, divergence, newest, program });
    Ok(exit)
}

/// The plan, or why there cannot be one.
async fn plan(migrator: &Migrator, place: &Place) -> Result<Result<Plan, String>, Failure> {
    match migrator.plan(&place.options).await {
        Ok(plan) => Ok(Ok(plan)),
        Err(error) if error.is_divergence() => Ok(Err(error.to_string())),
        Err(error) => Err(error.into()),
    }
}
