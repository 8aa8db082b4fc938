//! How an instance of the application says that it is alive, and what it can do.
//!
//! Owns the task that says so: one statement now and then, on a connection of the application's pool, and a good-bye
//! in the end. It never disturbs whoever started it: what fails is logged, and tried again next time.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;

use migrate_core::{Phase, Set};
use sqlx::PgPool;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::error::sqlstate;
use crate::options::GateRules;
use crate::session;
use crate::sql::{Names, literal, literals};
use crate::wire;

/// For how many heartbeats an instance counts that is not heard of.
const MISSED: u32 = 3;
/// As long as nothing was said yet: the tables may just be made.
const SOON: Duration = Duration::from_secs(1);
/// For one statement, with the wait for a connection of the pool.
const PATIENCE: Duration = Duration::from_secs(5);

/// Says that this instance of the application is alive, until it is dropped or stopped.
#[must_use = "an instance is gone when its heartbeat is dropped"]
#[derive(Debug)]
pub struct Heartbeat {
    stop: Option<oneshot::Sender<()>>,
    task: Option<JoinHandle<()>>,
}

impl Heartbeat {
    /// Says good-bye. Dropping does the same a moment later, as long as the runtime and the pool are there.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        if let Some(task) = self.task.take()
            && let Err(error) = task.await
        {
            tracing::warn!(%error, "migrate: the heartbeat did not end in good order");
        }
    }

    /// One that says nothing.
    pub(crate) fn none(why: &str) -> Self {
        tracing::warn!("migrate: no heartbeat: {why}");
        Self { stop: None, task: None }
    }

    pub(crate) fn start(pool: &PgPool, pulse: Pulse) -> Self {
        let Ok(runtime) = Handle::try_current() else {
            return Self::none("there is no runtime of tokio here");
        };
        let (stop, stopped) = oneshot::channel();
        let task = runtime.spawn(pulse.beat(pool.clone(), stopped));
        Self { stop: Some(stop), task: Some(task) }
    }
}

/// What is said, and how often.
pub(crate) struct Pulse {
    beat: String,
    leave: String,
    period: Duration,
}

impl Pulse {
    pub(crate) fn new(names: &Names, rules: &GateRules, set: &Set, build: &str) -> Self {
        let host = session::host();
        let id = format!("{host} {:016x}", RandomState::new().build_hasher().finish());
        let contracts = set.iter().filter(|entry| entry.phase() == Phase::Contract);
        let contracts: Vec<_> = contracts.map(|entry| entry.version().to_string()).collect();
        let values = [
            ("id", &*literal(&id)),
            ("build", &literal(build)),
            ("host", &literal(&host)),
            ("capabilities", &literals(&rules.capabilities)),
            ("contracts", &contracts.join(", ")),
        ];
        let period = rules.heartbeat.max(Duration::from_millis(1));
        let beat = names.beat(&values, period * MISSED);
        Self { beat, leave: names.leave(&id), period }
    }

    async fn beat(self, pool: PgPool, mut stopped: oneshot::Receiver<()>) {
        let (mut was_heard, mut fails) = (false, false);
        loop {
            match say(&pool, &self.beat).await {
                Ok(()) => (was_heard, fails) = (true, false),
                Err(Unheard::Closed) => return,
                Err(unheard) => unheard.tell(&mut fails),
            }
            let pause = if was_heard { self.period } else { self.period.min(SOON) };
            if tokio::time::timeout(pause, &mut stopped).await.is_ok() {
                break;
            }
        }
        if was_heard && let Err(unheard) = say(&pool, &self.leave).await {
            unheard.tell(&mut fails);
        }
    }
}

/// Why nobody heard it.
enum Unheard {
    /// The application has closed its pool.
    Closed,
    Failed(sqlx::Error),
    TimedOut,
}

impl Unheard {
    /// Once in a row; what goes on is for those who look closer.
    fn tell(self, fails: &mut bool) {
        let text = match self {
            Unheard::Failed(error) => match sqlstate(&error).as_deref() {
                Some("42P01" | "3F000") => {
                    "there is no table for it yet; the next migration that runs makes it".to_owned()
                }
                _ => error.to_string(),
            },
            Unheard::Closed => "the pool is closed".to_owned(),
            Unheard::TimedOut => "no answer in time".to_owned(),
        };
        match std::mem::replace(fails, true) {
            false => tracing::warn!("migrate: the heartbeat was not heard: {text}"),
            true => tracing::debug!("migrate: the heartbeat was not heard: {text}"),
        }
    }
}

async fn say(pool: &PgPool, message: &str) -> Result<(), Unheard> {
    let said = async {
        let mut connection = pool.acquire().await?;
        wire::send(&mut connection, message.to_owned()).await
    };
    match tokio::time::timeout(PATIENCE, said).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(sqlx::Error::PoolClosed)) => Err(Unheard::Closed),
        Ok(Err(error)) => Err(Unheard::Failed(error)),
        Err(_) => Err(Unheard::TimedOut),
    }
}
