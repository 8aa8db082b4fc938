//! One run: what it makes when nothing goes wrong, and what it and those after it make when something does.
//!
//! Owns what a difference is. What goes wrong is done in `disturb`.

use std::time::Duration;

use migrate_postgres::{Error, Migrator};
use migrate_tests::proxy::{Conversation, Proxy, Rewrite};

use crate::Result;
use crate::lab::{Lab, Place};
use crate::person;
use crate::point::{Kind, Point};
use crate::run::Run;
use crate::snapshot::Snapshot;

/// So long nothing takes.
const PATIENCE: Duration = Duration::from_secs(60);
const FAREWELL: Duration = Duration::from_secs(5);

pub(crate) struct Story<'l> {
    pub(crate) run: Run,
    pub(crate) lab: &'l Lab,
    pub(crate) migrator: Migrator,
    pub(crate) rewrite: Option<Rewrite>,
    /// All that is said when nothing goes wrong.
    pub(crate) conversations: Vec<Conversation>,
    template: Place,
    begin: Snapshot,
    end: Snapshot,
    /// Behind what comes after it.
    after: Snapshot,
}

/// How a run ended in which something went wrong.
pub(crate) enum End {
    Good,
    Bad(Error),
    /// With its process.
    Killed,
}

impl From<std::result::Result<(), Error>> for End {
    fn from(end: std::result::Result<(), Error>) -> Self {
        end.map_or_else(End::Bad, |()| End::Good)
    }
}

/// What came of a point.
pub(crate) enum Outcome {
    Tried(Vec<String>),
    /// There was nothing to go wrong.
    Void,
}

/// What is known when the disturbance is over, and what was wrong about it already.
pub(crate) struct Disturbed {
    pub(crate) end: End,
    pub(crate) found: Vec<String>,
    pub(crate) is_void: bool,
}

impl Disturbed {
    pub(crate) fn new(end: End) -> Self {
        Self { end, found: Vec::new(), is_void: false }
    }

    /// Waits until the proxy has its message. A run that ended by itself before that is told of.
    pub(crate) async fn instead(
        proxy: &Proxy,
        acting: impl Future<Output = std::result::Result<(), Error>>,
    ) -> Option<Self> {
        tokio::select! {
            () = proxy.reached() => None,
            end = acting => Some(Self::unless_reached(end.into(), proxy).await),
        }
    }

    /// A run that ended by itself: was its message sent at all? A farewell may still be on its way.
    pub(crate) async fn unless_reached(end: End, proxy: &Proxy) -> Self {
        let reached = tokio::time::timeout(FAREWELL, proxy.reached()).await;
        let found = reached.err().map(|_| "it was never sent".to_owned());
        Self { found: found.into_iter().collect(), ..Self::new(end) }
    }
}

impl<'l> Story<'l> {
    /// Has it run without disturbance.
    pub(crate) async fn learn(lab: &'l Lab, run: Run, rewrite: Option<Rewrite>) -> Result<Self> {
        let migrator = run.migrator()?;
        let template = lab.template(&run).await?;
        let place = lab.copy(&template).await?;
        let begin = Snapshot::of(&place.options).await?;
        let proxy = Proxy::new(place.options.clone(), None, rewrite);
        let failed = |error| format!("{}: the undisturbed run failed: {error}", run.name);
        run.act(&migrator, &proxy.options(), false).await.map_err(failed)?;
        let conversations = proxy.conversations();
        let end = Snapshot::of(&place.options).await?;
        if let Some(after) = run.after() {
            after.act(&migrator, &proxy.options(), false).await.map_err(failed)?;
        }
        let after = Snapshot::of(&place.options).await?;
        if begin == after {
            return Err(format!("{}: the undisturbed run did nothing", run.name).into());
        }
        lab.drop(&place).await?;
        Ok(Self { run, lab, migrator, rewrite, conversations, template, begin, end, after })
    }

    pub(crate) async fn tell(&self, point: &Point) -> Result<Outcome> {
        let place = self.lab.copy(&self.template).await?;
        let outcome = match tokio::time::timeout(PATIENCE, self.outcome(point, &place)).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(error)) => Outcome::Tried(vec![error.to_string()]),
            Err(_) => Outcome::Tried(vec![format!("it did not end in {PATIENCE:?}")]),
        };
        if point.kind.is_hard() {
            self.lab.serves().await?;
        }
        self.lab.drop(&place).await?;
        Ok(outcome)
    }

    async fn outcome(&self, point: &Point, place: &Place) -> Result<Outcome> {
        let Disturbed { end, mut found, is_void } = self.disturbed(point, place).await?;
        if is_void {
            return Ok(Outcome::Void);
        }
        let now = Snapshot::of(&place.options).await?;
        found.extend(self.is_not_true(point, &end, &now));
        found.extend(self.goes_on(self.run, place, &self.end).await?);
        if let Some(after) = self.run.after() {
            found.extend(self.goes_on(after, place, &self.after).await?);
        }
        Ok(Outcome::Tried(found))
    }

    /// What differs when somebody has done it until it was done.
    async fn goes_on(&self, run: Run, place: &Place, expected: &Snapshot) -> Result<Vec<String>> {
        let through = Proxy::new(place.options.clone(), None, self.rewrite);
        let past = &place.options;
        let again = person::goes_on(&run, &self.migrator, &through.options(), past).await;
        let mut found: Vec<_> = again.err().map(|error| error.to_string()).into_iter().collect();
        let last = Snapshot::of(&place.options).await?;
        found.extend(told("in the end", last.differs_from(expected)));
        Ok(found)
    }

    /// What was claimed and is not so.
    fn is_not_true(&self, point: &Point, end: &End, now: &Snapshot) -> Vec<String> {
        let error = match end {
            End::Killed => return Vec::new(),
            End::Good => {
                return told("when it had said that all is well", now.differs_from(&self.end));
            }
            End::Bad(error) => error,
        };
        let text = error.to_string();
        let mut wrong = Vec::new();
        let changed = now.without_history().differs_from(&self.begin.without_history());
        if text.contains("nothing was changed") && !changed.is_empty() {
            wrong.push(format!("it said that nothing was changed: {text}"));
        }
        let applied = error.applied().iter().filter(|id| !now.has_applied(&id.to_string()));
        wrong.extend(applied.map(|id| format!("it said that {id} was applied: {text}")));
        let is_expected = match point.kind {
            Kind::Robbed => error.is_busy() || error.is_interrupted(),
            _ => error.is_connection() || error.is_interrupted(),
        };
        wrong.extend((!is_expected).then(|| format!("its error is of another kind: {text}")));
        wrong
    }
}

/// A few of them say it all.
const FEW: usize = 8;

fn told(when: &str, differences: Vec<String>) -> Vec<String> {
    let more = differences.len().saturating_sub(FEW);
    let few = differences.into_iter().take(FEW);
    let mut told: Vec<_> = few.map(|difference| format!("{when}: {difference}")).collect();
    told.extend((more > 0).then(|| format!("{when}: and {more} more")));
    told
}
