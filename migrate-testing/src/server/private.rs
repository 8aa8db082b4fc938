//! A server for one test, which may do to it whatever happens to servers.
//!
//! The postmaster is our child and we wait for it: an unreaped one would count as alive and keep
//! the next from starting. This module must not know about other users, for there are none.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::error::ServerError;
use super::home::Home;
use super::postmaster::{self, Launch, Running};
use super::watchdog::{self, Hold};
use super::{Access, Own, Server};

const PATIENCE: Duration = Duration::from_secs(10);

/// A server that one test owns, to stop, freeze, kill and restart it.
///
/// It is a [`Server`] in all other respects. Its data, socket and port stay the same through
/// restarts. Dropping it ends the server and removes its directory; the death of the process does
/// the same within milliseconds.
#[derive(Debug)]
pub struct PrivateServer {
    server: Server,
    own: Own,
    launch: Launch,
    dir: PathBuf,
    port: u16,
    postmaster: Mutex<Option<Child>>,
    hold: Option<Hold>,
}

impl Deref for PrivateServer {
    type Target = Server;

    fn deref(&self) -> &Server {
        &self.server
    }
}

impl PrivateServer {
    pub(super) fn start(launch: Launch) -> Result<PrivateServer, ServerError> {
        Self::started(launch, |launch, home, dir| launch.start(home, dir))
    }

    /// A standby that follows this server, with the same settings, to be read and promoted
    /// (`SELECT pg_promote()`). This one is stopped and started again for it: its connections end.
    ///
    /// The server has to be one to follow: built with `wal_level` set to `replica` and some
    /// `max_wal_senders`.
    pub fn standby(&self) -> Result<PrivateServer, ServerError> {
        self.stop();
        Self::started(self.launch.clone(), |launch, _, dir| {
            launch.copy_to_follow(&self.own, &self.dir, dir)?;
            self.restart()?;
            launch.start_first(dir)
        })
    }

    fn started(
        launch: Launch,
        start: impl FnOnce(&Launch, &Home, &Path) -> Result<Running, ServerError>,
    ) -> Result<PrivateServer, ServerError> {
        let home = Home::choose(&launch.environment, &launch.user)?;
        let dir = home.new_instance("private")?;
        let hold = watchdog::watch(&dir, &launch.user, 0)?;
        let Running { postmaster, own } = start(&launch, &home, &dir)?;
        Ok(PrivateServer {
            port: own.port,
            server: Server::new(Access::Own(own.clone())),
            own,
            launch,
            dir,
            postmaster: Mutex::new(Some(postmaster)),
            hold: Some(hold),
        })
    }

    /// The process id of the postmaster, while there is one.
    pub fn pid(&self) -> Option<u32> {
        self.postmaster().as_ref().map(Child::id)
    }

    /// Stops the server in good order; transactions that are open are ended.
    fn stop(&self) {
        if let Some(mut child) = self.postmaster().take() {
            signal(&child, Signal::INT);
            wait_or_kill(&mut child);
        }
    }

    /// Stops the server without a farewell to its clients, as `pg_ctl stop -m immediate` does.
    pub fn stop_immediate(&self) {
        if let Some(mut child) = self.postmaster().take() {
            signal(&child, Signal::QUIT);
            signal(&child, Signal::CONT); // it may be frozen
            wait_or_kill(&mut child);
        }
    }

    /// Kills the postmaster with `kill -9`. Its backends notice and end by themselves.
    pub fn kill9(&self) {
        if let Some(mut child) = self.postmaster().take() {
            kill(&mut child);
        }
    }

    /// Starts the server again on the same data, after stopping it if it runs.
    pub fn restart(&self) -> Result<(), ServerError> {
        self.stop_immediate();
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.launch.start_again(&self.dir, self.port) {
                Err(_) if leftovers_remain(&self.dir) && Instant::now() < deadline => {
                    thread::sleep(Duration::from_millis(5));
                }
                started => {
                    *self.postmaster() = Some(started?.postmaster);
                    return Ok(());
                }
            }
        }
    }

    /// Freezes the postmaster: connections stay, new ones hang.
    pub fn sigstop(&self) {
        self.signal(Signal::STOP);
    }

    /// Wakes a frozen postmaster.
    pub fn sigcont(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, what: Signal) {
        if let Some(child) = self.postmaster().as_ref() {
            signal(child, what);
        }
    }

    fn postmaster(&self) -> MutexGuard<'_, Option<Child>> {
        self.postmaster.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for PrivateServer {
    fn drop(&mut self) {
        self.stop_immediate();
        drop(self.hold.take());
        let deadline = Instant::now() + PATIENCE;
        while self.dir.exists() && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(1)); // the watchdog is removing it
        }
    }
}

/// Whether the last start failed only because backends of a killed postmaster still linger.
fn leftovers_remain(dir: &Path) -> bool {
    postmaster::says(dir, "pre-existing shared memory block")
}

/// Signals a child that was not waited for, whose number therefore is still its own.
fn signal(child: &Child, what: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        let _ = kill_process(pid, what); // it is gone already
    }
}

fn wait_or_kill(child: &mut Child) {
    let deadline = Instant::now() + PATIENCE;
    while matches!(child.try_wait(), Ok(None)) {
        if Instant::now() > deadline {
            return kill(child);
        }
        thread::sleep(Duration::from_millis(1));
    }
}

fn kill(child: &mut Child) {
    let _ = child.kill().and_then(|()| child.wait()); // it is gone already
}
