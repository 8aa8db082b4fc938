//! The names of databases that tests get: they tell whose they are.
//!
//! A process that is killed drops nothing. Whoever comes later reads off the name which process had
//! the database, and whether that one still lives. Owns the names and the look at processes; must
//! not know what is done with a database whose owner is gone.

use std::fs;
use std::process::{self, Command};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::server::hash::Hash;

/// `t_<machine>_<pid>_<start>_<since>_<number>`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    owner: Owner,
    /// When the owner began to ask for databases, in seconds of the epoch.
    pub(super) since: u64,
    number: u32,
}

/// A process, told from a later one with the same number by when it started.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owner {
    /// Where process numbers are the same processes, and visible: one boot of one container, one user.
    machine: u32,
    pid: u32,
    start: u64,
}

/// What is known of the owner of a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    Lives,
    Ended,
    /// It is, or was, a process that cannot be seen from here.
    Elsewhere,
}

/// A name that nobody else has.
pub(super) fn next() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    static OURS: OnceLock<(Owner, u64)> = OnceLock::new();
    let (owner, since) = OURS.get_or_init(|| (Owner::current(), now()));
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    Name { owner: owner.clone(), since: *since, number }.to_text()
}

/// Seconds of the epoch.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs())
}

impl Name {
    fn to_text(&self) -> String {
        let Name { owner: Owner { machine, pid, start }, since, number } = self;
        format!("t_{machine:08x}_{pid}_{start}_{since}_{number}")
    }

    pub(super) fn parse(text: &str) -> Option<Name> {
        let mut parts = text.strip_prefix("t_")?.split('_');
        let machine = u32::from_str_radix(parts.next()?, 16).ok()?;
        let (pid, start) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let (since, number) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let name = Name { owner: Owner { machine, pid, start }, since, number };
        (name.to_text() == text).then_some(name)
    }

    pub(super) fn life(&self) -> Life {
        if self.owner.machine != machine() {
            return Life::Elsewhere;
        }
        if start(self.owner.pid) == Some(self.owner.start) { Life::Lives } else { Life::Ended }
    }
}

impl Owner {
    fn current() -> Owner {
        let pid = process::id();
        Owner { machine: machine(), pid, start: start(pid).unwrap_or_default() }
    }
}

fn machine() -> u32 {
    static MACHINE: OnceLock<u32> = OnceLock::new();
    *MACHINE.get_or_init(|| {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        let container = fs::read_link("/proc/self/ns/pid").unwrap_or_default();
        let user = rustix::process::geteuid().as_raw().to_string();
        let host = rustix::system::uname();
        let hash = Hash::new().add(boot).add(container.as_os_str().as_encoded_bytes()).add(user);
        hash.add(host.nodename().to_bytes()).short()
    })
}

/// When the process started, in whatever unit the system counts; `None` when there is none.
fn start(pid: u32) -> Option<u64> {
    match fs::read_to_string(format!("/proc/{pid}/stat")) {
        Ok(stat) => started(&stat),
        Err(_) if fs::exists("/proc/self/stat").unwrap_or(false) => None,
        Err(_) => start_by_ps(pid),
    }
}

/// The 22nd field. The second is the program's name in brackets, with whatever is in it.
fn started(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    if matches!(state, "Z" | "X") {
        return None; // it has ended, and nobody has asked how
    }
    fields.nth(18)?.parse().ok()
}

fn start_by_ps(pid: u32) -> Option<u64> {
    let output =
        Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    output.status.success().then(|| u64::from(Hash::new().add(output.stdout).short()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_who_has_it() {
        let name = next();
        let parsed = Name::parse(&name).unwrap();
        assert_eq!((parsed.owner.pid, parsed.life()), (process::id(), Life::Lives));
        assert_eq!(parsed.to_text(), name);
        assert!(name.len() <= 63);
        assert_ne!(next(), name);
    }

    #[test]
    fn a_number_that_came_again_is_another_process() {
        let mut name = Name::parse(&next()).unwrap();
        name.owner.start += 1;
        assert_eq!(name.life(), Life::Ended);
    }

    #[test]
    fn a_process_that_has_ended_is_seen_even_if_nobody_waited_for_it() {
        let mut child = Command::new("true").spawn().unwrap();
        let start = start(child.id()).unwrap_or_default();
        let owner = Owner { machine: machine(), pid: child.id(), start };
        let name = Name { owner, since: 0, number: 0 };
        while name.life() == Life::Lives {
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert_eq!(name.life(), Life::Ended);
    }

    #[test]
    fn what_another_machine_has_is_not_judged_by_our_processes() {
        let mut name = Name::parse(&next()).unwrap();
        name.owner.machine ^= 1;
        assert_eq!(name.life(), Life::Elsewhere);
    }

    #[test]
    fn other_names_are_somebody_elses() {
        for text in ["t_1_2_3_4_5", "t_0000000g_1_2_3_4", "t_00000001_1_2_3_4_5", "test", "t_", ""]
        {
            assert_eq!(Name::parse(text), None, "{text}");
        }
    }

    #[test]
    fn odd_names_of_programs_do_not_hide_when_they_started() {
        let fields = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20";
        assert_eq!(started(&format!("12 (a ) b) {fields}")), Some(4711));
        assert_eq!(started(&format!("12 (a) {}", fields.replace('S', "Z"))), None);
    }
}
