//! `contract`: runs contracts whose gate is open; shows, or approves, what is known of a gate.

use migrate_postgres::{Gate, Migrator, Reason};

use crate::args::Contract;
use crate::context::Context;
use crate::exit::{Exit, Failure};
use crate::render::{Contracted, Gates};
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, typed: &Contract) -> Result<Exit, Failure> {
    let source = context.source_to_run()?;
    let place = context.place()?;
    let migrator = typed.evidence.apply(typed.waits.apply(context.migrator(&source)));
    let gates = match (&typed.approve, typed.version) {
        (Some(reason), Some(version)) => {
            vec![migrator.approve(&place.options, version, reason).await?]
        }
        _ => migrator.gates(&place.options, typed.version).await?,
    };
    if typed.explain || typed.approve.is_some() || gates.is_empty() {
        context.output.result(&shown(context, &place, &gates, typed));
        return Ok(Exit::Done);
    }
    run(context, &place, migrator, typed).await
}

fn shown<'g>(
    context: &'g Context,
    place: &Place,
    gates: &'g [Gate],
    typed: &Contract,
) -> Gates<'g> {
    let (database, program) = (place.to_string(), &*context.program);
    Gates { database, gates, program, approved: typed.approve.is_some(), asked: typed.version }
}

async fn run(
    context: &Context,
    place: &Place,
    migrator: Migrator,
    typed: &Contract,
) -> Result<Exit, Failure> {
    context.output.aside(&format!("database: {place}"));
    let progress = context.output.progress();
    let watched = migrator.clone().observer(progress.clone());
    let done = watched.contract(&place.options, typed.version).await;
    progress.end();
    let report = &done?;
    let mut gates = Vec::new();
    if report.deferred.iter().any(|deferred| deferred.reason == Reason::GateClosed) {
        gates = migrator.gates(&place.options, typed.version).await?;
        gates.retain(|gate| !gate.is_open());
    }
    let shown = shown(context, place, &gates, typed);
    context.output.result(&Contracted { report, gates: shown });
    // Who has named one wants to know whether it has run.
    let is_refused = typed.version.is_some() && report.applied.is_empty();
    Ok(if is_refused { Exit::Failed } else { Exit::Done })
}
