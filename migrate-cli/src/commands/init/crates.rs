//! Where a project gets our crates from.
//!
//! Owns the search: what was typed, else what the project has locked already, else the sources that this very
//! program was compiled from. The result is a line of a manifest.

use std::path::{Path, PathBuf};

use super::project::Project;
use crate::args::Init;
use crate::exit::Failure;

/// A source as cargo knows them.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Crates {
    /// A folder that holds one folder for each crate.
    Path(PathBuf),
    /// A repository, and `rev = "…"` or the like.
    Git {
        url: String,
        which: Option<String>,
    },
    Registry {
        version: String,
    },
}

impl Crates {
    pub(super) fn find(init: &Init, project: &Project) -> Result<Self, Failure> {
        if let Some(url) = &init.git {
            return Ok(Crates::Git { url: url.clone(), which: None });
        }
        if let Some(path) = &init.path {
            return checkout(path);
        }
        let lock = std::fs::read_to_string(project.root.join("Cargo.lock")).unwrap_or_default();
        locked(&lock).map_or_else(compiled_from, Ok)
    }

    /// `migrate-cli = { path = "…" }`
    pub(super) fn line(&self, name: &str, package: &Path) -> String {
        match self {
            Crates::Path(path) => {
                format!("{name} = {{ path = {:?} }}", near(&path.join(name), package))
            }
            Crates::Git { url, which } => {
                let which = which.as_ref().map(|which| format!(", {which}")).unwrap_or_default();
                format!("{name} = {{ git = {url:?}{which} }}")
            }
            Crates::Registry { version } => format!("{name} = {version:?}"),
        }
    }
}

/// A checkout of ours, and nothing else.
fn checkout(path: &Path) -> Result<Crates, Failure> {
    let what = format!("find {}", path.display());
    let found = std::fs::canonicalize(path).map_err(Failure::file(what))?;
    if found.join("migrate-postgres/Cargo.toml").is_file() {
        return Ok(Crates::Path(found));
    }
    Err(Failure::usage(
        format!("failed to find the crates of migrate in {}", found.display()),
        "Give --path the folder of a checkout, the one that holds migrate-postgres.",
    ))
}

/// What the project has of ours already.
fn locked(lock: &str) -> Option<Crates> {
    let packages = lock.split("[[package]]");
    let mut ours = packages.filter(|package| {
        package.contains("name = \"migrate-cli\"")
            || package.contains("name = \"migrate-postgres\"")
    });
    let package = ours.next()?;
    let value = |key: &str| {
        let row = package.lines().find_map(|row| row.strip_prefix(key)?.strip_prefix(" = "));
        row.map(|value| value.trim_matches('"').to_owned())
    };
    let source = value("source")?;
    if source.starts_with("registry+") {
        return value("version").map(|version| Crates::Registry { version });
    }
    let repository = source.strip_prefix("git+")?.split('#').next()?;
    let (url, query) = repository.split_once('?').unwrap_or((repository, ""));
    let which = query.split_once('=').map(|(key, value)| format!("{key} = {value:?}"));
    Some(Crates::Git { url: url.to_owned(), which })
}

/// The sources of this program; cargo's own copy of a repository is no place to depend on.
fn compiled_from() -> Result<Crates, Failure> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = ours.parent().unwrap_or(ours);
    let holds = |words: [&str; 2]| {
        let parts: Vec<_> = root.iter().map(|part| part.to_string_lossy()).collect();
        parts.windows(2).any(|pair| pair.iter().eq(words.iter()))
    };
    if holds(["registry", "src"]) {
        return Ok(Crates::Registry { version: env!("CARGO_PKG_VERSION").to_owned() });
    }
    if !holds(["git", "checkouts"]) && root.join("migrate-postgres/Cargo.toml").is_file() {
        return Ok(Crates::Path(root.to_owned()));
    }
    Err(Failure::usage(
        "failed to find the crates of migrate: the sources of this program are not there any more, or are \
         cargo's own copy",
        "Say where the project gets them from: --git URL of the repository, or --path DIR of a checkout.",
    ))
}

/// Relative among neighbours, who are moved and copied together; else absolute.
fn near(path: &Path, package: &Path) -> String {
    for (above, steps) in package.ancestors().zip(0..=2) {
        let is_file_system = above.parent().is_none();
        if let Ok(rest) = path.strip_prefix(above)
            && !is_file_system
        {
            let steps = vec![".."; steps];
            let rest = rest.iter().map(|part| part.to_string_lossy().into_owned());
            let parts: Vec<String> = steps.into_iter().map(ToOwned::to_owned).chain(rest).collect();
            return parts.join("/");
        }
    }
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_locked_is_taken_again() {
        let lock = |source: &str| {
            locked(&format!(
                "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1\"\n\n[[package]]\nname = \"migrate-cli\"\nversion = \"0.1.0\"\n{source}\n"
            ))
        };
        let git = |which: Option<&str>| {
            Some(Crates::Git { url: "https://host/m".into(), which: which.map(Into::into) })
        };
        assert_eq!(lock("source = \"git+https://host/m#0123\""), git(None));
        assert_eq!(lock("source = \"git+https://host/m?tag=v1#0123\""), git(Some("tag = \"v1\"")));
        let registry = Some(Crates::Registry { version: "0.1.0".into() });
        assert_eq!(lock("source = \"registry+https://host/index\""), registry);
        assert_eq!(lock(""), None);
        assert_eq!(locked(""), None);
    }

    #[test]
    fn neighbours_are_named_by_the_way_to_them() {
        let near =
            |package: &str| near(Path::new("/home/me/migrate/migrate-cli"), Path::new(package));
        assert_eq!(near("/home/me/app"), "../migrate/migrate-cli");
        assert_eq!(near("/home/me/app/xtask"), "../../migrate/migrate-cli");
        assert_eq!(near("/home/me/migrate"), "migrate-cli");
        assert_eq!(near("/srv/app"), "/home/me/migrate/migrate-cli");
    }
}
