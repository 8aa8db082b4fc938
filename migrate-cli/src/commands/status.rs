//! `status`: every migration and where it stands; with `--watch`, again and again, and what runs meanwhile.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use migrate_core::{MigrationId, Set};
use migrate_postgres::{Activity, BackfillState, Database, Migrator, Plan, Standing};
use sqlx::postgres::{PgPool, PgPoolOptions};

use crate::args::Status;
use crate::context::{self, Context};
use crate::exit::{Exit, Failure};
use crate::render::{Screen, Standings, Watched};
use crate::url::Place;

pub(crate) async fn carry_out(context: &Context, typed: &Status) -> Result<Exit, Failure> {
    let source = context.source()?;
    let declared = context::set(&source)?;
    let place = context.place()?;
    let migrator = typed.target.apply(context.migrator(&source));
    let at = At { context, declared: &declared, place: &place, migrator: &migrator };
    if let Some(period) = typed.watch {
        return at.watch(period).await;
    }
    let mut standings = at.standings(|| (&place.options).into()).await?;
    if standings.lines.iter().any(|line| line.standing == Standing::Interrupted) {
        standings.running = running(&migrator.activity(&place.options).await?);
    }
    if standings.has_contracts() {
        standings.gates = migrator.gates(&place.options, None).await?;
    }
    let exit = if standings.divergence.is_some() { Exit::Diverged } else { Exit::Done };
    context.output.result(&standings);
    Ok(exit)
}

/// What is looked at, and what with.
struct At<'a> {
    context: &'a Context,
    declared: &'a Set,
    place: &'a Place,
    migrator: &'a Migrator,
}

impl<'a> At<'a> {
    /// Until somebody ends it. What fails at first is told; what fails later may pass.
    async fn watch(&self, period: Duration) -> Result<Exit, Failure> {
        let one = PgPoolOptions::new().max_connections(1).acquire_timeout(CONNECT);
        let pool = one.connect_lazy_with(self.place.options.clone());
        let mut screen = Screen::new(&self.context.output);
        let mut paces = Paces::default();
        screen.show(&self.look(&pool, &mut paces).await?);
        loop {
            tokio::time::sleep(period).await;
            match self.look(&pool, &mut paces).await {
                Ok(watched) => screen.show(&watched),
                Err(failure) => screen.lost(&failure),
            }
        }
    }

    async fn look(&self, pool: &PgPool, paces: &mut Paces) -> Result<Watched<'a>, Failure> {
        let mut standings = self.standings(|| pool.into()).await?;
        standings.rates = paces.rates(standings.backfills.as_deref(), Instant::now());
        let activity = self.migrator.activity(pool).await?;
        standings.running = running(&activity);
        Ok(Watched { standings, activity })
    }

    async fn standings(&self, database: impl Fn() -> Database) -> Result<Standings<'a>, Failure> {
        let lines = self.migrator.status(database()).await?;
        let backfills = self.backfills(database()).await?;
        let (notices, divergence) = match self.plan(database()).await? {
            Ok(plan) => (plan.notices, None),
            Err(divergence) => (Vec::new(), Some(divergence)),
        };
        let database = self.place.to_string();
        let newest = self.declared.newest();
        let program = &self.context.program;
        let (running, rates) = (None, BTreeMap::new());
        let (schema, table) = self.migrator.history_table();
        let history = format!("{schema}.{table}");
        Ok(Standings {
            database,
            lines,
            notices,
            divergence,
            running,
            gates: Vec::new(),
            backfills,
            rates,
            history,
            newest,
            program,
        })
    }

    /// How far backfills are, for whoever may read it.
    async fn backfills(&self, database: Database) -> Result<Option<Vec<BackfillState>>, Failure> {
        const MAY_NOT: &str = "42501";
        match self.migrator.backfills(database).await {
            Ok(states) => Ok(Some(states)),
            Err(error) if error.sqlstate() == Some(MAY_NOT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// The plan, or why there cannot be one.
    async fn plan(&self, database: Database) -> Result<Result<Plan, String>, Failure> {
        match self.migrator.plan(database).await {
            Ok(plan) => Ok(Ok(plan)),
            Err(error) if error.is_divergence() => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        }
    }
}

/// How far each backfill was at the look before.
#[derive(Default)]
struct Paces {
    before: BTreeMap<MigrationId, (Instant, i64, i64)>,
}

impl Paces {
    /// Rows a second since then, of those that went on in the same pass.
    fn rates(
        &mut self,
        states: Option<&[BackfillState]>,
        now: Instant,
    ) -> BTreeMap<MigrationId, f64> {
        let mut rates = BTreeMap::new();
        for BackfillState { id, pass, seen, .. } in states.unwrap_or_default() {
            let before = self.before.insert(*id, (now, *pass, *seen));
            let Some((then, _, from)) = before.filter(|before| before.1 == *pass) else { continue };
            #[expect(clippy::cast_precision_loss, reason = "a rate, for people")]
            let gone = (seen - from) as f64;
            let seconds = now.saturating_duration_since(then).as_secs_f64();
            if seconds > 0.0 && gone > 0.0 {
                rates.insert(*id, gone / seconds);
            }
        }
        rates
    }
}

/// `7 expand` out of `apply 7 expand create_users`.
fn running(activity: &Activity) -> Option<String> {
    let doing = activity.migrator.as_ref()?.doing.as_ref()?;
    let mut words = doing.split(' ').skip(1);
    Some(format!("{} {}", words.next()?, words.next()?))
}

/// Whoever watches wants to know soon that there is nothing to be seen.
const CONNECT: Duration = Duration::from_secs(10);
