//! `plan`: what `run` would do.

use crate::args::Plan;
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::Planned;

pub(crate) async fn carry_out(context: &Context, typed: &Plan) -> Result<Exit, Failure> {
    let source = context.source()?;
    let declared = context::set(&source)?;
    if let Some(version) = typed.to {
        known(version, &declared, [])?;
    }
    let place = context.place()?;
    let migrator = typed.target.apply(context.migrator(&source));
    let plan = match typed.to {
        Some(version) => migrator.plan_to(&place.options, version).await?,
        None => migrator.plan(&place.options).await?,
    };
    let planned = Planned::new(&place, &plan, &declared);
    context.output.result(&planned);
    Ok(Exit::Done)
}
