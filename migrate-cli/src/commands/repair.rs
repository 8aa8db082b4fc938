//! `repair`: takes the present text of edited migrations for the one that ran, after it has shown both.

use crate::args::Repair;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::Differences;

pub(crate) async fn carry_out(context: &Context, typed: &Repair) -> Result<Exit, Failure> {
    let source = context.source()?;
    let place = context.place()?;
    let migrator = context.migrator(&source);
    let database = place.to_string();
    let planned = migrator.plan_repair(&place.options).await?;
    if !planned.is_empty() {
        let shown =
            Differences { database: database.clone(), differences: &planned, repaired: false };
        context.output.beforehand(&shown);
        context
            .output
            .ask(typed.yes, &format!("Record the declared text as the one that ran on {place}?"))?;
    }
    let differences = migrator.repair(&place.options).await?;
    context.output.result(&Differences { database, differences: &differences, repaired: true });
    Ok(Exit::Done)
}
