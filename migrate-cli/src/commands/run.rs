//! `run`: applies what is pending.

use migrate_postgres::{Error, Migrator, Plan, Recorder};

use crate::args::Run;
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::{Done, ReportFile, Reported};
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, run: &Run) -> Result<Exit, Failure> {
    let source = context.source_to_run()?;
    if let Some(version) = run.to {
        known(version, &context::set(&source)?, [])?;
    }
    let place = context.place()?;
    let file = run.report.as_deref().map(ReportFile::create).transpose()?;
    context.output.aside(&format!("database: {place}"));
    let progress = context.output.progress();
    let migrator = run.waits.apply(run.target.apply(context.migrator(&source)));
    let plan = match &file {
        Some(_) => plan(&migrator, &place, run).await.ok(), // what is in its way, the run meets too
        None => None,
    };
    let recorder = file.as_ref().map(|_| Recorder::new());
    let migrator = migrator.observer((progress.clone(), recorder.clone()));
    let migrator = match run.budget {
        Some(budget) => migrator.budget(budget),
        None => migrator,
    };
    let done = match run.to {
        Some(version) => migrator.run_to(&place.options, version).await,
        None => migrator.run(&place.options).await,
    };
    progress.end();
    let database = place.to_string();
    let written = file.zip(recorder).map(|(file, recorder)| {
        let recording = recorder.recording();
        file.write(&Reported { database: &database, plan, recording })
    });
    let report = &done?;
    let program = &context.program;
    context.output.result(&Done {
        database: database.clone(),
        report,
        participle: "applied",
        program,
    });
    written.transpose()?;
    Ok(Exit::Done)
}

async fn plan(migrator: &Migrator, place: &Place, run: &Run) -> Result<Plan, Error> {
    match run.to {
        Some(version) => migrator.plan_to(&place.options, version).await,
        None => migrator.plan(&place.options).await,
    }
}
