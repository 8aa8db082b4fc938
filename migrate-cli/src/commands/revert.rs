//! `revert`: takes migrations back, after it has shown which and how.

use std::collections::BTreeMap;

use migrate_core::{MigrationId, Set, TextOf, Version};
use migrate_postgres::{Migrator, Plan};

use crate::args::{Revert, Until};
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::{Done, Planned};
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, typed: &Revert) -> Result<Exit, Failure> {
    let source = context.source()?;
    let declared = context::set(&source)?;
    let place = context.place()?;
    let migrator = typed.waits.apply(context.migrator(&source));
    let to = until(&migrator, &place, &declared, typed.until).await?;
    let plan = migrator.plan_revert(&place.options, to).await?;
    if !plan.is_empty() {
        let mut shown = Planned::new(&place, &plan, &declared);
        shown.texts = texts_in_history(&migrator, &place, &plan).await?;
        context.output.beforehand(&shown);
        let many = plan.actions.len();
        let noun = if many == 1 { "migration" } else { "migrations" };
        context.output.ask(typed.yes, &format!("Revert {many} {noun} of {place}?"))?;
    }
    let progress = context.output.progress();
    let done = migrator.observer(progress.clone()).revert(&place.options, to).await;
    progress.end();
    context.output.result(&Done {
        database: place.to_string(),
        report: &done?,
        participle: "reverted",
        program: &context.program,
    });
    Ok(Exit::Done)
}

async fn until(
    migrator: &Migrator,
    place: &Place,
    declared: &Set,
    until: Until,
) -> Result<Option<Version>, Failure> {
    let Some(version) = until.to else { return Ok(None) };
    let lines = migrator.status(&place.options).await?;
    known(version, declared, lines.iter().map(|line| line.id.version))?;
    Ok(Some(version))
}

/// The ways back of those that nobody declares any more.
async fn texts_in_history(
    migrator: &Migrator,
    place: &Place,
    plan: &Plan,
) -> Result<BTreeMap<MigrationId, String>, Failure> {
    let mut texts = BTreeMap::new();
    for action in plan.actions.iter().filter(|action| action.text == TextOf::History) {
        let text = migrator.recorded_way_back(&place.options, action.id).await?;
        texts.extend(text.map(|text| (action.id, text)));
    }
    Ok(texts)
}
