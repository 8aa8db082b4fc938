//! PostgreSQL from the distribution, on Debian and its relatives: root may install it for everybody.

use std::process::Command;

use super::{Binaries, Job, Wanted, client};
use crate::server::probe::{self, Places};

const INSTALL: [&str; 7] = [
    "-y",
    "-q",
    "--no-install-recommends",
    "-o",
    "DPkg::Lock::Timeout=300", // somebody else may be installing something
    "install",
    "postgresql",
];

pub(super) fn get(job: &Job) -> Result<Binaries, String> {
    let apt_get = job.machine.program("apt-get")?;
    if !job.machine.is_root {
        return Err(String::from("only root may install packages"));
    }
    if job.wanted != Wanted::Any {
        return Err(String::from("it has the system's own version only"));
    }
    job.announce("apt-get installs `postgresql` (17 MB, with a service that is not used)");
    let run = |words: &[&str]| {
        client::run(Command::new(&apt_get).args(words).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    // Images come without package lists, or with old ones; elsewhere an update only takes time.
    run(&INSTALL).or_else(|_| run(&["-q", "update"]).and_then(|_| run(&INSTALL)))?;
    let machine = job.machine;
    let places = Places {
        bin: None,
        path: machine.path.clone(),
        root: machine.root.clone(),
        caches: Vec::new(),
    };
    probe::find(&places).map_err(|_| String::from("it installed no initdb and postgres"))
}
