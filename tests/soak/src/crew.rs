//! Starts the replicas, hears what they tell, ends them, and starts them again.
//!
//! Owns the moments at which they are ended, which are chance. Knows nothing of what they do.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::Result;
use crate::chance::Chance;
use crate::ledger::Ledger;
use crate::replica::WORD;

/// For a replica to serve that is left in peace, and to end when it is asked to.
const PATIENCE: Duration = Duration::from_secs(60);

/// What all replicas share.
#[derive(Clone)]
pub(crate) struct Crew {
    pub(crate) url: String,
    pub(crate) folder: PathBuf,
    pub(crate) ledger: Ledger,
    pub(crate) stop: Arc<AtomicBool>,
    /// The number of the next process.
    pub(crate) next: Arc<AtomicI64>,
    /// The version that has landed last.
    pub(crate) landed: watch::Receiver<i64>,
}

/// How far a replica is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    Started,
    Migrating,
    Serving,
    Ended,
}

struct Replica {
    child: Child,
    state: watch::Receiver<State>,
    ears: JoinHandle<()>,
}

impl Crew {
    /// One place of the service, with one process after the other in it.
    pub(crate) async fn replica(mut self, mut chance: Chance) -> Result<()> {
        let mut first = true;
        while !self.stop.load(Ordering::Relaxed) {
            let mut replica = self.start(&mut chance)?;
            if !std::mem::take(&mut first) {
                self.ledger.open().restarts += 1;
            }
            // Half of the time a release restarts all at once: then they race.
            let is_deployed = chance.below(2) == 0;
            self.landed.mark_unchanged();
            tokio::select! {
                () = replica.wait_for_a_moment(&mut chance) => {}
                _ = self.landed.changed(), if is_deployed => {}
            }
            self.end(replica, &mut chance).await?;
        }
        Ok(())
    }

    fn start(&self, chance: &mut Chance) -> Result<Replica> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        // Somebody asks for the contracts now and then.
        let phases = if chance.below(4) == 0 { "all" } else { "start-up" };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(WORD).arg(&self.url).arg(&self.folder).arg(number.to_string()).arg(phases);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let pipe = child.stdout.take().ok_or("a replica without a pipe")?;
        let (tell, state) = watch::channel(State::Started);
        let ears = tokio::spawn(hear(pipe, self.ledger.clone(), tell));
        Ok(Replica { child, state, ears })
    }

    async fn end(&self, mut replica: Replica, chance: &mut Chance) -> Result<()> {
        let state = *replica.state.borrow();
        if let Some(status) = replica.child.try_wait()? {
            replica.ears.await?;
            return self.ended_by_itself(status);
        }
        // In the end everybody is asked: that is no fault to survive.
        let kill = !self.stop.load(Ordering::Relaxed) && chance.below(2) == 0;
        if kill {
            replica.child.kill().await?;
        } else {
            terminate(&replica.child);
            if timeout(PATIENCE, replica.child.wait()).await.is_err() {
                let told = format!("a replica did not end within {PATIENCE:?} of SIGTERM");
                self.ledger.open().errors.push(told);
                replica.child.kill().await?;
            }
        }
        replica.ears.await?;
        let mut ledger = self.ledger.open();
        *(if kill { &mut ledger.killed } else { &mut ledger.terminated }) += 1;
        ledger.while_migrating += usize::from(state == State::Migrating);
        Ok(())
    }

    /// What it told says why, unless it said nothing.
    fn ended_by_itself(&self, status: ExitStatus) -> Result<()> {
        if status.code() != Some(3) {
            self.ledger.open().errors.push(format!("a replica ended by itself: {status}"));
        }
        Ok(())
    }
}

impl Replica {
    /// Soon after its start, in the middle of a migration if there is one, or when it has served for a while; or when it
    /// has ended.
    async fn wait_for_a_moment(&mut self, chance: &mut Chance) {
        let life = chance.millis(500..4500);
        let (soon, after) = (chance.millis(0..600), chance.millis(0..250));
        match chance.below(4) {
            0 => self.until(State::Ended, soon).await,
            1 | 2 => {
                self.until(State::Migrating, life).await;
                if *self.state.borrow() == State::Migrating {
                    self.until(State::Ended, after).await;
                } else {
                    self.until(State::Ended, life).await;
                }
            }
            // Or a busy machine would never get a long migration done.
            _ => {
                self.until(State::Serving, PATIENCE).await;
                self.until(State::Ended, life).await;
            }
        }
    }

    async fn until(&mut self, state: State, longest: Duration) {
        let reached = self.state.wait_for(|now| *now >= state);
        tokio::select! {
            _ = reached => {}
            () = sleep(longest) => {}
        }
    }
}

/// To its last line, also when it is dead by then.
async fn hear(pipe: ChildStdout, ledger: Ledger, state: watch::Sender<State>) {
    let mut lines = BufReader::new(pipe).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match line.split_once(' ').unwrap_or((&line, "")) {
            ("wrote", id) => match id.parse() {
                Ok(id) => ledger.open().written.push(id),
                Err(_) => ledger.open().errors.push(line),
            },
            ("migrating", _) => drop(state.send(State::Migrating)),
            ("serving", _) => drop(state.send(State::Serving)),
            ("behind", _) => ledger.open().behind += 1,
            _ => ledger.open().errors.push(line),
        }
    }
    let _ = state.send(State::Ended); // nobody waits any more
}

fn terminate(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, Signal::TERM); // it has just ended
    }
}
