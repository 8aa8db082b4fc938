//! `check`: is anything pending? The exit code tells.

use crate::args::Check;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::Pending;

pub(crate) async fn carry_out(context: &Context, check: &Check) -> Result<Exit, Failure> {
    let source = context.source()?;
    let place = context.place()?;
    let migrator = check.target.apply(context.migrator(&source));
    let plan = migrator.plan(&place.options).await?;
    let up_to_date = plan.is_empty();
    context.output.result(&Pending { database: place.to_string(), up_to_date, plan: &plan });
    Ok(if up_to_date { Exit::Done } else { Exit::Pending })
}
