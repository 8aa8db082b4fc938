//! From what the environment asks for to the programs of a server: found on this machine, or fetched.
//!
//! It must not know how they are found, nor from where they can be had.

use std::path::{Path, PathBuf};

use super::cache;
use super::environment::Environment;
use super::error::ServerError;
use super::install::{self, Machine, Tried, Wanted};
use super::probe::{self, Binaries, Places};
use super::user::{self, ServerUser};

/// The programs for a server: the first that are found, else the newest that can be had.
pub(super) fn binaries(environment: &Environment) -> Result<Binaries, ServerError> {
    let places = places(environment);
    let searched = match probe::find(&places) {
        Ok(binaries) => return Ok(binaries),
        Err(searched) if environment.bin.is_some() => return Err(searched.into()),
        Err(searched) => searched,
    };
    let again = || probe::find(&places).ok();
    fetched(environment, Wanted::Any, again).map_err(|tried| searched.and_tried(tried.0).into())
}

/// The directory with the programs of one major version, from our cache, fetched unless they are there.
///
/// What the system has is not looked at: it is there on one machine, and on the next it is not.
pub fn fetch(major: u32) -> Result<PathBuf, ServerError> {
    let environment = Environment::read()?;
    let caches = environment.caches();
    let cached = || caches.iter().find_map(|dir| cached(dir, major));
    let binaries = match cached() {
        Some(binaries) => binaries,
        None => fetched(&environment, Wanted::Major(major), cached)
            .map_err(|tried| ServerError::NotFetched { major, tried: tried.0 })?,
    };
    Ok(binaries.dir().to_owned())
}

fn cached(dir: &Path, major: u32) -> Option<Binaries> {
    let all = cache::complete(dir);
    all.iter().filter(|bin| cache::is_major(bin, major)).find_map(|bin| probe::complete_in(bin))
}

fn fetched(
    environment: &Environment,
    wanted: Wanted,
    again: impl Fn() -> Option<Binaries>,
) -> Result<Binaries, Tried> {
    if !environment.may_install {
        return Err(Tried(String::from("  MIGRATE_PG_INSTALL=never forbids it")));
    }
    let machine = machine(environment).map_err(|error| Tried(format!("  {error}")))?;
    let Some(dir) = &environment.cache else {
        return Err(Tried(String::from(
            "  there is no place for it: set HOME or MIGRATE_PG_CACHE",
        )));
    };
    install::install(&machine, dir, wanted, again)
}

fn places(environment: &Environment) -> Places {
    Places {
        bin: environment.bin.clone(),
        path: environment.path.clone(),
        root: PathBuf::from("/"),
        caches: environment.caches(),
    }
}

fn machine(environment: &Environment) -> Result<Machine, ServerError> {
    Ok(Machine {
        path: environment.path.clone(),
        root: PathBuf::from("/"),
        is_root: user::caller() == 0,
        user: ServerUser::choose()?,
        os: std::env::consts::OS,
        arch: std::env::consts::ARCH,
        tell: install::tell,
    })
}
