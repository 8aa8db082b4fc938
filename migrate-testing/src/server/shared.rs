//! One warm server for all test processes of a caller.
//!
//! Processes find each other through the home directory: an instance that has a file `ready` is
//! open to all. Finding one takes no lock; starting one takes the home's, so that of many
//! processes that come at once only one does the work. This module must not know how a server
//! is started or watched.

use std::collections::HashMap;
use std::fs;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::error::{Doing, ServerError};
use super::home::Home;
use super::postmaster::Launch;
use super::watchdog::{self, Entry, Hold};
use super::{Access, Own, Server, version};

/// The servers that this process uses. It holds them until it ends, whichever way it does.
static USED: Mutex<Option<HashMap<PathBuf, Used>>> = Mutex::new(None);

#[derive(Debug)]
struct Used {
    server: Server,
    socket: PathBuf,
    hold: Hold,
}

/// The server for this launch: the one we use already, one that runs, or a new one.
pub(super) fn get(launch: &Launch) -> Result<Server, ServerError> {
    let mut used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    let used = used.get_or_insert_default();
    let name = launch.environment.dir.clone().unwrap_or_default().join(launch.key());
    if let Some(known) = used.get(&name).filter(|known| accepts(&known.socket)) {
        return Ok(known.server.clone());
    }
    let (own, hold) = join_or_start(launch)?;
    let socket = own.socket_dir.join(format!(".s.PGSQL.{}", own.port));
    let server = Server::new(Access::Own(own));
    used.insert(name, Used { server: server.clone(), socket, hold });
    Ok(server)
}

/// Has the server in `dir` outlive this process and its kind by `seconds`.
pub(super) fn linger(dir: &Path, seconds: u64) {
    let used = USED.lock().unwrap_or_else(PoisonError::into_inner);
    let mut all = used.iter().flat_map(HashMap::values);
    if let Some(found) = all.find(|used| used.socket.starts_with(dir)) {
        found.hold.linger(dir, seconds);
    }
}

fn accepts(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

fn join_or_start(launch: &Launch) -> Result<(Own, Hold), ServerError> {
    let running = Home::existing(&launch.environment, &launch.user);
    if let Some(joined) = join_any(launch, &running)? {
        return Ok(joined);
    }
    let home = Home::choose(&launch.environment, &launch.user)?;
    let lock = home.lock_file("start.lock")?;
    lock.lock().doing("lock", home.path())?;
    take_care_of_orphans(launch, &home);
    match join_any(launch, std::slice::from_ref(&home))? {
        Some(joined) => Ok(joined), // somebody else started it while we waited
        None => start(launch, &home),
    }
}

fn join_any(launch: &Launch, homes: &[Home]) -> Result<Option<(Own, Hold)>, ServerError> {
    let kind = format!("{}-", launch.key());
    for dir in homes.iter().flat_map(|home| home.instances(&kind)) {
        if let Some(joined) = join(launch, dir)? {
            return Ok(Some(joined));
        }
    }
    Ok(None)
}

/// Becomes a user of the server in `dir`, if it is open and serves.
fn join(launch: &Launch, dir: PathBuf) -> Result<Option<(Own, Hold)>, ServerError> {
    let Some((port, version)) = read_offer(&dir) else {
        return Ok(None);
    };
    let Entry::Admitted(hold) = watchdog::enter(&dir)? else {
        return Ok(None);
    };
    let own = Own {
        binaries: launch.binaries.clone(),
        socket_dir: dir,
        port,
        tcp: launch.settings.tcp(),
        version,
    };
    match version::ask(&own.options("postgres")) {
        Err(error) if !version::is_answer(&error) => {
            let _ = fs::remove_file(offer(&own.socket_dir)); // it crashed; let nobody else try
            Ok(None)
        }
        _ => Ok(Some((own, hold))),
    }
}

fn start(launch: &Launch, home: &Home) -> Result<(Own, Hold), ServerError> {
    let dir = home.new_instance(&launch.key())?;
    let hold = watchdog::watch(&dir, &launch.user, launch.environment.idle)?;
    let own = launch.start(home, &dir)?.own;
    write_offer(&dir, &own).doing("write to", &dir)?;
    Ok((own, hold))
}

/// Gives a new watchdog to instances that lost theirs. It ends those that nobody uses any more.
fn take_care_of_orphans(launch: &Launch, home: &Home) {
    for dir in home.instances("") {
        if !watchdog::is_watched(&dir) {
            // Whoever starts next tries again, and nobody needs the orphan for a server.
            let _ = watchdog::watch(&dir, &launch.user, launch.environment.idle);
        }
    }
}

fn offer(dir: &Path) -> PathBuf {
    dir.join("ready")
}

fn write_offer(dir: &Path, own: &Own) -> std::io::Result<()> {
    let unfinished = dir.join("ready.new");
    fs::write(&unfinished, format!("{} {}\n", own.port, own.version))?;
    fs::rename(unfinished, offer(dir))
}

fn read_offer(dir: &Path) -> Option<(u16, u32)> {
    let text = fs::read_to_string(offer(dir)).ok()?;
    let (port, version) = text.trim().split_once(' ')?;
    Some((port.parse().ok()?, version.parse().ok()?))
}
