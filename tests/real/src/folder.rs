//! The folders for whoever reads the files.
//!
//! Knows how each is called and what it counts on; nothing of what is done with it.

use std::path::PathBuf;

use crate::fetch::{self, Found};
use crate::packages::SYNAPSE;
use crate::workspace::Workspace;
use crate::{Result, synapse};

/// A folder of migrations that somebody has published.
#[derive(Clone, Debug)]
pub struct Folder {
    /// Its package with the version, as the page shows it.
    pub package: String,
    /// Below the package.
    pub name: String,
    /// Where it is on this machine.
    pub path: PathBuf,
    /// What the package makes before the files run.
    pub needs: Option<&'static str>,
    /// The tables among that.
    pub existing: &'static [&'static str],
}

impl Folder {
    /// Does a file of that name stand for a program that nobody but the package can run?
    pub fn is_program(name: &str) -> bool {
        synapse::is_program(name)
    }
}

pub(crate) fn all(workspace: &Workspace) -> Result<Vec<Folder>> {
    let found = fetch::folders(workspace)?;
    let mut all: Vec<Folder> = found.into_iter().map(known).collect();
    let theirs = synapse::folders(workspace)?.into_iter();
    let package = SYNAPSE.shown();
    let of =
        |(name, path)| Folder { package: package.clone(), name, path, needs: None, existing: &[] };
    all.extend(theirs.map(of));
    Ok(all)
}

fn known(found: Found) -> Folder {
    let Found { package, folder, path, .. } = found;
    let need = package.needs.as_ref();
    Folder {
        package: package.shown(),
        name: folder,
        path,
        needs: need.map(|need| need.sql),
        existing: need.map_or(&[], |need| need.tables),
    }
}
