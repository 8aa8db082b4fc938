//! `backfill`: goes on with changes of data in batches until they are done, and tells whoever works at one what is
//! wanted of it.

use migrate_core::{Kind, MigrationId};
use migrate_postgres::{BackfillReport, Error, Migrator};
use tokio::task::JoinSet;

use crate::args::{Backfill, Told, Which};
use crate::context::{self, Context, known};
use crate::exit::{Exit, Failure};
use crate::render::{Filled, Turned, Waiting};
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, typed: &Backfill) -> Result<Exit, Failure> {
    match &typed.told {
        Some(told) => tell(context, told).await,
        None => fill(context, typed.ranges.unwrap_or(1)).await,
    }
}

/// Works at all of them.
async fn fill(context: &Context, workers: u32) -> Result<Exit, Failure> {
    let source = context.source_to_run()?;
    context::set(&source)?;
    let place = context.place()?;
    context.output.aside(&format!("database: {place}"));
    let progress = context.output.progress();
    let migrator = context.migrator(&source).ranges(workers);
    let done = together(&migrator.clone().observer(progress.clone()), &place, workers).await;
    progress.end();
    let report = done?.ok_or_else(|| interrupted(context))?;
    let waiting = waiting(&migrator, &place, &report).await?;
    let is_all = report.left.is_empty() && waiting.is_empty();
    let program = &context.program;
    context.output.result(&Filled {
        database: place.to_string(),
        report: &report,
        waiting,
        program,
    });
    Ok(if is_all { Exit::Done } else { Exit::Failed })
}

/// So many workers of this program, and what they did as one; `None` when they were ended from the keyboard. The first
/// error ends all of them.
async fn together(
    migrator: &Migrator,
    place: &Place,
    workers: u32,
) -> Result<Option<BackfillReport>, Failure> {
    let mut all = JoinSet::new();
    for _ in 0..workers {
        let (migrator, options) = (migrator.clone(), place.options.clone());
        all.spawn(async move { Some(migrator.backfill(&options).await) });
    }
    all.spawn(async {
        // A process that cannot hear of it is ended by it.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        None
    });
    let mut report = BackfillReport::default();
    for _ in 0..workers {
        match all.join_next().await {
            Some(Ok(Some(done))) => report = report.and(done?),
            Some(Ok(None)) | None => return Ok(None),
            // Code of the application may panic.
            Some(Err(error)) => return Err(Failure::file("go on with a worker")(error.into())),
        }
    }
    Ok(Some(report))
}

/// Those whose turn has not come.
async fn waiting(
    migrator: &Migrator,
    place: &Place,
    report: &BackfillReport,
) -> Result<Vec<Waiting>, Error> {
    let plan = migrator.plan(&place.options).await?;
    let pending = plan.actions.into_iter().filter(|action| action.kind == Kind::Backfill);
    let is_left = |id: MigrationId| report.left.iter().any(|(left, _)| *left == id);
    let waiting = pending.filter(|action| !is_left(action.id));
    Ok(waiting.map(|action| Waiting { id: action.id, name: action.name }).collect())
}

fn interrupted(context: &Context) -> Failure {
    let program = &context.program;
    Failure::Interrupted {
        now: "every batch before stays, the one under way is taken back",
        next: format!(
            "`{program} backfill` or the next run goes on where it stopped; `{program} status` shows where that is."
        ),
    }
}

/// Says what is wanted of one; whoever works at it reads it before the next batch.
async fn tell(context: &Context, told: &Told) -> Result<Exit, Failure> {
    let source = context.source()?;
    let set = context::set(&source)?;
    let place = context.place()?;
    let migrator = context.migrator(&source);
    let (Told::Pause { which, .. }
    | Told::Resume { which }
    | Told::Cancel { which, .. }
    | Told::Limit { which, .. }) = told;
    let Which { version, phase } = *which;
    let id = MigrationId::new(version, phase);
    let begun = migrator.backfills(&place.options).await?;
    known(version, &set, begun.iter().map(|state| state.id.version))?;
    let options = &place.options;
    match told {
        Told::Pause { because, .. } => migrator.pause_backfill(options, id, because).await?,
        Told::Resume { .. } => migrator.resume_backfill(options, id).await?,
        Told::Cancel { because, .. } => migrator.cancel_backfill(options, id, because).await?,
        Told::Limit { limits, .. } => {
            let limits: Vec<&str> = limits.iter().map(String::as_str).collect();
            migrator.limit_backfill(options, id, &limits).await?;
        }
    }
    let state = migrator.backfills(options).await?.into_iter().find(|state| state.id == id);
    let (program, database) = (&context.program, place.to_string());
    let limits = matches!(told, Told::Limit { .. });
    if let Some(state) = state {
        context.output.result(&Turned { database, state, limits, program });
    }
    Ok(Exit::Done)
}
